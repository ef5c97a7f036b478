using System.Text.Json;
using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Prices;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Tests.Shared;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Tests.Prices;

[Collection(nameof(PricesSandbox))]
public sealed class PricePollerTests(PricesSandbox shared) : IAsyncLifetime
{
    private static readonly (string, string) NoBackfill = ("Prices:Backfill", "00:00:00");

    private static readonly (string, string) FewAtATime = ("Prices:SimulatedSearchesPerMinute", "5");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private SandboxProcess Sandbox => shared.Sandbox;

    public async ValueTask InitializeAsync()
    {
        await Sandbox.SwitchAsync(HttpMethod.Put, "/limits", """{"mode":"off","rows_a_day":null}""", Ct);
        await Sandbox.SwitchAsync(HttpMethod.Delete, "/faults", ct: Ct);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task A_tick_stores_a_point_of_every_series_that_is_due_and_the_next_tick_asks_nobody()
    {
        await using var host = await PriceHost.StartAsync(NoBackfill, ("Prices:SimulatedSearchesPerMinute", "20"));
        await host.ConnectAsync(Sandbox);
        await host.TickAsync();
        Assert.Equal(20, await SearchesAsync(host));

        await PollAllAsync(host);
        var points = await host.ReadAsync(db => db.PricePoints.AsNoTracking().ToListAsync(Ct));
        Assert.Equal(points.Count, points.Select(p => p.SeriesId).Distinct().Count()); // each once
        Assert.All(points, point => Assert.Equal(point.Kind == PointKind.Floor, point.AtLeast));
        Assert.All(points.Where(p => p.Kind == PointKind.Floor), point => Assert.Null(point.Median));
        Assert.Contains(points, p => p is { Kind: PointKind.Depth, Median: not null });

        var before = await SearchesAsync(host);
        await host.TickAsync();
        Assert.Equal(before, await SearchesAsync(host));
    }

    [Fact]
    public async Task A_watched_series_gets_every_offer_of_the_market_four_times_a_day()
    {
        await using var host = await PriceHost.StartAsync(NoBackfill, FewAtATime);
        var connection = await host.ConnectAsync(Sandbox);
        await host.TickAsync();
        var series = await WatchAsync(host, connection, await MostOfferedAsync(host, connection));
        var watched = host.Time.GetUtcNow().ToUnixTimeSeconds();
        for (var tick = 0; tick < 24; tick++)
        {
            host.Time.Advance(TimeSpan.FromHours(1));
            await host.TickAsync();
        }

        var points = await host.ReadAsync(db => db.PricePoints.AsNoTracking().Where(p => p.SeriesId == series.Id && p.T > watched).OrderBy(p => p.T).ToListAsync(Ct));
        Assert.InRange(points.Count(p => p.Kind == PointKind.Depth), 4, 6);
        Assert.Equal(24, points.Count); // every tick, floor or depth
        var page = await host.Marketplaces.For(connection).SearchPageAsync(series.Series.Query(64), Ct);
        var last = points.Last(p => p.Kind == PointKind.Depth);
        var there = page.Offers.Count(series.Series.Holds);
        Assert.InRange(last.Count, there - 3, there + 3); // the market moves meanwhile
        Assert.True(last is { Min: { } min, P25: { } p25, Median: { } median, P75: { } p75 } && min <= p25 && p25 <= median && median <= p75);
    }

    [Fact]
    public async Task Two_servers_and_two_teams_on_one_account_poll_everything_once()
    {
        await using var host = await PriceHost.StartAsync(NoBackfill);
        await host.ConnectAsync(Sandbox);
        await host.ConnectAsync(Sandbox);
        var other = host.AnotherPoller();
        for (var tick = 0; tick < 4; tick++)
        {
            await Task.WhenAll(Task.Run(host.TickAsync, Ct), Task.Run(() => other.RunAsync(Ct), Ct));
            host.Time.Advance(TimeSpan.FromSeconds(10));
        }

        var points = await host.ReadAsync(db => db.PricePoints.AsNoTracking().ToListAsync(Ct));
        Assert.True(points.Count > 30);
        Assert.Equal(points.Count, points.Select(p => p.SeriesId).Distinct().Count());
        Assert.Equal(await host.ReadAsync(db => db.PriceSeries.CountAsync(s => s.PolledAt != null, Ct)), await SearchesAsync(host));
        Assert.Equal("314159", (await host.ReadAsync(db => db.PriceAccounts.AsNoTracking().SingleAsync(Ct))).AccountId);
    }

    [Fact]
    public async Task The_days_rows_are_never_exceeded_and_what_is_kept_for_people_is_left_to_them()
    {
        await using var host = await PriceHost.StartAsync(NoBackfill, ("Prices:RowsPerDay", "200"));
        var connection = await host.ConnectAsync(Sandbox);
        var marketplace = host.Marketplaces.For(connection);
        await host.TickAsync();
        await WatchAsync(host, connection, "RTX 4090");
        host.Time.SetUtcNow(new DateTimeOffset(host.Time.GetUtcNow().UtcDateTime.Date, TimeSpan.Zero).AddDays(1)); // midnight
        var today = PriceAccountRow.DayOf(host.Time.GetUtcNow());
        var ration = new RowRation(200);
        var searchedByPeople = 0L;
        for (var tick = 0; tick < 47; tick++)
        {
            await host.TickAsync();
            var row = await host.ReadAsync(db => db.PriceAccounts.AsNoTracking().SingleAsync(Ct));
            Assert.Equal(today, row.Day);
            Assert.InRange(row.FloorRows, 0, ration.Floor);
            Assert.InRange(row.DepthRows, 0, ration.Depth);
            Assert.Equal(searchedByPeople, row.PeopleRows);
            if (tick == 3)
            {
                await marketplace.SearchAsync(new OfferQuery { DiskGb = 10, Limit = 25 }, Ct); // a person
                searchedByPeople = marketplace.RowsSearched;
                Assert.Equal(25, searchedByPeople);
            }

            host.Time.Advance(TimeSpan.FromMinutes(30));
        }

        var used = (await host.ReadAsync(db => db.PriceAccounts.AsNoTracking().SingleAsync(Ct))).UsedOn(host.Time.GetUtcNow());
        Assert.InRange(used.Floor, ration.Floor - 10, ration.Floor);
        host.Time.Advance(TimeSpan.FromHours(1));
        await host.TickAsync();
        Assert.True((await host.ReadAsync(db => db.PriceAccounts.AsNoTracking().SingleAsync(Ct))).UsedOn(host.Time.GetUtcNow()).All > 0); // a new day
    }

    [Fact]
    public async Task An_alert_on_hosts_of_its_own_asks_the_market_for_them_as_often_as_for_a_watched_model()
    {
        await using var host = await PriceHost.StartAsync(NoBackfill);
        var connection = await host.ConnectAsync(Sandbox);
        await host.ConnectAsync(Sandbox); // another team on the account: the alert is not its
        await host.TickAsync();
        await PollAllAsync(host);
        var filter = new PriceFilter([await MostOfferedAsync(host, connection)], null, 1, RentalType.OnDemand, new HostFilter(ReliabilityPercent: 98, DownloadMbps: 300));
        await AlertAsync(host, connection, filter);
        host.Time.Advance(TimeSpan.FromMinutes(1));
        var (calls, rows) = (await SearchesAsync(host), await FloorRowsAsync(host));
        await host.TickAsync();

        var answer = Assert.Single((await host.ReadAsync(db => db.PriceAlerts.AsNoTracking().SingleAsync(Ct))).Answers);
        var offers = (await host.Marketplaces.For(connection).SearchPageAsync(filter.Query(64), Ct)).Offers.Where(PlausiblePrice.Holds).ToList();
        Assert.All(offers, offer => Assert.True(offer is { Verified: true, Reliability: >= 0.98m, DownloadMbps: >= 300 }));
        var cheapest = offers.MinBy(PriceStatistics.PerGpu)!;
        Assert.Equal((connection.Market, (long?)PriceStatistics.PerGpu(cheapest).MicrosPerHour, cheapest.GpuName, cheapest.Location), (answer.Market, answer.Price, answer.GpuName, answer.Place));
        Assert.InRange(await FloorRowsAsync(host) - rows, 1, PollPlan.FloorRows * (await SearchesAsync(host) - calls));

        var asked = answer.At;
        await host.TickAsync();
        Assert.Equal(asked, await AskedAsync()); // not yet again
        host.Time.Advance(TimeSpan.FromMinutes(6));
        await host.TickAsync();
        Assert.True(await AskedAsync() > asked);

        async Task<DateTimeOffset?> AskedAsync() => (await host.ReadAsync(db => db.PriceAlerts.AsNoTracking().SingleAsync(Ct))).Answers.Single().At;
    }

    [Fact]
    public async Task Where_the_days_rows_are_spent_no_alert_asks_for_more()
    {
        await using var host = await PriceHost.StartAsync(NoBackfill, ("Prices:RowsPerDay", "100"));
        var connection = await host.ConnectAsync(Sandbox);
        for (var alert = 0; alert < 8; alert++)
        {
            await AlertAsync(host, connection, new PriceFilter([], null, 1, RentalType.OnDemand, new HostFilter(ReliabilityPercent: 90)));
        }

        await host.TickAsync();
        Assert.InRange(await FloorRowsAsync(host), 1, new RowRation(100).Floor);
        Assert.Equal(5, (await host.ReadAsync(db => db.PriceAlerts.AsNoTracking().ToListAsync(Ct))).Count(a => a.Answers.Any(answer => answer.At is not null)));
    }

    private static async Task AlertAsync(PriceHost host, Connection connection, PriceFilter filter)
    {
        var now = host.Time.GetUtcNow();
        await using var db = await host.Database.ForSystemAsync(Ct);
        db.Add(new PriceAlertRow
        {
            Id = Guid.CreateVersion7(now), TeamId = connection.TeamId, GpuNames = string.Join(',', filter.GpuNames), GpuCount = filter.GpuCount, Rental = filter.Rental, Hosts = filter.Hosts,
            Measure = PriceMeasure.Lowest, Below = 1, HoldFor = TimeSpan.Zero, CreatedBy = new UserId(Guid.NewGuid()), CreatedAt = now, Since = now, SeenAt = now,
        });
        await db.SaveChangesAsync(Ct);
    }

    private static async Task<int> FloorRowsAsync(PriceHost host) => (await host.ReadAsync(db => db.PriceAccounts.AsNoTracking().SingleAsync(Ct))).FloorRows;

    [Fact]
    public async Task When_the_providers_quota_is_spent_nobody_asks_until_it_says_so()
    {
        await using var host = await PriceHost.StartAsync(NoBackfill);
        await host.ConnectAsync(Sandbox);
        await Sandbox.SwitchAsync(HttpMethod.Put, "/limits", """{"mode":"off","rows_a_day":30}""", Ct);
        await host.TickAsync();
        var row = await host.ReadAsync(db => db.PriceAccounts.AsNoTracking().SingleAsync(Ct));
        var midnight = new DateTimeOffset(TimeProvider.System.GetUtcNow().UtcDateTime.Date, TimeSpan.Zero).AddDays(1);
        Assert.InRange(row.StoppedUntil!.Value, midnight - TimeSpan.FromMinutes(1), midnight + TimeSpan.FromMinutes(1));
        Assert.Contains("search_quota_exceeded", row.StoppedWhy);

        var asked = await SearchesAsync(host);
        host.Time.Advance(row.StoppedUntil.Value - host.Time.GetUtcNow() - TimeSpan.FromSeconds(1));
        await host.TickAsync();
        Assert.Equal(asked, await SearchesAsync(host));

        await Sandbox.SwitchAsync(HttpMethod.Put, "/limits", """{"mode":"off","rows_a_day":null}""", Ct);
        host.Time.Advance(TimeSpan.FromSeconds(10));
        await host.TickAsync();
        Assert.True(await SearchesAsync(host) > asked + 10);
        Assert.Null((await host.ReadAsync(db => db.PriceAccounts.AsNoTracking().SingleAsync(Ct))).StoppedUntil);
    }

    [Fact]
    public async Task A_provider_that_finds_us_too_fast_is_left_alone_and_every_series_is_polled_in_the_end()
    {
        await using var host = await PriceHost.StartAsync(NoBackfill);
        await host.ConnectAsync(Sandbox);
        await Sandbox.SwitchAsync(HttpMethod.Put, "/limits", """{"mode":"real"}""", Ct);
        await host.TickAsync();
        var row = await host.ReadAsync(db => db.PriceAccounts.AsNoTracking().SingleAsync(Ct));
        Assert.True(row.StoppedUntil > host.Time.GetUtcNow());
        Assert.Equal(10, await host.ReadAsync(db => db.PriceSeries.CountAsync(s => s.PolledAt != null, Ct))); // ten searches a minute

        await Sandbox.SwitchAsync(HttpMethod.Put, "/limits", """{"mode":"off"}""", Ct);
        host.Time.Advance(TimeSpan.FromMinutes(7));
        await PollAllAsync(host);
    }

    [Fact]
    public async Task A_server_that_died_while_polling_leaves_no_gap_and_no_double_point()
    {
        await using var host = await PriceHost.StartAsync(NoBackfill);
        await host.ConnectAsync(Sandbox);
        await Sandbox.SwitchAsync(HttpMethod.Post, "/faults", """{"method":"POST","path":"/api/v0/bundles","kind":"delay","seconds":30,"skip":5}""", Ct);
        using var death = new CancellationTokenSource();
        var tick = Task.Run(() => host.Poller.RunAsync(death.Token), Ct);
        await Eventually.HoldsAsync(async () => await host.ReadAsync(db => db.PricePoints.CountAsync(Ct)) == 5 && await host.ReadAsync(db => db.PriceSeries.AnyAsync(s => s.ClaimedUntil != null, Ct)), "it is in the middle of a poll", ct: Ct);
        await death.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => tick);
        await Sandbox.SwitchAsync(HttpMethod.Delete, "/faults", ct: Ct);

        await host.RestartAsync();
        await PollAllAsync(host);
        var points = await host.ReadAsync(db => db.PricePoints.AsNoTracking().ToListAsync(Ct));
        Assert.Equal(points.Count, points.Select(p => p.SeriesId).Distinct().Count());
    }

