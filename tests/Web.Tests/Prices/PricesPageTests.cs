using Bunit;
using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Prices;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Prices;
using Dashboard.Web.Components;
using Dashboard.Web.Features.Home;
using Dashboard.Web.Features.Prices;
using Dashboard.Web.Tests.Jobs;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Prices;

public sealed class PricesPageTests : PageTest
{
    private DateTimeOffset Now => Time.GetUtcNow();

    private async Task<int> SeriesAsync(string gpu = "RTX 4090", int vramGb = 24, RentalType rental = RentalType.OnDemand, Market? market = null)
    {
        await using var db = await Database.ForSystemAsync(default);
        var row = PriceSeriesRow.Of(new PriceSeries(market ?? TeamSeed.VastAi, gpu, vramGb, 1, rental, VerifiedOnly: true), Now.AddMinutes(4));
        db.Add(row);
        await db.SaveChangesAsync();
        return row.Id;
    }

    private Task StoreAsync(int series, params PricePoint[] points) => new PriceStore(Database).StoreAsync([.. points.Select(p => new SeenPrices(series, p, []))], default);

    private static PricePoint Floor(DateTimeOffset at, decimal usd) => new(at, PointKind.Floor, 10, AtLeast: true, HourlyRate.FromUsd(usd), HourlyRate.FromUsd(usd + 0.02m), null);

    private static PricePoint Depth(DateTimeOffset at, decimal usd) => new(
        at, PointKind.Depth, 41, AtLeast: false, HourlyRate.FromUsd(usd), HourlyRate.FromUsd(usd + 0.02m),
        new PriceQuantiles(HourlyRate.FromUsd(usd + 0.01m), HourlyRate.FromUsd(usd + 0.05m), HourlyRate.FromUsd(usd + 0.1m), HourlyRate.FromUsd(usd + 0.15m), HourlyRate.FromUsd(usd + 0.3m)));

    private IRenderedComponent<PricesPage> ShowPrices(string query = "") => Show<PricesPage>($"/t/halden/prices{query}");

    [Fact]
    public async Task The_trend_shows_the_lowest_price_now_and_the_quantiles_of_the_last_complete_poll()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        var series = await SeriesAsync();
        await StoreAsync(series, Depth(Now.AddHours(-3), 0.400m), Floor(Now.AddMinutes(-10), 0.390m), Floor(Now.AddMinutes(-2), 0.381m));
        var page = ShowPrices("?range=24h");

