using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Prices;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Notifications;
using Dashboard.Infrastructure.Persistence;
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
            var from = (alert.SeenAt > now - Newest ? alert.SeenAt : now - Newest).ToUnixTimeSeconds();
            var points = await db.PricePoints.AsNoTracking().Where(p => p.SeriesId == alert.SeriesId && p.T > from && p.Kind != PointKind.Provider).OrderBy(p => p.T).ToListAsync(ct);
            if (points.Count == 0 || await SeriesAsync(db, alert, ct) is not { } series || await ThresholdAsync(db, alert, now, ct) is not { } threshold)
            {
                continue;
            }

            foreach (var point in points.Select(p => p.ToPoint()))
            {
                if (!await MoveAsync(db, alert, series, threshold, point, ct))
                {
                    break; // another server has it
                }
            }
        }
    }

    /// <summary>What the alert fires at, now.</summary>
    /// <returns>Null while too little is known of the last 30 days.</returns>
    public static async Task<HourlyRate?> ThresholdAsync(AppDbContext db, PriceAlertRow alert, DateTimeOffset now, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(db);
        ArgumentNullException.ThrowIfNull(alert);
        if (alert.Below is { } micros)
        {
            return new HourlyRate(micros);
        }

        var hours = await HoursAsync(db, alert.SeriesId, alert.Measure, now - Month, ct);
        return alert.BelowPercent is { } percent && hours.Count >= EnoughHours ? PriceStatistics.Quantile([.. hours.Select(h => h.Price).Order()], percent) : null;
    }

    /// <summary>The measure of each hour since <paramref name="since"/>, where a poll told it; by rising time.</summary>
    public static async Task<IReadOnlyList<HourPrice>> HoursAsync(AppDbContext db, int series, PriceMeasure measure, DateTimeOffset since, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(db);
        var from = (int)(since.ToUnixTimeSeconds() / HourSeconds);
        var hours = await db.PriceHours.AsNoTracking().Where(h => h.SeriesId == series && h.T >= from).OrderBy(h => h.T).ToListAsync(ct);
        return [.. hours.Select(h => (h.T, Bucket: h.ToBucket()))
            .Select(h => (h.T, Price: measure switch { PriceMeasure.Lowest => h.Bucket.Min, PriceMeasure.Fifth => h.Bucket.Fifth, PriceMeasure.Median => h.Bucket.Quantiles?.Median }))
            .Where(h => h.Price is not null).Select(h => new HourPrice(DateTimeOffset.FromUnixTimeSeconds((long)h.T * HourSeconds), h.Price!.Value))];
    }

    // A simulated price alarms nobody who has a real connection.
    private static async Task<PriceSeriesRow?> SeriesAsync(AppDbContext db, PriceAlertRow alert, CancellationToken ct)
    {
        var series = await db.PriceSeries.AsNoTracking().SingleOrDefaultAsync(s => s.Id == alert.SeriesId, ct);
        var connections = await db.Connections.AsNoTracking().Where(c => c.TeamId == alert.TeamId && c.Status != ConnectionStatus.Removed).Select(c => c.Market).ToListAsync(ct);
        return series is null || !connections.Contains(series.Market) || (series.Simulated && connections.Exists(m => !m.Simulated)) ? null : series;
    }

    private async Task<bool> MoveAsync(AppDbContext db, PriceAlertRow alert, PriceSeriesRow series, HourlyRate threshold, PricePoint point, CancellationToken ct)
    {
        var value = PriceAlertRules.ValueOf(alert.Measure, point);
        var (standing, turn) = PriceAlertRules.Next(new AlertStanding(alert.State, alert.Since), value, threshold, alert.HoldFor, point.At);
        var (id, seen, quiet) = (alert.Id, alert.SeenAt, alert.SnoozedUntil > point.At);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var mine = await db.PriceAlerts.Where(a => a.Id == id && a.SeenAt == seen).ExecuteUpdateAsync(
            set => set.SetProperty(a => a.State, standing.State).SetProperty(a => a.Since, standing.Since).SetProperty(a => a.SeenAt, point.At).SetProperty(a => a.Fired, a => a.Fired + (turn == AlertTurn.Fired ? 1 : 0)), ct);
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
                var (title, detail) = ($"{series.GpuName}: {Words(alert.Measure)} {value!.Value.Words()}", $"At most {threshold.Words()} for {(int)alert.HoldFor.TotalMinutes} min, GPU only, on {series.Market.Name}. Nothing was rented, it cost $0.00.");
                if (open is null)
                {
                    db.Inbox.Add(new InboxItem { TeamId = alert.TeamId, Kind = InboxKinds.PriceAlert, Key = key, Title = title, Detail = detail, Link = $"prices?gpu={Uri.EscapeDataString(series.GpuName)}", Action = "See prices", Since = point.At, At = point.At });
                }
                else
                {
                    (open.Title, open.Detail, open.At) = (title, detail, point.At);
                }

                Outbox.AnnounceItem(db, alert.TeamId, OutboxKinds.PriceReached, key, open?.Since ?? point.At, $"/{point.At.ToUnixTimeMilliseconds()}", time.GetUtcNow());
            }
            else if (open is not null)
            {
                (open.ResolvedAt, open.Detail) = (point.At, $"{open.Detail} Over: {value!.Value.Words()} again.");
                Outbox.AnnounceItem(db, alert.TeamId, OutboxKinds.PriceOver, key, open.Since, $"/{point.At.ToUnixTimeMilliseconds()}", time.GetUtcNow());
            }

            await db.SaveChangesAsync(ct);
        }

        await transaction.CommitAsync(ct);
        (alert.State, alert.Since, alert.SeenAt) = (standing.State, standing.Since, point.At);
        if (turn != AlertTurn.None)
        {
            changes.Publish(alert.TeamId);
        }

        return true;
    }

    private static string Words(PriceMeasure measure) => measure switch { PriceMeasure.Lowest => "lowest price", PriceMeasure.Fifth => "fifth cheapest", PriceMeasure.Median => "median" };
}