    [Fact]
    public async Task The_providers_own_past_is_taken_over_once_and_marked_as_its_own()
    {
        await using var host = await PriceHost.StartAsync(("Prices:Backfill", "10.00:00:00"));
        await host.ConnectAsync(Sandbox);
        await host.TickAsync();
        var backfilled = await host.ReadAsync(db => db.PriceSeries.AsNoTracking().Where(s => s.BackfilledAt != null).ToListAsync(Ct));
        Assert.NotEmpty(backfilled);
        var points = await host.ReadAsync(db => db.PricePoints.AsNoTracking().Where(p => p.SeriesId == backfilled[0].Id && p.Kind == PointKind.Provider).ToListAsync(Ct));
        Assert.InRange(points.Count, 100, 241); // hourly, but for hours in which nothing was free
        Assert.All(points, p => Assert.True(p is { Min: null, P25: null, P10: { } p10, Median: { } median, P90: { } p90 } && p10 <= median && median <= p90));
        var hours = await host.ReadAsync(db => db.PriceHours.AsNoTracking().Where(h => h.SeriesId == backfilled[0].Id).ToListAsync(Ct));
        Assert.Equal(points.Count, hours.Sum(h => h.Depths) - hours.Sum(h => h.Quartiles));

        var before = await CallsAsync(host, "/metrics/gpu/history");
        await using var db = await host.Database.ForSystemAsync(Ct);
        await db.PriceSeries.ExecuteUpdateAsync(set => set.SetProperty(s => s.BackfilledAt, host.Time.GetUtcNow()), Ct);
        host.Time.Advance(TimeSpan.FromMinutes(1));
        await host.TickAsync();
        Assert.Equal(before, await CallsAsync(host, "/metrics/gpu/history"));
    }

