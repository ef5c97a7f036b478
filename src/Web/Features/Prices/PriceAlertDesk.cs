using Dashboard.Domain.Costs;
using Dashboard.Domain.Prices;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Prices;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Prices;

/// <summary>What a person wants to be told.</summary>
/// <param name="Below">At most, per GPU-hour; null: among the cheapest <paramref name="BelowPercent"/> of the last 30 days' hours.</param>
public sealed record WantedAlert(PriceFilter Filter, PriceMeasure Measure, HourlyRate? Below, int? BelowPercent, TimeSpan HoldFor);

/// <param name="Name">What it watches.</param>
/// <param name="Threshold">What it fires at now; null while too little is known.</param>
/// <param name="Value">The cheapest of what it watches.</param>
/// <param name="Cheapest">What that is, where it watches more than one thing; of hosts, where it is.</param>
public sealed record PriceAlertView(Guid Id, string Name, string Sentence, AlertState State, DateTimeOffset Since, HourlyRate? Threshold, HourlyRate? Value, string? Cheapest, int Fired, DateTimeOffset? SnoozedUntil)
{
    /// <summary>It asks the market itself, for hosts of its own.</summary>
    public bool OnHosts { get; init; }

    /// <summary>When it last did; null: not yet.</summary>
    public DateTimeOffset? AskedAt { get; init; }
}

/// <param name="Models">What the markets of the team have, as <paramref name="VramGb"/> and <paramref name="Counts"/>: what a filter can be made of.</param>
public sealed record PriceAlertList(IReadOnlyList<PriceAlertView> Alerts, IReadOnlyList<string> Models, IReadOnlyList<int> VramGb, IReadOnlyList<int> Counts);

/// <summary>Price alerts of a team: seeing, making, silencing and taking them away.</summary>
public sealed class PriceAlertDesk(AppDatabase database, ChangeFeed changes, TimeProvider time)
{
    public const int Most = 50;
    public const int MostModels = 8;
    private static readonly PriceFilter Anything = new([], null, null, null);
    private static readonly TimeSpan Month = TimeSpan.FromDays(30);

    public async Task<PriceAlertList> ListAsync(TeamContext team, CancellationToken ct)
    {
        team.Require(Permission.See);
        var now = time.GetUtcNow();
        await using var db = await database.ForTeamAsync(team, ct);
        var all = await PriceAlerts.SeriesAsync(db, team.TeamId, Anything, ct);
        var alerts = new List<PriceAlertView>();
        foreach (var row in (await db.PriceAlerts.AsNoTracking().ToListAsync(ct)).OrderBy(a => a.State == AlertState.Normal).ThenBy(a => a.CreatedAt))
        {
            var filter = row.Filter;
            var series = all.Where(s => filter.Holds(s.Value)).Select(s => s.Key).ToList();
            var (value, best) = row.Hosts is null ? await CheapestAsync(db, all, series, row.Measure, now, ct)
                : PriceAlerts.CheapestAnswer(row, now) is { Price: { } price } answer ? (new HourlyRate(price), answer.Place) : ((HourlyRate?)null, null);
            alerts.Add(new PriceAlertView(
                row.Id, filter.Words(), Sentence(row.Measure, row.Below is { } below ? new HourlyRate(below) : null, row.BelowPercent, row.HoldFor), row.State, row.Since,
                await PriceAlerts.ThresholdAsync(db, row, series, now, ct), value, best, row.Fired, row.SnoozedUntil > now ? row.SnoozedUntil : null)
            {
                AskedAt = row.Answers.Max(a => a.At),
                OnHosts = row.Hosts is not null,
            });
        }

        return new PriceAlertList(
            alerts, [.. all.Values.Select(s => s.GpuName).Distinct().Order(StringComparer.Ordinal)], [.. all.Values.Select(s => s.VramGb).Distinct().Order()], [.. all.Values.Select(s => s.GpuCount).Distinct().Order()]);
    }

    /// <summary>How often it would have fired in the last 30 days; null while too little is known, as always of hosts of its own: nobody has asked for them yet.</summary>
    public async Task<int?> PreviewAsync(TeamContext team, WantedAlert wanted, CancellationToken ct)
    {
        team.Require(Permission.See);
        var now = time.GetUtcNow();
        await using var db = await database.ForTeamAsync(team, ct);
        var series = (await PriceAlerts.SeriesAsync(db, team.TeamId, wanted.Filter, ct)).Keys.ToList();
        var hours = await PriceAlerts.HoursAsync(db, series, wanted.Measure, now - Month, ct);
        return wanted.Filter.Hosts is null && hours.Count > 0 && await PriceAlerts.ThresholdAsync(db, Row(team, wanted, now), series, now, ct) is { } threshold ? PriceAlertRules.WouldHaveFired(hours, threshold, wanted.HoldFor) : null;
    }

