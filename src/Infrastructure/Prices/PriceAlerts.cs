using System.Globalization;
using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Prices;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Notifications;
using Dashboard.Infrastructure.Persistence;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Prices;

/// <summary>
/// Moves price alerts on by the points that came since each was last looked at. Where an alert stands, and what it says in
/// the inbox, change in one transaction that only the first of several servers can make: nothing is said twice or lost.
/// </summary>
public sealed class PriceAlerts(AppDatabase database, ChangeFeed changes, TimeProvider time)
{
    private const int EnoughHours = 24;
    private const int HourSeconds = 3_600;
    private static readonly TimeSpan Month = TimeSpan.FromDays(30);

    /// <summary>After a longer outage the past is the past: nobody is told of a price of yesterday.</summary>
    private static readonly TimeSpan Newest = TimeSpan.FromHours(6);

    public async Task RunAsync(CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        var now = time.GetUtcNow();
        var alerts = await db.PriceAlerts.AsNoTracking().ToListAsync(ct);
        foreach (var alert in alerts)
        {
            if (alert.Hosts is null)
            {
                await FollowPollsAsync(db, alert, now, ct);
            }
            else
            {
                await FollowAnswersAsync(db, alert, now, ct);
            }
        }
    }

    /// <summary>An alert on what is polled anyway: every point since it was last looked at.</summary>
    private async Task FollowPollsAsync(AppDbContext db, PriceAlertRow alert, DateTimeOffset now, CancellationToken ct)
    {
        var from = (alert.SeenAt > now - Newest ? alert.SeenAt : now - Newest).ToUnixTimeSeconds();
        var series = await SeriesAsync(db, alert.TeamId, alert.Filter, ct);
        var (ids, standing) = (series.Keys.ToList(), from - (long)CheapestSeries.Stands.TotalSeconds);
        if (!await db.PricePoints.AnyAsync(p => ids.Contains(p.SeriesId) && p.T > from && p.Kind != PointKind.Provider, ct) || await ThresholdAsync(db, alert, ids, now, ct) is not { } threshold)
        {
            return;
        }

        var cheapest = new CheapestSeries();
        var points = await db.PricePoints.AsNoTracking().Where(p => ids.Contains(p.SeriesId) && p.T > standing && p.Kind != PointKind.Provider).OrderBy(p => p.T).ToListAsync(ct);
        foreach (var moment in points.Select(p => (p.SeriesId, Point: p.ToPoint())).GroupBy(p => p.Point.At))
        {
            foreach (var (id, point) in moment)
            {
                cheapest.See(id, moment.Key, PriceAlertRules.ValueOf(alert.Measure, point));
            }

            var seen = cheapest.At(moment.Key) is { } best ? Seen.Of(series[best.Series], best.Price, best.SeenAt) : null;
            if (moment.Key.ToUnixTimeSeconds() > from && !await MoveAsync(db, alert, threshold, moment.Key, seen, ct))
            {
                break; // another server has it
            }
        }
    }

    /// <summary>An alert on hosts of its own: the newest answers of its markets.</summary>
    private async Task FollowAnswersAsync(AppDbContext db, PriceAlertRow alert, DateTimeOffset now, CancellationToken ct)
    {
        var newest = alert.Answers.Max(a => a.At);
        if (newest is { } at && at > alert.SeenAt && at > now - Newest
            && await ThresholdAsync(db, alert, (await SeriesAsync(db, alert.TeamId, alert.Filter, ct)).Keys.ToList(), now, ct) is { } threshold)
        {
            await MoveAsync(db, alert, threshold, at, CheapestAnswer(alert, at) is { } answer ? Seen.Of(alert.Filter, answer) : null, ct);
        }
    }

    /// <summary>Of the answers that still stand, the cheapest; null: there is none.</summary>
    public static HostAnswer? CheapestAnswer(PriceAlertRow alert, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(alert);
        return alert.Answers.Where(a => a.Price is not null && now - a.At < CheapestSeries.Stands).OrderBy(a => a.Price).ThenByDescending(a => a.At).FirstOrDefault();
    }