    [Fact]
    public async Task A_key_that_may_not_read_the_providers_past_goes_on_polling()
    {
        await using var host = await PriceHost.StartAsync(("Prices:SimulatedSearchesPerMinute", "12"));
        var answer = await Sandbox.ControlAsync(HttpMethod.Post, "/accounts/314159/keys", """{"name":"narrow","permissions":["misc","user_read","instance_read","instance_write","billing_read"]}""", Ct);
        var connection = await host.ConnectAsync(Sandbox, key: answer.GetProperty("api_key").GetString());
        await host.TickAsync();

        Assert.True((await host.ReadAsync(db => db.PriceAccounts.AsNoTracking().SingleAsync(Ct))).NoHistoryUntil > host.Time.GetUtcNow());
        Assert.True(await host.ReadAsync(db => db.PricePoints.CountAsync(Ct)) > 10);
        Assert.Equal(ConnectionStatus.Works, (await host.ReadAsync(db => db.Connections.AsNoTracking().SingleAsync(c => c.Id == connection.Id, Ct))).Status);
    }

    /// <summary>Tick by tick until every series was polled, also those that polls found on the way.</summary>
    private static async Task PollAllAsync(PriceHost host)
    {
        for (var tick = 0; tick < 10 && await host.ReadAsync(db => db.PriceSeries.AnyAsync(s => s.PolledAt == null, Ct)); tick++)
        {
            host.Time.Advance(TimeSpan.FromMinutes(1));
            await host.TickAsync();
        }

        Assert.Equal(0, await host.ReadAsync(db => db.PriceSeries.CountAsync(s => s.PolledAt == null, Ct)));
    }