    /// <returns>Null when it was made; else a sentence that says what is wrong.</returns>
    public async Task<string?> CreateAsync(TeamContext team, WantedAlert wanted, CancellationToken ct)
    {
        team.Require(Permission.StartJobs);
        if (wanted is { Below: null, BelowPercent: not (> 0 and <= 50) } or { Below.MicrosPerHour: <= 0 } || wanted.HoldFor < TimeSpan.Zero || wanted.HoldFor > TimeSpan.FromDays(1))
        {
            return "Enter dollars per GPU-hour above zero, or a share from 1 to 50%.";
        }

        await using var db = await database.ForTeamAsync(team, ct);
        if (wanted.Filter.GpuNames.Count > MostModels)
        {
            return $"Choose at most {MostModels} models, or any GPU.";
        }

        if (wanted.Filter is { Hosts: not null } narrowed && (narrowed is not { GpuCount: not null, Rental: not null } || wanted.Measure == PriceMeasure.Median))
        {
            return "Where hosts are narrowed down, choose the number of GPUs, on demand or a bid, and the lowest price or the fifth cheapest: it is one search of the market.";
        }

        if ((await PriceAlerts.SeriesAsync(db, team.TeamId, wanted.Filter, ct)).Count == 0)
        {
            return $"No prices are known of {wanted.Filter.Words()}. Choose other models, less memory or another number of GPUs.";
        }

        if (await db.PriceAlerts.CountAsync(ct) >= Most)
        {
            return $"A team has at most {Most} price alerts. Take one away first.";
        }

        db.Add(Row(team, wanted, time.GetUtcNow()));
        await db.SaveChangesAsync(ct);
        changes.Publish(team.TeamId);
        return null;
    }

    /// <summary>Says nothing for <paramref name="span"/>; what is said already is resolved by a person, or by the price.</summary>
    public async Task SnoozeAsync(TeamContext team, Guid id, TimeSpan span, CancellationToken ct)
    {
        team.Require(Permission.StartJobs);
        var until = time.GetUtcNow() + span;
        await using var db = await database.ForTeamAsync(team, ct);
        await db.PriceAlerts.Where(a => a.Id == id).ExecuteUpdateAsync(set => set.SetProperty(a => a.SnoozedUntil, span > TimeSpan.Zero ? until : null), ct);
        changes.Publish(team.TeamId);
    }

    public async Task DeleteAsync(TeamContext team, Guid id, CancellationToken ct)
    {
        team.Require(Permission.StartJobs);
        var now = time.GetUtcNow();
        await using var db = await database.ForTeamAsync(team, ct);
        if (await db.PriceAlerts.Where(a => a.Id == id).ExecuteDeleteAsync(ct) > 0)
        {
            await db.Inbox.Where(i => i.Key == $"price-alert/{id}" && i.ResolvedAt == null).ExecuteUpdateAsync(set => set.SetProperty(i => i.ResolvedAt, now), ct);
            changes.Publish(team.TeamId);
        }
    }

    public static string Sentence(PriceMeasure measure, HourlyRate? below, int? percent, TimeSpan holdFor) =>
        $"{measure switch { PriceMeasure.Lowest => "lowest price", PriceMeasure.Fifth => "fifth cheapest", PriceMeasure.Median => "median" }} "
        + (below is { } rate ? $"at most {rate.Words()}" : $"among the cheapest {percent}% of 30 days")
        + (holdFor > TimeSpan.Zero ? $" for {(int)holdFor.TotalMinutes} min" : "");

    private static PriceAlertRow Row(TeamContext team, WantedAlert wanted, DateTimeOffset now) => new()
    {
        Id = Guid.CreateVersion7(now), TeamId = team.TeamId, GpuNames = string.Join(',', wanted.Filter.GpuNames), MinVramGb = wanted.Filter.MinVramGb, GpuCount = wanted.Filter.GpuCount, Rental = wanted.Filter.Rental, Hosts = wanted.Filter.Hosts,
        Measure = wanted.Measure, Below = wanted.Below?.MicrosPerHour, BelowPercent = wanted.Below is null ? wanted.BelowPercent : null,
        HoldFor = wanted.HoldFor, CreatedBy = team.UserId, CreatedAt = now, Since = now, SeenAt = now,
    };

    /// <returns>The cheapest, and what that is where there are several.</returns>
    private static async Task<(HourlyRate? Price, string? Name)> CheapestAsync(AppDbContext db, IReadOnlyDictionary<int, PriceSeries> all, List<int> series, PriceMeasure measure, DateTimeOffset now, CancellationToken ct)
    {
        var from = (now - CheapestSeries.Stands).ToUnixTimeSeconds();
        var cheapest = new CheapestSeries();
        foreach (var row in await db.PricePoints.AsNoTracking().Where(p => series.Contains(p.SeriesId) && p.T > from && p.Kind != PointKind.Provider).OrderBy(p => p.T).ToListAsync(ct))
        {
            var point = row.ToPoint();
            cheapest.See(row.SeriesId, point.At, PriceAlertRules.ValueOf(measure, point));
        }

        return cheapest.At(now) is { } best ? (best.Price, series.Count > 1 ? PriceFilter.NameOf(all[best.Series]) : null) : (null, null);
    }
}