    /// <summary>What the alert fires at, now.</summary>
    /// <param name="series">Those that its filter holds.</param>
    /// <returns>Null while too little is known of the last 30 days.</returns>
    public static async Task<HourlyRate?> ThresholdAsync(AppDbContext db, PriceAlertRow alert, IReadOnlyCollection<int> series, DateTimeOffset now, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(db);
        ArgumentNullException.ThrowIfNull(alert);
        if (alert.Below is { } micros)
        {
            return new HourlyRate(micros);
        }

        var hours = await HoursAsync(db, series, alert.Measure, now - Month, ct);
        return alert.BelowPercent is { } percent && hours.Count >= EnoughHours ? PriceStatistics.Quantile([.. hours.Select(h => h.Price).Order()], percent) : null;
    }

    /// <summary>The measure of each hour since <paramref name="since"/> in the cheapest of the series, where a poll of one told it; by rising time.</summary>
    public static async Task<IReadOnlyList<HourPrice>> HoursAsync(AppDbContext db, IReadOnlyCollection<int> series, PriceMeasure measure, DateTimeOffset since, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(db);
        var (ids, from, cheapest, prices) = (series.ToList(), (int)(since.ToUnixTimeSeconds() / HourSeconds), new CheapestSeries(), new List<HourPrice>());
        var hours = await db.PriceHours.AsNoTracking().Where(h => ids.Contains(h.SeriesId) && h.T >= from).OrderBy(h => h.T).ToListAsync(ct);
        foreach (var hour in hours.GroupBy(h => h.T))
        {
            var (at, told) = (DateTimeOffset.FromUnixTimeSeconds((long)hour.Key * HourSeconds), false);
            foreach (var (id, bucket) in hour.Select(h => (h.SeriesId, h.ToBucket())))
            {
                var price = measure switch { PriceMeasure.Lowest => bucket.Min, PriceMeasure.Fifth => bucket.Fifth, PriceMeasure.Median => bucket.Quantiles?.Median };
                cheapest.See(id, at, price);
                told |= price is not null;
            }

            if (told && cheapest.At(at) is { } best)
            {
                prices.Add(new HourPrice(at, best.Price));
            }
        }

        return prices;
    }

    /// <summary>The series that a filter holds, in the markets that the team has connections to; a simulated price alarms nobody who has a real one.</summary>
    public static async Task<IReadOnlyDictionary<int, PriceSeries>> SeriesAsync(AppDbContext db, TeamId team, PriceFilter filter, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(db);
        ArgumentNullException.ThrowIfNull(filter);
        var markets = (await db.Connections.AsNoTracking().Where(c => c.TeamId == team && c.Status != ConnectionStatus.Removed).Select(c => c.Market).ToListAsync(ct)).ToHashSet();
        if (markets.Any(m => !m.Simulated))
        {
            markets.RemoveWhere(m => m.Simulated);
        }

        return (await db.PriceSeries.AsNoTracking().ToListAsync(ct)).Where(s => markets.Contains(s.Market) && filter.Holds(s.Series)).ToDictionary(s => s.Id, s => s.Series);
    }