    /// <summary>A model with more offers than a floor poll asks for: of a scarcer one every poll sees the whole market.</summary>
    private static async Task<string> MostOfferedAsync(PriceHost host, Connection connection)
    {
        var market = host.Marketplaces.For(connection);
        var all = await host.ReadAsync(db => db.PriceSeries.AsNoTracking().Where(s => s.Rental == RentalType.OnDemand && s.GpuCount == 1).ToListAsync(Ct));
        var offered = new List<(string Name, int Offers)>();
        foreach (var series in all)
        {
            offered.Add((series.GpuName, (await market.SearchPageAsync(series.Series.Query(64), Ct)).Offers.Count(series.Series.Holds)));
        }

        var most = offered.MaxBy(o => o.Offers);
        Assert.True(most.Offers > 2 * PollPlan.FloorRows, $"the market is too small: {most.Offers} of {most.Name}");
        return most.Name;
    }

    private static async Task<PriceSeriesRow> WatchAsync(PriceHost host, Connection connection, string gpu)
    {
        await using var db = await host.Database.ForSystemAsync(Ct);
        var series = await db.PriceSeries.AsNoTracking().SingleAsync(s => s.GpuName == gpu && s.Rental == RentalType.OnDemand && s.GpuCount == 1, Ct);
        db.Add(new PriceWatch { TeamId = connection.TeamId, SeriesId = series.Id, By = new UserId(Guid.NewGuid()), Since = host.Time.GetUtcNow() });
        await db.SaveChangesAsync(Ct);
        return series;
    }

    private Task<int> SearchesAsync(PriceHost host) => CallsAsync(host, "/api/v0/bundles");

    // Since the host began: the sandbox is shared.
    private async Task<int> CallsAsync(PriceHost host, string path)
    {
        var log = await Sandbox.ControlAsync(HttpMethod.Get, $"/requests?since={host.Began.ToUnixTimeMilliseconds() / 1000m}", ct: Ct);
        var requests = log.ValueKind == JsonValueKind.Array ? log : log.GetProperty("requests");
        return requests.EnumerateArray().Count(r => r.GetProperty("path").GetString()!.Contains(path, StringComparison.Ordinal));
    }
}
