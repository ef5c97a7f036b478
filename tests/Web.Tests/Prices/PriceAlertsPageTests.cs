using Bunit;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Prices;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Prices;
using Dashboard.Web.Features.Prices;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Prices;

public sealed class PriceAlertsPageTests : PageTest
{
    private static readonly PriceFilter Usual = new(["RTX 4090"], null, 1, RentalType.OnDemand);

    private DateTimeOffset Now => Time.GetUtcNow();

    private Task<int> SeriesAsync(Market? market = null, params (int MinutesAgo, decimal Usd)[] prices) => AddSeriesAsync(new PriceSeries(market ?? TeamSeed.VastAi, "RTX 4090", 24, 1, RentalType.OnDemand, VerifiedOnly: true), prices);

    private async Task<int> AddSeriesAsync(PriceSeries series, params (int MinutesAgo, decimal Usd)[] prices)
    {
        int id;
        await using (var db = await Database.ForSystemAsync(default))
        {
            var row = PriceSeriesRow.Of(series, Now);
            db.Add(row);
            await db.SaveChangesAsync();
            id = row.Id;
        }

        foreach (var (minutes, usd) in prices)
        {
            await PollAsync(id, Now.AddMinutes(-minutes), usd);
        }

        return id;
    }

    private Task PollAsync(int series, DateTimeOffset at, decimal usd) =>
        new PriceStore(Database).StoreAsync([new SeenPrices(series, new PricePoint(at, PointKind.Floor, 10, true, HourlyRate.FromUsd(usd), HourlyRate.FromUsd(usd + 0.02m), null), [])], default);

    private async Task TickAsync(int series, decimal usd)
    {
        Time.Advance(TimeSpan.FromMinutes(5));
        await PollAsync(series, Now, usd);
        await new PriceAlerts(Database, Feed, Time).RunAsync(default);
    }

    private async Task<IReadOnlyList<(string Title, bool Open)>> InboxAsync()
    {
        await using var db = await Database.ForSystemAsync(default);
        return [.. (await db.Inbox.AsNoTracking().OrderBy(i => i.Id).ToListAsync()).Select(i => (i.Title, i.ResolvedAt is null))];
    }

    [Fact]
    public async Task An_alert_made_on_the_page_fires_after_its_time_and_resolves_clearly_above()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        var series = await SeriesAsync(null, (70, 0.40m), (10, 0.41m));
        var page = Show<PricesPage>("/t/halden/prices?tab=alerts");
        await page.Find("select[aria-label=Figure]").ChangeAsync(new() { Value = "Lowest" });
        await page.Find("input").ChangeAsync(new() { Value = "0.36" });
        Assert.Contains("Would have fired 0 times in the last 30 days.", page.Find(".builder [role=status]").TextContent);
        await page.Find("form").SubmitAsync();
        page.WaitForAssertion(() => Assert.Contains("RTX 4090, lowest price at most $0.360/h for 10 min", page.Find(".card-row").TextContent));
        Assert.Contains("Normal", page.Find(".card-row .chip").TextContent);

