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
public sealed record WantedAlert(int SeriesId, PriceMeasure Measure, HourlyRate? Below, int? BelowPercent, TimeSpan HoldFor);

/// <param name="Threshold">What it fires at now; null while too little is known.</param>
public sealed record PriceAlertView(Guid Id, string Name, string Sentence, AlertState State, DateTimeOffset Since, HourlyRate? Threshold, HourlyRate? Value, int Fired, DateTimeOffset? SnoozedUntil);

public sealed record PriceAlertList(IReadOnlyList<PriceAlertView> Alerts, IReadOnlyList<(int SeriesId, string Name)> Series);

/// <summary>Price alerts of a team: seeing, making, silencing and taking them away.</summary>
public sealed class PriceAlertDesk(AppDatabase database, ChangeFeed changes, TimeProvider time)
{
    public const int Most = 50;
    private static readonly TimeSpan Month = TimeSpan.FromDays(30);

    public async Task<PriceAlertList> ListAsync(TeamContext team, CancellationToken ct)
    {
        team.Require(Permission.See);
        var now = time.GetUtcNow();
        await using var db = await database.ForTeamAsync(team, ct);
        var series = await SeriesAsync(db, ct);
        var alerts = new List<PriceAlertView>();
        foreach (var row in (await db.PriceAlerts.AsNoTracking().ToListAsync(ct)).Where(a => series.ContainsKey(a.SeriesId)).OrderBy(a => a.State == AlertState.Normal).ThenBy(a => a.CreatedAt))
        {
            var latest = await db.PricePoints.AsNoTracking().Where(p => p.SeriesId == row.SeriesId && p.Kind != PointKind.Provider).OrderByDescending(p => p.T).FirstOrDefaultAsync(ct);
            alerts.Add(new PriceAlertView(
                row.Id, series[row.SeriesId], Sentence(row.Measure, row.Below is { } below ? new HourlyRate(below) : null, row.BelowPercent, row.HoldFor), row.State, row.Since,
                await PriceAlerts.ThresholdAsync(db, row, now, ct), latest is null ? null : PriceAlertRules.ValueOf(row.Measure, latest.ToPoint()), row.Fired, row.SnoozedUntil > now ? row.SnoozedUntil : null));
        }

        return new PriceAlertList(alerts, [.. series.OrderBy(s => s.Value, StringComparer.Ordinal).Select(s => (s.Key, s.Value))]);
    }

    /// <summary>How often it would have fired in the last 30 days; null while too little is known.</summary>
    public async Task<int?> PreviewAsync(TeamContext team, WantedAlert wanted, CancellationToken ct)
    {
        team.Require(Permission.See);
        var now = time.GetUtcNow();
        await using var db = await database.ForTeamAsync(team, ct);
        if (!(await SeriesAsync(db, ct)).ContainsKey(wanted.SeriesId))
        {
            return null;
        }

        var hours = await PriceAlerts.HoursAsync(db, wanted.SeriesId, wanted.Measure, now - Month, ct);
        return hours.Count > 0 && await PriceAlerts.ThresholdAsync(db, Row(team, wanted, now), now, ct) is { } threshold ? PriceAlertRules.WouldHaveFired(hours, threshold, wanted.HoldFor) : null;
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
        if (!(await SeriesAsync(db, ct)).ContainsKey(wanted.SeriesId))
        {
            return "Choose a GPU model.";
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
        Id = Guid.CreateVersion7(now), TeamId = team.TeamId, SeriesId = wanted.SeriesId, Measure = wanted.Measure, Below = wanted.Below?.MicrosPerHour, BelowPercent = wanted.Below is null ? wanted.BelowPercent : null,
        HoldFor = wanted.HoldFor, CreatedBy = team.UserId, CreatedAt = now, Since = now, SeenAt = now,
    };

    /// <summary>Series of the markets that the team has connections to; of the real ones alone when there is one.</summary>
    private static async Task<Dictionary<int, string>> SeriesAsync(AppDbContext db, CancellationToken ct)
    {
        var markets = (await db.Connections.AsNoTracking().Where(c => c.Status != ConnectionStatus.Removed).Select(c => c.Market).ToListAsync(ct)).Distinct().ToList();
        if (markets.Exists(m => !m.Simulated))
        {
            markets.RemoveAll(m => m.Simulated);
        }

        var rows = (await db.PriceSeries.AsNoTracking().Where(s => s.VerifiedOnly).ToListAsync(ct)).Where(r => markets.Contains(r.Market)).ToList();
        var sizes = rows.GroupBy(r => r.GpuName).ToDictionary(g => g.Key, g => g.Select(r => r.VramGb).Distinct().Count());
        return rows.ToDictionary(r => r.Id, r => $"{r.GpuName}{(sizes[r.GpuName] > 1 ? $" {r.VramGb}GB" : "")}{(r.GpuCount > 1 ? $" ×{r.GpuCount}" : "")}{(r.Rental == Domain.Marketplaces.RentalType.Interruptible ? " bid" : "")}");
    }
}
