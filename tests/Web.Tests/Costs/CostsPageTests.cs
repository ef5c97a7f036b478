using Bunit;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Web.Components;
using Dashboard.Web.Features.Costs;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using static Dashboard.Web.Tests.Costs.LedgerSeed;

namespace Dashboard.Web.Tests.Costs;

public sealed class CostsPageTests : PageTest
{
    [Theory]
    [InlineData(CostSplit.Project)]
    [InlineData(CostSplit.Person)]
    [InlineData(CostSplit.Job)]
    [InlineData(CostSplit.Gpu)]
    [InlineData(CostSplit.Provider)]
    [InlineData(CostSplit.Kind)]
    [InlineData(CostSplit.Tag)]
    public async Task The_rows_their_parts_the_days_and_the_kinds_add_up_to_the_total(CostSplit by)
    {
        await SeedMonthAsync();

        var view = await ExploreAsync(by, then: by == CostSplit.Job ? CostSplit.Kind : CostSplit.Job);

        Assert.Equal(new Money(3_940_000), view.Total.Spent);
        Assert.Equal(view.Total.Spent.Micros, view.Rows.Sum(r => r.Spent.Micros));
        Assert.All(view.Rows, row => Assert.Equal(row.Spent.Micros, row.Parts.Sum(p => p.Spent.Micros)));
        Assert.Equal(view.Total.Spent.Micros, view.Rows.SelectMany(r => r.Bars).Sum(d => d.Micros));
        Assert.Equal(view.Total.Spent, view.Total.Gpu + view.Total.Disk + view.Total.Traffic + view.Total.Adjustments);
        Assert.Equal(view.Total.Spent.Micros, view.Gpus.Sum(g => g.Spent.Micros));
    }

    [Theory]
    [InlineData("Europe/Oslo", 10)] // 23:30 UTC on the 10th is the 11th in Oslo
    [InlineData("Asia/Kolkata", 10)] // five and a half hours ahead
    [InlineData("America/New_York", 9)]
    public async Task A_day_ends_at_the_readers_midnight(string zone, int bar)
    {
        await SeedMonthAsync();

        var view = await ExploreAsync(CostSplit.Project, zone: ReaderZone.Named(zone));

        Assert.Equal([bar], view.Rows.SelectMany(r => r.Bars.Select((money, day) => (money, day))).Where(d => d.money.Micros == 2_820_000).Select(d => d.day));
    }

    [Fact]
    public async Task A_half_month_is_compared_with_the_same_days_of_the_month_before()
    {
        await SeedMonthAsync();
        await SeedAsync(seed =>
        {
            var account = seed.Connection(TeamSeed.VastAi);
            Spend(seed, account, "october-early", JobStatus.Succeeded, 2m, new DateTimeOffset(2026, 10, 20, 8, 0, 0, TimeSpan.Zero), skip: 60);
            Spend(seed, account, "october-late", JobStatus.Succeeded, 50m, new DateTimeOffset(2026, 10, 24, 8, 0, 0, TimeSpan.Zero), skip: 70);
        });

        var page = Show<CostsPage>("/t/halden/costs");

        Assert.Contains("vs 1 to 23 Oct 2026", page.Find("table.split thead").TextContent);
        Assert.Contains("+97%", page.Find("table.split tfoot").TextContent); // 3.94 against 2.00
    }

    [Fact]
    public async Task Simulated_money_never_mixes_with_real_money()
    {
        await SeedMonthAsync();
        await SeedAsync(seed => Spend(seed, seed.Connection(TeamSeed.Sandbox), "toy", JobStatus.Succeeded, 99m, new DateTimeOffset(2026, 11, 9, 8, 0, 0, TimeSpan.Zero), skip: 50));

        Assert.Contains("$3.94", Show<CostsPage>("/t/halden/costs").Find("table.split tfoot").TextContent);
        Assert.Contains("3 entries · $3.94", Show<LedgerPage>("/t/halden/costs/ledger").Find(".card-foot").TextContent);
        Assert.Contains("$3.94", Show<InvoicePage>("/t/halden/costs/invoices/2026-11", ("Month", "2026-11")).Find(".lines tfoot").TextContent);
    }

    [Fact]
    public async Task An_empty_month_says_where_the_ledger_begins_and_leads_there()
    {
        await SeedMonthAsync();

        var face = Show<CostsPage>("/t/halden/costs?month=2026-09").Find(".face");

        Assert.Contains("First entry: 10 Nov 2026.", face.TextContent);
        Assert.Equal("/t/halden/costs?month=2026-11", face.QuerySelector("a")!.GetAttribute("href"));
    }

    [Fact]
    public async Task A_period_that_cannot_be_is_dropped_with_one_line()
    {
        await SeedMonthAsync();

        var page = Show<CostsPage>("/t/halden/costs?from=2026-11-30&to=2026-11-01");

        Assert.Contains("this is November 2026", page.Find(".notice.dropped").TextContent);
        Assert.Contains("$3.94", page.Find("table.split tfoot").TextContent);
    }