    private async Task<bool> MoveAsync(AppDbContext db, PriceAlertRow alert, HourlyRate threshold, DateTimeOffset at, Seen? cheapest, CancellationToken ct)
    {
        // That it is still cheap only a poll of the cheapest itself can say; that nothing is cheap any more, any poll.
        var value = cheapest is { } known && (known.At == at || known.Price > threshold) ? known.Price : (HourlyRate?)null;
        var (standing, turn) = PriceAlertRules.Next(new AlertStanding(alert.State, alert.Since), value, threshold, alert.HoldFor, at);
        var (id, seen, quiet) = (alert.Id, alert.SeenAt, alert.SnoozedUntil > at);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var mine = await db.PriceAlerts.Where(a => a.Id == id && a.SeenAt == seen).ExecuteUpdateAsync(
            set => set.SetProperty(a => a.State, standing.State).SetProperty(a => a.Since, standing.Since).SetProperty(a => a.SeenAt, at).SetProperty(a => a.Fired, a => a.Fired + (turn == AlertTurn.Fired ? 1 : 0)), ct);
        if (mine == 0)
        {
            return false;
        }

        var key = $"price-alert/{id}";
        if (turn == AlertTurn.Resolved || (turn == AlertTurn.Fired && !quiet))
        {
            var open = await db.Inbox.SingleOrDefaultAsync(i => i.TeamId == alert.TeamId && i.Key == key && i.ResolvedAt == null, ct);
            if (turn == AlertTurn.Fired)
            {
                var (title, detail) = ($"{cheapest!.Name}: {Words(alert.Measure)} {value!.Value.Words()}", $"At most {threshold.Words()} for {(int)alert.HoldFor.TotalMinutes} min, GPU only, {cheapest.Where}. Nothing was rented, it cost $0.00.");
                if (open is null)
                {
                    db.Inbox.Add(new InboxItem { TeamId = alert.TeamId, Kind = InboxKinds.PriceAlert, Key = key, Title = title, Detail = detail, Link = cheapest.Link, Action = cheapest.Action, Since = at, At = at });
                }
                else
                {
                    (open.Title, open.Detail, open.At, open.Link) = (title, detail, at, cheapest.Link);
                }

                Outbox.AnnounceItem(db, alert.TeamId, OutboxKinds.PriceReached, key, open?.Since ?? at, $"/{at.ToUnixTimeMilliseconds()}", time.GetUtcNow());
            }
            else if (open is not null)
            {
                (open.ResolvedAt, open.Detail) = (at, open.Detail + $" Over: {value!.Value.Words()} again.");
                Outbox.AnnounceItem(db, alert.TeamId, OutboxKinds.PriceOver, key, open.Since, $"/{at.ToUnixTimeMilliseconds()}", time.GetUtcNow());
            }

            await db.SaveChangesAsync(ct);
        }

        await transaction.CommitAsync(ct);
        (alert.State, alert.Since, alert.SeenAt) = (standing.State, standing.Since, at);
        if (turn != AlertTurn.None)
        {
            changes.Publish(alert.TeamId);
        }

        return true;
    }

    private static string Words(PriceMeasure measure) => measure switch { PriceMeasure.Lowest => "lowest price", PriceMeasure.Fifth => "fifth cheapest", PriceMeasure.Median => "median" };

    /// <summary>The cheapest of what an alert watches.</summary>
    /// <param name="Name">For people.</param>
    /// <param name="Where">As the end of a sentence.</param>
    /// <param name="Link">Below the team's address, where it is to be seen.</param>
    /// <param name="Action">What following the link does.</param>
    private sealed record Seen(string Name, HourlyRate Price, DateTimeOffset At, string Where, string Link, string Action)
    {
        public static Seen Of(PriceSeries series, HourlyRate price, DateTimeOffset at) =>
            new(PriceFilter.NameOf(series), price, at, $"on {series.Market.Name}", QueryHelpers.AddQueryString("prices", Parameters(("gpu", series.GpuName), ("count", Several(series.GpuCount)), ("type", Bid(series.Rental)))), "See prices");

        /// <summary>The link is the same filter on the Market page.</summary>
        public static Seen Of(PriceFilter filter, HostAnswer answer)
        {
            var (hosts, count) = (filter.Hosts!, filter.GpuCount ?? 1);
            var link = QueryHelpers.AddQueryString("market", Parameters(
                ("gpu", answer.GpuName), ("count", Several(count)), ("vram", Text(filter.MinVramGb)), ("rel", Text(hosts.ReliabilityPercent)), ("down", Text(hosts.DownloadMbps)), ("cuda", Text(hosts.Cuda)), ("days", Text(hosts.ContractDays)),
                ("verified", hosts.Unverified ? "0" : null), ("type", Bid(filter.Rental))));
            return new(
                PriceFilter.NameOf(answer.GpuName!, count, filter.Rental), new HourlyRate(answer.Price!.Value), answer.At!.Value,
                $"{hosts.Words()}, on {answer.Market.Name}{(answer.Place is { } place ? $", the cheapest in {place}" : "")}", link, "See offers");
        }

        private static string? Several(int count) => count > 1 ? Text(count) : null;

        private static string? Bid(RentalType? rental) => rental == RentalType.Interruptible ? "bid" : null;

        private static string? Text(IFormattable? value) => value?.ToString(null, CultureInfo.InvariantCulture);

        private static IEnumerable<KeyValuePair<string, string?>> Parameters(params (string Name, string? Value)[] parameters) => parameters.Select(p => KeyValuePair.Create(p.Name, p.Value));
    }
}
