using System.Collections.Concurrent;
using Dashboard.Domain;
using Dashboard.Domain.Catalog;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Prices;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Prices;

/// <summary>
/// Polls the series that are due. The rows name the next poll and the day's count of rows; a tick only looks. An account is
/// polled by one at a time, however many teams connect it, and a series by one account, however many there are.
/// </summary>
public sealed partial class PricePoller(
    AppDatabase database, IMarketplaces marketplaces, IConnectionHealth health, ChangeFeed changes, Node node, IOptions<PricePollingOptions> options, TimeProvider time, ILogger<PricePoller> log)
{
    private const int DepthPage = 64; // more are never returned
    private const int MostDepthPages = 40;
    private const int BackfillsATick = 1;
    private const int SimulatedBackfillsATick = 12;

    /// <summary>Longer than the longest depth poll: who holds an account so long is gone. A restart need not wait for it.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(6);
    private static readonly TimeSpan PauseWithoutWord = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan AskForHistoryAgain = TimeSpan.FromDays(1);
    private static readonly TimeSpan BackfillStep = TimeSpan.FromHours(1);
    private static readonly TimeSpan BackfillWindow = TimeSpan.FromDays(20);

    private readonly ConcurrentDictionary<ConnectionId, long> _counted = new();

    /// <summary>One look at everything that is due.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        if (!options.Value.Poll)
        {
            return;
        }

        List<Connection> connections;
        await using (var db = await database.ForSystemAsync(ct))
        {
            connections = await db.Connections.AsNoTracking().Where(c => c.Status == ConnectionStatus.Works || c.Status == ConnectionStatus.Paused).OrderBy(c => c.CreatedAt).ToListAsync(ct);
        }

        foreach (var market in connections.GroupBy(c => (c.Market.Provider, c.Market.BaseUrl)))
        {
            var accounts = market.GroupBy(c => c.AccountId).Select(a => a.ToList()).ToList();
            var polled = false;
            foreach (var account in accounts)
            {
                polled |= await PollAsync(account, accounts.Count, ct);
            }

            if (polled)
            {
                foreach (var team in market.Select(c => c.TeamId).Distinct())
                {
                    changes.Publish(team);
                }
            }
        }
    }

    /// <param name="connections">Of one account.</param>
    /// <returns>Whether something was stored.</returns>
    private async Task<bool> PollAsync(List<Connection> connections, int accounts, CancellationToken ct)
    {
        var connection = connections[0];
        var now = time.GetUtcNow();
        await SeedAsync(connection.Market, now, ct);
        if (await ClaimAsync(connection, now, ct) is not { } turn)
        {
            return false;
        }

        var stored = false;
        try
        {
            await CountPeopleAsync(turn, connections, ct);
            var simulated = connection.Market.Simulated;
            turn.Searches = simulated ? options.Value.SimulatedSearchesPerMinute : options.Value.SearchesPerMinute;
            turn.Marketplace = marketplaces.For(connection);
            turn.Alerts = await AlertsOnHostsAsync(connections, ct);
            var all = await DueAsync(turn, accounts, now, ct);
            await AskForAlertsAsync(turn, ct);
            foreach (var due in all)
            {
                if (turn.Searches <= 0)
                {
                    break;
                }

                stored |= due.Depth ? await PollDepthAsync(turn, due, ct) : await PollFloorAsync(turn, due, ct);
            }

            stored |= await BackfillAsync(turn, simulated ? SimulatedBackfillsATick : BackfillsATick, ct);
        }
        catch (RateLimitedException limited)
        {
            await StopAsync(turn, time.GetUtcNow() + (limited.RetryAfter ?? PauseWithoutWord), limited.Message, ct);
        }
        catch (CredentialRejectedException refused)
        {
            await health.BreakAsync(connection, refused.Message, ct);
        }
        catch (MarketplaceException fault)
        {
            NotPolled(connection.Market.Name, fault.Message); // the rows are due again when their claim ends
        }
        finally
        {
            await ReleaseAsync(turn);
        }

        return stored;
    }

    /// <summary>The series that a market begins with: every model whose price is known, one GPU, on demand and by bid. What polls find besides is added.</summary>
    private async Task SeedAsync(Market market, DateTimeOffset now, CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        if (await OfMarket(db, market).AnyAsync(ct))
        {
            return;
        }

        var models = GpuCatalog.All.Where(m => m.LowUsd is not null).OrderBy(m => m.Name, StringComparer.Ordinal).ToList();
        foreach (var (rental, wait) in new[] { (RentalType.OnDemand, TimeSpan.Zero), (RentalType.Interruptible, TimeSpan.FromMinutes(1)) })
        {
            db.AddRange(models.Select(m => PriceSeriesRow.Of(new PriceSeries(market, m.Name, m.VramGib, 1, rental, VerifiedOnly: true), now + wait)));
        }

        await SaveUnlessThereAsync(db, ct);
    }

    private static IQueryable<PriceSeriesRow> OfMarket(AppDbContext db, Market market) => db.PriceSeries.Where(s => s.Provider == market.Provider && s.BaseUrl == market.BaseUrl);

    private static IQueryable<PriceAccountRow> Row(AppDbContext db, Turn turn) =>
        db.PriceAccounts.Where(a => a.Provider == turn.Provider && a.BaseUrl == turn.BaseUrl && a.AccountId == turn.AccountId);

    // Another node may have been faster; the unique index decides and its row is as good.
    private static async Task SaveUnlessThereAsync(AppDbContext db, CancellationToken ct)
    {
        try
        {
            await db.SaveChangesAsync(ct);
        }
        catch (DbUpdateException error) when (error.InnerException is Microsoft.Data.Sqlite.SqliteException { SqliteErrorCode: 19 })
        {
            db.ChangeTracker.Clear();
        }
    }

    /// <summary>Takes the account, unless somebody polls it or the provider wanted no more.</summary>
    private async Task<Turn?> ClaimAsync(Connection connection, DateTimeOffset now, CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        var turn = new Turn { Connection = connection };
        var row = await Row(db, turn).AsNoTracking().SingleOrDefaultAsync(ct);
        if (row is null)
        {
            db.Add(new PriceAccountRow { Provider = turn.Provider, BaseUrl = turn.BaseUrl, AccountId = turn.AccountId, Day = PriceAccountRow.DayOf(now) });
            await SaveUnlessThereAsync(db, ct);
            row = await Row(db, turn).AsNoTracking().SingleAsync(ct);
        }

        if (row.StoppedUntil > now)
        {
            return null;
        }

        var claimed = await Row(db, turn).Where(a => a.Fence == row.Fence && (a.LeaseUntil == null || a.LeaseUntil < now)).ExecuteUpdateAsync(
            set => set.SetProperty(a => a.LeaseOwner, node.Name).SetProperty(a => a.LeaseUntil, now + Lease).SetProperty(a => a.Fence, row.Fence + 1)
                .SetProperty(a => a.StoppedUntil, (DateTimeOffset?)null).SetProperty(a => a.StoppedWhy, (string?)null), ct);
        (turn.Fence, turn.NoHistoryUntil) = (row.Fence + 1, row.NoHistoryUntil);
        return claimed == 0 ? null : turn;
    }

    private async Task ReleaseAsync(Turn turn)
    {
        await using var db = await database.ForSystemAsync(CancellationToken.None); // also when the server stops: the next one need not wait
        await Row(db, turn).Where(a => a.Fence == turn.Fence).ExecuteUpdateAsync(
            set => set.SetProperty(a => a.LeaseOwner, (string?)null).SetProperty(a => a.LeaseUntil, (DateTimeOffset?)null), CancellationToken.None);
    }

    private async Task StopAsync(Turn turn, DateTimeOffset until, string why, CancellationToken ct)
    {
        Stopped(turn.Connection.Market.Name, until, why);
        await using var db = await database.ForSystemAsync(ct);
        await Row(db, turn).ExecuteUpdateAsync(set => set.SetProperty(a => a.StoppedUntil, until).SetProperty(a => a.StoppedWhy, why), ct);
    }

    /// <summary>What people's and jobs' searches were given since the last tick.</summary>
    private async Task CountPeopleAsync(Turn turn, List<Connection> connections, CancellationToken ct)
    {
        var rows = 0;
        foreach (var connection in connections)
        {
            var seen = marketplaces.For(connection).RowsSearched;
            rows += (int)Math.Min(int.MaxValue / 2, seen - _counted.GetValueOrDefault(connection.Id));
            _counted[connection.Id] = seen;
        }

        await CountAsync(turn, used => used with { People = used.People + rows }, ct);
    }

    /// <summary>Changes the day's counts; a new day begins at nothing.</summary>
    private async Task CountAsync(Turn turn, Func<RowsUsed, RowsUsed> change, CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        await CountAsync(db, turn, change, ct);
    }

    private async Task CountAsync(AppDbContext db, Turn turn, Func<RowsUsed, RowsUsed> change, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var row = await Row(db, turn).AsNoTracking().SingleAsync(ct);
        var used = change(row.UsedOn(now));
        await Row(db, turn).ExecuteUpdateAsync(
            set => set.SetProperty(a => a.Day, PriceAccountRow.DayOf(now)).SetProperty(a => a.FloorRows, Math.Max(0, used.Floor)).SetProperty(a => a.DepthRows, Math.Max(0, used.Depth)).SetProperty(a => a.PeopleRows, Math.Max(0, used.People)), ct);
        turn.Used = used;
    }

    /// <summary>Watched and recently used series first; among equals who waited longest.</summary>
    private async Task<IReadOnlyList<Due>> DueAsync(Turn turn, int accounts, DateTimeOffset now, CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        var market = turn.Connection.Market;
        var used = await UsedAsync(db, market, now - options.Value.RecentlyUsed, ct);
        await AddMissingAsync(db, market, used, now, ct);
        var series = await OfMarket(db, market).AsNoTracking().ToListAsync(ct);
        var watched = await db.PriceWatches.Select(w => w.SeriesId).Distinct().ToListAsync(ct);
        var often = series.Where(s => watched.Contains(s.Id) || used.Contains(s.Series)).Select(s => s.Id).ToHashSet();
        var ration = new RowRation(options.Value.RowsPerDay * accounts);
        turn.Often = often;
        var asks = often.Count + turn.Alerts.Count;
        var (oftenEvery, rotationEvery) = (PollPlan.FloorInterval(true, asks, series.Count - often.Count, ration), PollPlan.FloorInterval(false, asks, series.Count - often.Count, ration));
        turn.OftenEvery = oftenEvery;
        IEnumerable<Due> floors = series.Where(s => s.NextFloorAt <= now).Where(s => !(s.ClaimedUntil > now)).Select(s => new Due(s, often.Contains(s.Id) ? oftenEvery : rotationEvery, Depth: false)).OrderBy(d => d.Row.NextFloorAt).ThenBy(d => d.Row.Id);
        var depths = series.Where(s => often.Contains(s.Id) && s.NextDepthAt <= now && !(s.ClaimedUntil > now)).OrderBy(s => s.NextDepthAt).ThenBy(s => s.Id).Select(s => new Due(s, oftenEvery, Depth: true)).ToList();
        var deep = depths.Select(d => d.Row.Id).ToHashSet();
        floors = floors.Where(d => !deep.Contains(d.Row.Id)); // a depth poll is a floor poll too
        return [.. depths, .. floors.Where(d => often.Contains(d.Row.Id)), .. floors.Where(d => !often.Contains(d.Row.Id))];
    }

    private static async Task<HashSet<PriceSeries>> UsedAsync(AppDbContext db, Market market, DateTimeOffset since, CancellationToken ct)
    {
        var found = await db.Instances.AsNoTracking().Where(i => i.CreatedAt >= since)
            .Join(db.Connections.Where(c => c.Market.Provider == market.Provider && c.Market.BaseUrl == market.BaseUrl), i => i.ConnectionId, c => c.Id, (i, _) => new { i.GpuName, i.VramMb, i.GpuCount, i.Rental })
            .Distinct().ToListAsync(ct);
        return [.. found.Select(i => new PriceSeries(market, i.GpuName, PriceSeries.VramOf(i.VramMb), i.GpuCount, i.Rental, VerifiedOnly: true))];
    }

    private static async Task AddMissingAsync(AppDbContext db, Market market, IReadOnlyCollection<PriceSeries> wanted, DateTimeOffset now, CancellationToken ct)
    {
        var names = wanted.Select(w => w.GpuName).Distinct().ToList();
        var there = (await OfMarket(db, market).AsNoTracking().Where(s => names.Contains(s.GpuName)).ToListAsync(ct)).Select(s => s.Series).ToHashSet();
        var missing = wanted.Where(w => !there.Contains(w)).ToList();
        if (missing.Count > 0)
        {
            db.AddRange(missing.Select(w => PriceSeriesRow.Of(w, now)));
            await SaveUnlessThereAsync(db, ct);
        }
    }

    private async Task<bool> PollFloorAsync(Turn turn, Due due, CancellationToken ct)
    {
        if (await ReserveAsync(turn, due, PointKind.Floor, PollPlan.FloorRows, ct) is not { } claim)
        {
            return false;
        }

        var page = await turn.Marketplace.SearchPageAsync(due.Row.Series.Query(PollPlan.FloorRows), ct);
        turn.Searches--;
        var complete = !page.Full;
        await CountAsync(turn, used => used with { Floor = used.Floor - PollPlan.FloorRows + page.Rows }, ct);
        return await StoreAsync(turn, due, claim, page.Offers, complete, ct);
    }

    private async Task<bool> PollDepthAsync(Turn turn, Due due, CancellationToken ct)
    {
        if (await ReserveAsync(turn, due, PointKind.Depth, Math.Max(DepthPage, due.Row.DepthRows ?? 0), ct) is not { } claim)
        {
            return false;
        }

        var (offers, rows, reserved) = (new Dictionary<string, Offer>(), 0, Math.Max(DepthPage, due.Row.DepthRows ?? 0));
        HourlyRate? from = null;
        var complete = false;
        for (var pages = 0; pages < MostDepthPages; pages++)
        {
            if (rows + DepthPage > reserved)
            {
                var more = rows + DepthPage - reserved;
                if (new RowRation(options.Value.RowsPerDay).Left(PointKind.Depth, turn.Used) < more)
                {
                    break;
                }

                await CountAsync(turn, used => used with { Depth = used.Depth + more }, ct);
                reserved += more;
            }

            var page = await turn.Marketplace.SearchPageAsync(due.Row.Series.Query(DepthPage) with { MinRate = from }, ct);
            turn.Searches--;
            rows += page.Rows;
            foreach (var offer in page.Offers)
            {
                offers.TryAdd(offer.Id, offer);
            }

            if (!page.Full)
            {
                complete = true;
                break;
            }

            if (page.Highest is null || page.Highest == from)
            {
                break; // a whole page of one price: what comes after it cannot be asked for
            }

            from = page.Highest;
        }

        await CountAsync(turn, used => used with { Depth = used.Depth - reserved + rows }, ct);
        due.Row.DepthRows = rows;
        return await StoreAsync(turn, due, claim, offers.Values, complete, ct);
    }

    /// <summary>Counts the rows before they are asked for, so that a crash can only count too many, and takes the series.</summary>
    /// <returns>Until when it is taken; null: no rows are left for this, or another account has it.</returns>
    private async Task<DateTimeOffset?> ReserveAsync(Turn turn, Due due, PointKind kind, int rows, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        if (new RowRation(options.Value.RowsPerDay).Left(kind, turn.Used) < rows)
        {
            return null;
        }

        await using var db = await database.ForSystemAsync(ct);
        var (id, was, wasDepth, until) = (due.Row.Id, due.Row.NextFloorAt, due.Row.NextDepthAt, Whole(now + Lease));
        var taken = await db.PriceSeries.Where(s => s.Id == id && s.NextFloorAt == was && s.NextDepthAt == wasDepth && (s.ClaimedUntil == null || s.ClaimedUntil < now))
            .ExecuteUpdateAsync(set => set.SetProperty(s => s.ClaimedUntil, until), ct);
        if (taken == 0)
        {
            return null;
        }

        await CountAsync(db, turn, used => kind == PointKind.Depth ? used with { Depth = used.Depth + rows } : used with { Floor = used.Floor + rows }, ct);
        return until;
    }

    private async Task<bool> StoreAsync(Turn turn, Due due, DateTimeOffset claim, IReadOnlyCollection<Offer> offers, bool complete, CancellationToken ct)
    {
        var now = Whole(time.GetUtcNow());
        var own = offers.Where(due.Row.Series.Holds).ToList();
        await using var db = await database.ForSystemAsync(ct);
        await AddMissingAsync(db, turn.Connection.Market, [.. offers.Where(o => o.VramMb > 0 && !due.Row.Series.Holds(o)).Select(o => PriceSeries.Of(turn.Connection.Market, o, due.Row.VerifiedOnly)).Distinct()], now, ct);

        // A cut list whose rows are all of another memory size says nothing about this series.
        SeenPrices[] seen = own.Count > 0 || complete ? [new(due.Row.Id, PriceStatistics.Point(own, now, complete), own)] : [];
        var (id, rows) = (due.Row.Id, due.Row.DepthRows);
        return await PriceStore.StoreAsync(
            db, seen,
            async (db, ct) => await db.PriceSeries.Where(s => s.Id == id && s.ClaimedUntil == claim).ExecuteUpdateAsync(
                set => set.SetProperty(s => s.PolledAt, now).SetProperty(s => s.DepthRows, rows).SetProperty(s => s.ClaimedUntil, (DateTimeOffset?)null).SetProperty(s => s.NextFloorAt, now + due.Every)
                    .SetProperty(s => s.NextDepthAt, s => due.Depth || complete ? now + PollPlan.DepthInterval : s.NextDepthAt), ct) > 0,
            ct);
    }

    /// <summary>Takes over the provider's own past of series that have none yet.</summary>
    private async Task<bool> BackfillAsync(Turn turn, int most, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        if (options.Value.Backfill == TimeSpan.Zero || turn.NoHistoryUntil > now)
        {
            return false;
        }

        await using var db = await database.ForSystemAsync(ct);
        var waiting = await OfMarket(db, turn.Connection.Market).AsNoTracking()
            .Where(s => s.BackfilledAt == null && s.GpuCount == 1 && s.Rental == RentalType.OnDemand).OrderBy(s => s.Id).ToListAsync(ct);
        waiting = [.. waiting.OrderBy(s => !turn.Often.Contains(s.Id)).Take(most)];
        var stored = false;
        foreach (var row in waiting)
        {
            var first = await db.PricePoints.Where(p => p.SeriesId == row.Id).MinAsync(p => (long?)p.T, ct);
            var (begin, end) = (now - options.Value.Backfill, first is { } t ? DateTimeOffset.FromUnixTimeSeconds(t) : now);
            var points = new List<PricePoint>();
            try
            {
                for (var from = begin; from < end; from += BackfillWindow)
                {
                    var to = from + BackfillWindow < end ? from + BackfillWindow : end;
                    var history = await turn.Marketplace.GetPriceHistoryAsync(row.GpuName, row.VerifiedOnly, from, to, BackfillStep, ct);
                    points.AddRange(history.Where(p => p.At >= begin && p.At < end)
                        .Select(p => new PricePoint(Whole(p.At), PointKind.Provider, p.Free ?? 0, AtLeast: p.Free is null, null, null, new PriceQuantiles(p.P10, null, p.Median, null, p.P90))));
                }
            }
            catch (CredentialRejectedException)
            {
                // A right that a renter's key does not need.
                await Row(db, turn).ExecuteUpdateAsync(set => set.SetProperty(a => a.NoHistoryUntil, now + AskForHistoryAgain), ct);
                return stored;
            }

            stored |= await PriceStore.BackfillAsync(
                db, row.Id, [.. points.DistinctBy(p => p.At)], now,
                async (db, ct) => await db.PriceSeries.Where(s => s.Id == row.Id && s.BackfilledAt == null).ExecuteUpdateAsync(set => set.SetProperty(s => s.BackfilledAt, now), ct) > 0, ct);
        }

        return stored;
    }

    private static DateTimeOffset Whole(DateTimeOffset at) => DateTimeOffset.FromUnixTimeSeconds(at.ToUnixTimeSeconds());

    /// <param name="Every">From this poll to the next one of its floor.</param>
    private sealed record Due(PriceSeriesRow Row, TimeSpan Every, bool Depth);

    /// <summary>One account while it is polled.</summary>
    private sealed class Turn
    {
        public required Connection Connection { get; init; }

        public Provider Provider => Connection.Market.Provider;

        public string BaseUrl => Connection.Market.BaseUrl;

        public string AccountId => Connection.AccountId;

        public IMarketplace Marketplace { get; set; } = null!;

        public long Fence { get; set; }

        public DateTimeOffset? NoHistoryUntil { get; set; }

        /// <summary>Watched and recently used series.</summary>
        public IReadOnlySet<int> Often { get; set; } = new HashSet<int>();

        /// <summary>From one poll of those to the next.</summary>
        public TimeSpan OftenEvery { get; set; }

        /// <summary>Alerts on hosts of their own; each is polled like a watched series.</summary>
        public IReadOnlyList<PriceAlertRow> Alerts { get; set; } = [];

        public RowsUsed Used { get; set; }

        /// <summary>Left in this tick.</summary>
        public int Searches { get; set; }
    }

    [LoggerMessage(EventId = 2501, Level = LogLevel.Warning, Message = "{Market} was not polled for prices: {Fault}")]
    private partial void NotPolled(string market, string fault);

    [LoggerMessage(EventId = 2502, Level = LogLevel.Warning, Message = "Prices of {Market} are not polled until {Until:O}: {Why}")]
    private partial void Stopped(string market, DateTimeOffset until, string why);
}