        var now = page.Find("section[aria-label='RTX 4090 now']");
        Assert.Contains("$0.381/h", now.TextContent);
        Assert.Contains("2 min old", now.TextContent);
        Assert.Contains("at least 10 offers", now.TextContent);
        Assert.Contains("median $0.500/h, middle half $0.450/h to $0.550/h", now.TextContent);
        Assert.Contains("between $0.381/h and $0.400/h in 24 h", page.Find("svg.plot").GetAttribute("aria-label"));
        Assert.Contains("GPU only", page.Markup);
    }

    [Fact]
    public async Task A_price_that_is_old_shows_its_age_and_is_not_drawn_as_the_present_one()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        await StoreAsync(await SeriesAsync(), Floor(Now.AddHours(-5), 0.38m), Floor(Now.AddHours(-4), 0.39m));
        var page = ShowPrices("?range=24h");

        Assert.Equal("4 h old", page.Find("section[aria-label='RTX 4090 now'] .tone-warn").TextContent);
        Assert.Contains("fill:var(--surface)", page.Find("svg.plot circle").GetAttribute("style"));
    }

    [Fact]
    public async Task Before_the_first_poll_the_page_says_when_it_comes()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        await SeriesAsync();
        var page = ShowPrices();
        Assert.Contains("First prices arrive within 5 minutes.", page.Markup);
        Assert.Contains("next poll in 4 min", page.Markup);
    }

    [Fact]
    public async Task When_the_database_fails_the_page_says_so_and_can_be_asked_again()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        await StoreAsync(await SeriesAsync(), Floor(Now.AddMinutes(-1), 0.38m));
        DatabaseFails = true;
        var page = ShowPrices();
        Assert.Contains("The prices could not be read.", page.Find("[role=alert]").TextContent);
        DatabaseFails = false;
        await page.Find("[role=alert] button").ClickAsync(new());
        page.WaitForAssertion(() => Assert.Contains("$0.380/h", page.Find("section[aria-label='RTX 4090 now']").TextContent));
    }

    [Fact]
    public async Task Several_models_and_both_rentals_are_one_address()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        foreach (var (gpu, vram, rental, usd) in new[] { ("RTX 4090", 24, RentalType.OnDemand, 0.4m), ("RTX 4090", 24, RentalType.Interruptible, 0.2m), ("A100 SXM4", 40, RentalType.OnDemand, 0.7m), ("A100 SXM4", 80, RentalType.OnDemand, 0.9m) })
        {
            await StoreAsync(await SeriesAsync(gpu, vram, rental), Floor(Now.AddMinutes(-1), usd), Floor(Now.AddMinutes(-9), usd));
        }

        var page = ShowPrices("?gpu=RTX 4090,A100 SXM4 80GB,RTX 1&type=both&range=7d");
        Assert.Equal(["RTX 4090 now", "RTX 4090 bid now", "A100 SXM4 80GB now"], page.FindAll(".now section").Select(s => s.GetAttribute("aria-label")));
        Assert.Contains("No prices are known of “RTX 1”", page.Find("[role=status]").TextContent);
        Assert.Contains(page.FindAll("a"), a => a.TextContent.Trim() == "CSV" && a.GetAttribute("href") == "/t/halden/prices.csv?gpu=RTX%204090,A100%20SXM4%2080GB,RTX%201&type=both&range=7d");
    }

    [Fact]
    public async Task A_market_of_another_teams_connection_is_neither_seen_nor_watched()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        var foreign = await SeriesAsync(market: TeamSeed.VastAi with { BaseUrl = "https://other.example" });
        await StoreAsync(foreign, Floor(Now.AddMinutes(-1), 0.123m));
        Assert.DoesNotContain("0.123", ShowPrices("?range=24h").Markup);
        Assert.False(await Services.GetRequiredService<WatchPrices>().RunAsync(Member, foreign, watch: true, default));
    }

    [Fact]
    public async Task One_market_is_compared_with_the_other_at_equal_terms()
    {
        await SeedAsync(seed => { seed.Connection(TeamSeed.VastAi); seed.Connection(TeamSeed.Sandbox); });
        await StoreAsync(await SeriesAsync(), Floor(Now.AddMinutes(-2), 0.381m));
        await StoreAsync(await SeriesAsync(market: TeamSeed.Sandbox), Floor(Now.AddMinutes(-2), 0.295m));
        await StoreAsync(await SeriesAsync("RTX 3090", market: TeamSeed.Sandbox), Floor(Now.AddMinutes(-2), 0.15m));
        Assert.Empty(ShowPrices("?range=24h").FindAll("section[aria-label*=Sandbox]"));

        var page = ShowPrices("?range=24h&market=all");
        Assert.Contains("$0.381/h", page.Find("section[aria-label='RTX 4090 · Vast.ai now']").TextContent);
        Assert.Contains("$0.295/h", page.Find("section[aria-label='RTX 4090 · Sandbox now']").TextContent);
        Assert.Empty(page.FindAll("section[aria-label^='RTX 3090']"));
        Assert.Equal("all", page.FindAll("select").First(s => s.TextContent.Contains("compared")).GetAttribute("value"));
        Assert.Equal(["RTX 4090"], page.FindAll(".filter-chip.on").Select(c => c.TextContent.Trim()).Where(t => !t.StartsWith("Market", StringComparison.Ordinal)));
        Assert.Contains(page.FindAll("a"), a => a.TextContent.Trim() == "CSV" && a.GetAttribute("href")!.Contains("market=all"));
        Assert.Empty(page.FindAll(".tone-warn[role=status]"));

        var table = ShowPrices("?tab=compare&market=all");
        Assert.Equal(["RTX 3090 · Sandbox", "RTX 4090 · Sandbox", "RTX 4090 · Vast.ai"], table.FindAll("tbody tr td:first-child a").Select(a => a.TextContent));
    }

    [Fact]
    public async Task Lines_that_the_picture_has_no_room_for_are_counted()
    {
        await SeedAsync(seed => { seed.Connection(TeamSeed.VastAi); seed.Connection(TeamSeed.Sandbox); });
        foreach (var gpu in new[] { "RTX 3090", "RTX 4090", "L40S", "A40" })
        {
            foreach (var market in new[] { TeamSeed.VastAi, TeamSeed.Sandbox })
            {
                await StoreAsync(await SeriesAsync(gpu, 24, market: market), Floor(Now.AddMinutes(-2), 0.3m));
            }
        }

        var page = ShowPrices("?range=24h&market=all&gpu=RTX 3090,RTX 4090,L40S,A40");
        Assert.Equal(PricesQuestion.MostLines, page.FindAll("section[aria-label$=' now']").Count);
        Assert.Contains("1 line left out: the picture has room for 7.", page.Find(".tone-warn[role=status]").TextContent);
    }

    [Fact]
    public async Task A_star_puts_a_model_on_home_and_makes_it_due()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        var series = await SeriesAsync();
        await StoreAsync(series, Floor(Now.AddHours(-2), 0.41m), Floor(Now.AddMinutes(-1), 0.38m));
        var page = ShowPrices();
        await page.Find("button[aria-label='Watch RTX 4090']").ClickAsync(new());
        page.WaitForAssertion(() => Assert.Equal("true", page.Find("button[aria-label='Watch RTX 4090']").GetAttribute("aria-pressed")));
        await using var db = await Database.ForSystemAsync(default);
        Assert.Equal(Now, (await db.PriceSeries.AsNoTracking().SingleAsync(s => s.Id == series)).NextFloorAt);

        var card = Show<WatchedPricesCard>();
        Assert.Contains("$0.380/h", card.Find("a.card-row").TextContent);
        Assert.Equal("/t/halden/prices?gpu=RTX%204090", card.Find("a.card-row").GetAttribute("href"));
    }

    [Fact]
    public async Task Who_may_not_start_jobs_has_no_star()
    {
        ReadAs(Role.Viewer);
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        await StoreAsync(await SeriesAsync(), Floor(Now.AddMinutes(-1), 0.38m));
        Assert.Empty(ShowPrices().FindAll(".star"));
        await Assert.ThrowsAsync<PermissionDeniedException>(() => Services.GetRequiredService<WatchPrices>().RunAsync(Member, 1, watch: true, default));
    }

    [Fact]
    public async Task The_table_has_every_model_with_its_change_over_a_day_a_week_and_a_month()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        var (dear, cheap) = (await SeriesAsync("H100 SXM", 80), await SeriesAsync("RTX 3090"));
        await StoreAsync(dear, Floor(Now.AddDays(-30), 1.60m), Floor(Now.AddDays(-7), 2.50m), Floor(Now.AddDays(-1), 2.00m), Depth(Now.AddHours(-1), 2.00m), Floor(Now.AddMinutes(-1), 2.00m));
        await StoreAsync(cheap, Floor(Now.AddMinutes(-1), 0.20m));
        var rows = ShowPrices("?tab=compare").FindAll(".models tbody tr");

        Assert.Equal(["RTX 3090", "H100 SXM"], rows.Select(r => r.QuerySelector("a")!.TextContent));
        Assert.Equal(["0%", "−20%", "+25%"], rows[1].QuerySelectorAll("td").Skip(6).Take(3).Select(c => c.TextContent.Trim()));
        Assert.Contains("$2.100/h", rows[1].TextContent);
        Assert.Equal(["—", "—", "—"], rows[0].QuerySelectorAll("td").Skip(6).Take(3).Select(c => c.TextContent.Trim()[..1]));
    }

    [Theory]
    [InlineData(9, "Needs 5 more days", "No advice yet.")]
    [InlineData(40, null, "Waiting until about")]
    public async Task The_week_is_there_at_once_and_advice_only_when_there_is_enough_to_stand_on(int days, string? needs, string advice)
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        var series = await SeriesAsync();
        var hours = Enumerable.Range(1, days * 24 - 20).Select(n => Now.AddHours(-n));
        await StoreAsync(series, [.. hours.Select(at => Floor(at, at.UtcDateTime.Hour is >= 1 and < 6 ? 0.30m : 0.40m))]); // nights are cheap; it is six in the evening
        var page = ShowPrices("?tab=week");

        Assert.Contains(advice, page.Find(".card-foot").TextContent);
        Assert.Equal(needs is null, page.FindAll(".unfinished").Count == 0);
        Assert.Contains(needs ?? "Tue 0", page.Markup);
        Assert.Equal(24, page.FindAll(".map tbody tr").Count);
        Assert.Contains("−", page.FindAll(".map tbody tr")[3].QuerySelectorAll("td")[0].TextContent);
    }

    [Theory]
    [InlineData("?type=bid", "A bid that lasts 6 h: $0.200/h in seven runs in ten, $0.300/h in nine runs in ten (by the cheapest machine over 3 weeks). What others bid on a single machine is not in it: providers do not show it.")]
    [InlineData("?type=both", "A bid that lasts 6 h: $0.200/h in seven")]
    [InlineData("?type=bid&gpu=RTX 3090", "No advice on bids yet. It takes two weeks of prices to know how long a bid lasts; there is 1 day.")]
    [InlineData("", null)]
    public async Task Where_bids_are_shown_it_says_what_to_bid_or_why_not(string address, string? said)
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        await BidHistory.AddAsync(Database, "RTX 4090", hour => hour % 24 == 12 ? 0.30m : 0.20m, market: TeamSeed.VastAi, until: Now);
        await StoreAsync(await SeriesAsync(), Floor(Now.AddMinutes(-2), 0.381m));
        await StoreAsync(await SeriesAsync("RTX 3090", rental: RentalType.Interruptible), Floor(Now.AddMinutes(-2), 0.101m));
        var line = ShowPrices(address).FindAll("section[aria-label='What to bid']");
        Assert.Equal(said is null ? 0 : 1, line.Count);
        Assert.StartsWith(said ?? "", line.Count == 0 ? "" : line[0].TextContent.Trim(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_has_every_moment_and_a_chart_at_most_what_pixels_show()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        var series = await SeriesAsync();
        await StoreAsync(series, [.. Enumerable.Range(1, 2_100).Select(n => Floor(Now.AddHours(-n), n == 1_234 ? 0.05m : 0.40m))]);
        var question = PricesQuestion.Read("RTX 4090", null, null, "90d", null);
        var queries = Services.GetRequiredService<PriceQueries>();

        Assert.Equal(2_100, Assert.Single(await queries.ExportAsync(Member, question, default)).Moments.Count);
        var line = Assert.Single((await queries.TrendAsync(Member, question, default)).Lines);
        Assert.InRange(line.Moments.Count, 700, PriceQueries.MostPoints);
        Assert.Equal(50_000, line.Moments.Min(m => m.Low));
    }

    [Fact]
    public void Where_polls_are_missing_the_line_is_cut()
    {
        var moments = new[] { 0, 5, 10, 15, 60, 65, 70 }.Select(minute => new PriceMoment(Now.AddMinutes(minute), 400_000, 400_000, 400_000, null, null, null, null, null, null, 10, true, PointKind.Floor)).ToList();
        Assert.Equal([4, 3], PriceChart.Runs(moments, m => (m.Min!.Value, m.Min.Value)).Select(run => run.Count));
    }

    [Theory]
    [InlineData(0.381, 0.553, 0.35, 0.60)]
    [InlineData(0.40, 0.40, 0.39, 0.41)]
    [InlineData(12.6, 31.5, 10, 35)]
    public void The_axis_holds_the_prices_between_round_ends(double low, double high, double bottom, double top)
    {
        var scale = PriceChart.Scale([(long)(low * 1_000_000), (long)(high * 1_000_000)]);
        Assert.Equal(((decimal)bottom, (decimal)top), (scale.Bottom, scale.Top));
        Assert.InRange((scale.Top - scale.Bottom) / scale.Step, 2, 8);
    }
}