    [Fact]
    public async Task Picking_a_split_a_period_or_a_row_makes_an_address_that_reproduces_the_view()
    {
        await SeedMonthAsync();
        var page = Show<CostsPage>("/t/halden/costs");
        var address = Services.GetRequiredService<NavigationManager>();

        await page.FindAll(".filters label select")[0].ChangeAsync(new() { Value = "Person" });
        Assert.EndsWith("/t/halden/costs?by=person", address.Uri, StringComparison.Ordinal);

        await page.Find("select[aria-label='Another period']").ChangeAsync(new() { Value = "last 7 days" });
        Assert.EndsWith("/t/halden/costs?by=person&from=2026-11-17&to=2026-11-23", address.Uri, StringComparison.Ordinal);

        address.NavigateTo("/t/halden/costs");
        Assert.Contains("by=job", page.WaitForElement("table.split tbody th a").GetAttribute("href")!, StringComparison.Ordinal);
        address.NavigateTo(page.Find("table.split tbody th a").GetAttribute("href")!);
        page.WaitForAssertion(() => Assert.Contains("$2.82", page.Find("table.split tfoot").TextContent)); // the first row is the dearest project
    }

    [Fact]
    public async Task Rows_and_colours_stay_where_they_are_while_ranks_change()
    {
        await SeedMonthAsync();
        var page = Show<CostsPage>("/t/halden/costs?by=job");
        Assert.Equal(["support-bot-v6", "legal-sum"], page.FindAll("table.split tbody th a").Select(a => a.TextContent));

        await SeedAsync(seed =>
        {
            var account = seed.Connection(TeamSeed.VastAi);
            Spend(seed, account, "newcomer", JobStatus.Running, 40m, new DateTimeOffset(2026, 11, 22, 8, 0, 0, TimeSpan.Zero), skip: 80);
        });
        Feed.Publish(Team.Id);

        page.WaitForAssertion(() => Assert.Equal(["support-bot-v6", "legal-sum", "newcomer"], page.FindAll("table.split tbody th a").Select(a => a.TextContent)));
        Assert.Equal("background:var(--c1)", page.Find("table.split tbody .swatch").GetAttribute("style"));
    }

    [Fact]
    public async Task The_chart_can_be_read_as_a_table_whose_last_running_total_is_the_total()
    {
        await SeedMonthAsync();

        var days = Show<CostsPage>("/t/halden/costs").FindAll("table.days tbody tr");

        Assert.Equal(23, days.Count); // to today
        Assert.EndsWith("$3.94", days[^1].TextContent.Trim(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_inferred_is_said_and_what_is_not_reported_is_an_estimate()
    {
        await SeedAsync(seed => Spend(seed, seed.Connection(TeamSeed.VastAi), "cut", JobStatus.Failed, 1m, new DateTimeOffset(2026, 11, 12, 8, 0, 0, TimeSpan.Zero), estimated: true));

        Assert.Contains("$1.00 with an end inferred", Show<CostsPage>("/t/halden/costs").Find(".tile").TextContent);
        Assert.Equal("estimated", Show<LedgerPage>("/t/halden/costs/ledger").Find("td .tag").TextContent);
    }

    [Fact]
    public async Task A_viewer_is_refused_the_costs()
    {
        await SeedMonthAsync();
        ReadAs(Role.Viewer);

        Assert.Contains("does not allow", Show<CostsPage>("/t/halden/costs").Find("[role=alert]").TextContent);
        Assert.Contains("does not allow", Show<LedgerPage>("/t/halden/costs/ledger").Find("[role=alert]").TextContent);
        Assert.Contains("does not allow", Show<InvoicesPage>("/t/halden/costs/invoices").Find("[role=alert]").TextContent);
        Assert.Contains("does not allow", Show<InvoicePage>("/t/halden/costs/invoices/2026-11", ("Month", "2026-11")).Find("[role=alert]").TextContent);
    }

    [Fact]
    public void A_ledger_that_cannot_be_read_says_so()
    {
        DatabaseFails = true;

        Assert.Contains("The ledger could not be read.", Show<CostsPage>("/t/halden/costs").Find("[role=alert]").TextContent);
    }

    private Task<CostsView> ExploreAsync(CostSplit by, CostSplit? then = null, ReaderZone? zone = null) => Services.GetRequiredService<CostQueries>().ExploreAsync(
        Member, new CostsQuestion(CostPeriod.Month(new DateOnly(2026, 11, 1), zone ?? ReaderZone.Utc), CostScope.All, by, then, new DateOnly(2026, 11, 23)), CancellationToken.None);

    private Task SeedMonthAsync() => SeedAsync(Month);
}