        await TickAsync(series, 0.35m);
        await TickAsync(series, 0.355m);
        Assert.Empty(await InboxAsync());
        await TickAsync(series, 0.35m); // ten minutes under it
        Assert.Equal([("RTX 4090: lowest price $0.350/h", true)], await InboxAsync());
        await TickAsync(series, 0.365m); // trembles
        Assert.True((await InboxAsync()).Single().Open);
        await TickAsync(series, 0.39m);
        Assert.False((await InboxAsync()).Single().Open);
    }

    [Fact]
    public async Task An_alert_on_many_fires_on_the_cheapest_names_it_and_is_over_when_none_is_cheap()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        var usual = await SeriesAsync();
        var big = await AddSeriesAsync(new PriceSeries(TeamSeed.VastAi, "RTX A6000", 48, 2, RentalType.Interruptible, VerifiedOnly: true));
        var small = await AddSeriesAsync(new PriceSeries(TeamSeed.VastAi, "RTX 3060", 12, 1, RentalType.OnDemand, VerifiedOnly: true));
        var desk = Services.GetRequiredService<PriceAlertDesk>();
        Assert.Null(await desk.CreateAsync(Member, new WantedAlert(new PriceFilter([], 24, null, null), PriceMeasure.Lowest, HourlyRate.FromUsd(0.36m), null, TimeSpan.Zero), default));

        await TickAsync(small, 0.05m);
        await TickAsync(usual, 0.40m);
        Assert.Empty(await InboxAsync());
        await TickAsync(big, 0.30m);
        Assert.Equal([("RTX A6000 ×2 bid: lowest price $0.300/h", true)], await InboxAsync());
        var shown = Assert.Single((await desk.ListAsync(Member, default)).Alerts);
        Assert.Equal(("any GPU of 24 GB or more, any number in a machine, on demand or bid", HourlyRate.FromUsd(0.30m), "RTX A6000 ×2 bid"), (shown.Name, shown.Value, shown.Cheapest));
        await using (var db = await Database.ForSystemAsync(default))
        {
            Assert.Equal("prices?gpu=RTX%20A6000&count=2&type=bid", (await db.Inbox.AsNoTracking().SingleAsync()).Link);
        }

        await TickAsync(usual, 0.29m); // cheap too: nothing new
        await TickAsync(big, 0.50m);
        Assert.True((await InboxAsync()).Single().Open);
        await TickAsync(usual, 0.42m);
        Assert.False((await InboxAsync()).Single().Open);
    }

    [Fact]
    public async Task Only_a_poll_of_the_cheapest_itself_says_that_it_is_still_cheap()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        var usual = await SeriesAsync();
        var other = await AddSeriesAsync(new PriceSeries(TeamSeed.VastAi, "RTX 3090", 24, 1, RentalType.OnDemand, VerifiedOnly: true));
        await Services.GetRequiredService<PriceAlertDesk>().CreateAsync(Member, new WantedAlert(Usual with { GpuNames = ["RTX 4090", "RTX 3090"] }, PriceMeasure.Lowest, HourlyRate.FromUsd(0.36m), null, TimeSpan.FromMinutes(10)), default);
        await TickAsync(usual, 0.30m);
        await TickAsync(other, 0.40m);
        await TickAsync(other, 0.40m); // ten minutes, and nobody has looked at the cheap one again
        Assert.Empty(await InboxAsync());
        await TickAsync(usual, 0.31m);
        Assert.Equal([("RTX 4090: lowest price $0.310/h", true)], await InboxAsync());
    }

    [Fact]
    public async Task The_form_makes_a_filter_of_models_memory_count_and_rental()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        await SeriesAsync(null, (70, 0.40m), (10, 0.35m));
        await AddSeriesAsync(new PriceSeries(TeamSeed.VastAi, "L40S", 48, 2, RentalType.Interruptible, VerifiedOnly: true));
        var page = Show<PricesPage>("/t/halden/prices?tab=alerts");
        await page.Find("select[aria-label='Or another GPU model']").ChangeAsync(new() { Value = "L40S" });
        await page.Find("select[aria-label^=Memory]").ChangeAsync(new() { Value = "24" });
        await page.Find("select[aria-label='GPUs in one machine']").ChangeAsync(new() { Value = "0" });
        await page.Find("select[aria-label=Rented]").ChangeAsync(new() { Value = "" });
        await page.Find("select[aria-label=Figure]").ChangeAsync(new() { Value = "Lowest" });
        await page.Find("select[aria-label='For how long']").ChangeAsync(new() { Value = "0" });
        await page.Find("input").ChangeAsync(new() { Value = "0.36" });
        Assert.Contains("Would have fired once in the last 30 days.", page.Find(".builder [role=status]").TextContent);
        Assert.Contains("The cheapest of them fires it and is named.", page.Find(".builder").TextContent);
        await page.Find("form").SubmitAsync();
        page.WaitForAssertion(() => Assert.Contains("RTX 4090 or L40S of 24 GB or more, any number in a machine, on demand or bid, lowest price at most $0.360/h", page.Find(".card-row").TextContent));
        Assert.Contains("now $0.350/h, RTX 4090", page.Find(".card-row").TextContent);

        await page.Find("button[aria-label='Without RTX 4090']").ClickAsync(new());
        await page.Find("select[aria-label='GPUs in one machine']").ChangeAsync(new() { Value = "1" });
        await page.Find("input").ChangeAsync(new() { Value = "0.36" });
        await page.Find("form").SubmitAsync();
        page.WaitForAssertion(() => Assert.Contains("No prices are known of L40S of 24 GB or more, on demand or bid.", page.Find(".builder [role=alert]").TextContent));
        Assert.Equal("0.36", page.Find("input").GetAttribute("value"));
    }

    [Fact]
    public async Task What_the_market_page_is_narrowed_to_becomes_an_alert_that_the_market_answers()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        await SeriesAsync(null, (10, 0.40m));
        var page = Show<PricesPage>("/t/halden/prices?tab=alerts&gpu=RTX%204090&rel=98&down=500&verified=0");
        Assert.Equal(("98", "500"), (page.Find("select[aria-label^=Reliability]").GetAttribute("value"), page.Find("select[aria-label^=Download]").GetAttribute("value")));
        Assert.True(page.Find("input[type=checkbox]").HasAttribute("checked"));
        await page.Find("select[aria-label=Figure]").ChangeAsync(new() { Value = "Lowest" });
        await page.Find("select[aria-label='For how long']").ChangeAsync(new() { Value = "10" });
        await page.Find("input.figure-box").ChangeAsync(new() { Value = "0.36" });
        Assert.Contains("The market itself is asked for these hosts", page.Find(".builder").TextContent);
        await page.Find("form").SubmitAsync();
        page.WaitForAssertion(() => Assert.Contains("RTX 4090 with reliability ≥ 98%, download ≥ 500 Mb/s, unverified hosts too, lowest price at most $0.360/h", page.Find(".card-row").TextContent));
        Assert.Contains("now not known", page.Find(".card-row").TextContent);
        await DisposeComponentsAsync(); // the market answers while nobody looks

        await AnswerAsync(0.35m);
        await AnswerAsync(0.35m);
        Assert.Empty(await InboxAsync());
        await AnswerAsync(0.34m); // ten minutes under it
        Assert.Equal([("RTX 4090: lowest price $0.340/h", true)], await InboxAsync());
        await using (var db = await Database.ForSystemAsync(default))
        {
            var item = await db.Inbox.AsNoTracking().SingleAsync();
            Assert.Equal(("market?gpu=RTX%204090&rel=98&down=500&verified=0", "See offers"), (item.Link, item.Action));
            Assert.Contains("with reliability ≥ 98%, download ≥ 500 Mb/s, unverified hosts too, on Vast.ai, the cheapest in Ohio, US. Nothing was rented", item.Detail.Full);
        }

        var shown = Assert.Single((await Services.GetRequiredService<PriceAlertDesk>().ListAsync(Member, default)).Alerts);
        Assert.Equal((AlertState.Firing, HourlyRate.FromUsd(0.34m), "Ohio, US"), (shown.State, shown.Value, shown.Cheapest));
        await AnswerAsync(null); // nobody offers it: that says nothing of its price
        Assert.True((await InboxAsync()).Single().Open);
        await AnswerAsync(0.50m);
        Assert.False((await InboxAsync()).Single().Open);

        async Task AnswerAsync(decimal? usd)
        {
            Time.Advance(TimeSpan.FromMinutes(5));
            await using (var db = await Database.ForSystemAsync(default))
            {
                var row = await db.PriceAlerts.AsTracking().SingleAsync();
                row.Answers = [new HostAnswer(TeamSeed.VastAi, Now, Now, usd is { } price ? HourlyRate.FromUsd(price).MicrosPerHour : null, usd is null ? null : "RTX 4090", usd is null ? null : "Ohio, US")];
                await db.SaveChangesAsync();
            }

            await new PriceAlerts(Database, Feed, Time).RunAsync(default);
        }
    }

    [Theory]
    [InlineData("select[aria-label='GPUs in one machine']", "0")]
    [InlineData("select[aria-label=Rented]", "")]
    [InlineData("select[aria-label=Figure]", "Median")]
    public async Task Narrowed_hosts_are_one_search_and_the_form_says_so(string select, string value)
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        await SeriesAsync(null, (10, 0.40m));
        var page = Show<PricesPage>("/t/halden/prices?tab=alerts");
        await page.FindAll("button").Single(b => b.TextContent == "Only some hosts").ClickAsync(new());
        await page.Find("select[aria-label^=CUDA]").ChangeAsync(new() { Value = "12.4" });
        await page.Find(select).ChangeAsync(new() { Value = value });
        await page.Find("input.figure-box").ChangeAsync(new() { Value = "0.36" });
        await page.Find("form").SubmitAsync();
        page.WaitForAssertion(() => Assert.Contains("Where hosts are narrowed down, choose", page.Find(".builder [role=alert]").TextContent));
        Assert.Equal("0.36", page.Find("input.figure-box").GetAttribute("value"));
    }

    [Fact]
    public async Task Two_servers_that_look_at_the_same_time_say_it_once()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        var series = await SeriesAsync();
        Assert.Null(await Services.GetRequiredService<PriceAlertDesk>().CreateAsync(Member, new WantedAlert(Usual, PriceMeasure.Lowest, HourlyRate.FromUsd(0.36m), null, TimeSpan.Zero), default));
        Time.Advance(TimeSpan.FromMinutes(5));
        await PollAsync(series, Now, 0.30m);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => new PriceAlerts(Database, Feed, Time).RunAsync(default))));

        Assert.Single(await InboxAsync());
        await using var db = await Database.ForSystemAsync(default);
        Assert.Equal(1, (await db.PriceAlerts.AsNoTracking().SingleAsync()).Fired);
    }

    [Fact]
    public async Task A_snoozed_alert_says_nothing_and_a_deleted_one_takes_its_word_back()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        var series = await SeriesAsync();
        var desk = Services.GetRequiredService<PriceAlertDesk>();
        await desk.CreateAsync(Member, new WantedAlert(Usual, PriceMeasure.Lowest, HourlyRate.FromUsd(0.36m), null, TimeSpan.Zero), default);
        var id = (await desk.ListAsync(Member, default)).Alerts.Single().Id;
        await desk.SnoozeAsync(Member, id, TimeSpan.FromMinutes(7), default);
        await TickAsync(series, 0.30m);
        Assert.Empty(await InboxAsync());
        await TickAsync(series, 0.40m);
        await TickAsync(series, 0.30m);
        Assert.Equal([("RTX 4090: lowest price $0.300/h", true)], await InboxAsync());
        await desk.DeleteAsync(Member, id, default);
        Assert.False((await InboxAsync()).Single().Open);
        Assert.Empty((await desk.ListAsync(Member, default)).Alerts);
    }

    [Fact]
    public async Task A_share_of_the_last_30_days_is_a_threshold_once_a_day_of_them_is_known()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        var series = await SeriesAsync();
        var desk = Services.GetRequiredService<PriceAlertDesk>();
        await desk.CreateAsync(Member, new WantedAlert(Usual, PriceMeasure.Lowest, null, 10, TimeSpan.Zero), default);
        Assert.Null((await desk.ListAsync(Member, default)).Alerts.Single().Threshold);
        for (var hour = 1; hour <= 101; hour++)
        {
            await PollAsync(series, Now.AddHours(-hour), 0.30m + 0.001m * hour);
        }

        Assert.Equal(HourlyRate.FromUsd(0.311m), (await desk.ListAsync(Member, default)).Alerts.Single().Threshold);
    }

    [Fact]
    public async Task A_simulated_price_alarms_nobody_who_has_a_real_connection()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.Sandbox));
        var series = await SeriesAsync(TeamSeed.Sandbox);
        await Services.GetRequiredService<PriceAlertDesk>().CreateAsync(Member, new WantedAlert(Usual, PriceMeasure.Lowest, HourlyRate.FromUsd(0.36m), null, TimeSpan.Zero), default);
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        await TickAsync(series, 0.30m);
        Assert.Empty(await InboxAsync());
    }

    [Fact]
    public async Task A_viewer_sees_the_alerts_and_no_way_to_change_them()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        await SeriesAsync();
        await Services.GetRequiredService<PriceAlertDesk>().CreateAsync(Member, new WantedAlert(Usual, PriceMeasure.Fifth, HourlyRate.FromUsd(0.36m), null, TimeSpan.Zero), default);
        ReadAs(Role.Viewer);
        var page = Show<PricesPage>("/t/halden/prices?tab=alerts");
        Assert.Single(page.FindAll(".card-row"));
        Assert.Empty(page.FindAll("form, .card-row button"));
        await Assert.ThrowsAsync<PermissionDeniedException>(() => Services.GetRequiredService<PriceAlertDesk>().CreateAsync(Member, new WantedAlert(Usual, PriceMeasure.Fifth, HourlyRate.FromUsd(0.36m), null, TimeSpan.Zero), default));
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("-1")]
    [InlineData("0")]
    public async Task A_threshold_that_is_none_is_refused_in_words(string typed)
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        await SeriesAsync();
        var page = Show<PricesPage>("/t/halden/prices?tab=alerts");
        await page.Find("input").ChangeAsync(new() { Value = typed });
        await page.Find("form").SubmitAsync();
        page.WaitForAssertion(() => Assert.Contains("Enter dollars per GPU-hour above zero", page.Find("[role=alert]").TextContent));
    }
}
