using Bunit;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Web.Components;
using Dashboard.Web.Features.Costs;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Costs;

public sealed class CostsPageTests : PageTest
{
    [Theory]
    [InlineData(CostSplit.Project)]
    [InlineData(CostSplit.Person)]
    [InlineData(CostSplit.Job)]
    public async Task The_rows_the_days_and_the_kinds_add_up_to_the_total(CostSplit by)
    {
        await SeedMonthAsync();

        var view = await Services.GetRequiredService<CostQueries>().ExploreAsync(Member, new CostsFilter(new DateOnly(2026, 11, 1), by, ReaderZone.Utc), CancellationToken.None);

        Assert.Equal(new Money(3_940_000), view.Spent);
        Assert.Equal(view.Spent.Micros, view.Rows.Sum(r => r.Spent.Micros));
        Assert.Equal(view.Spent.Micros, view.Rows.SelectMany(r => r.ByDay).Sum(d => d.Micros));
        Assert.Equal(view.Spent, view.Gpu + view.Disk + view.Traffic + view.Adjustments);
    }

    [Fact]
    public async Task A_day_ends_at_the_readers_midnight()
    {
        await SeedMonthAsync();
        var oslo = new CostsFilter(new DateOnly(2026, 11, 1), CostSplit.Project, ReaderZone.Named("Europe/Oslo"));

        var view = await Services.GetRequiredService<CostQueries>().ExploreAsync(Member, oslo, CancellationToken.None);

        // 23:30 UTC on the 10th is the 11th in Oslo.
        Assert.Equal([10], view.Rows.SelectMany(r => r.ByDay.Select((money, day) => (money, day))).Where(d => d.money.Micros == 2_820_000).Select(d => d.day));
    }

    [Fact]
    public async Task Simulated_money_never_mixes_with_real_money()
    {
        await SeedMonthAsync();
        await SeedAsync(seed => Spend(seed, seed.Connection(TeamSeed.Sandbox), "toy", JobStatus.Succeeded, 99m, new DateTimeOffset(2026, 11, 9, 8, 0, 0, TimeSpan.Zero), skip: 50));

        Assert.Contains("$3.94", Show<CostsPage>("/t/halden/costs").Find("tfoot").TextContent);
    }

    [Fact]
    public async Task An_empty_month_says_where_the_ledger_begins()
    {
        await SeedMonthAsync();

        Assert.Contains("First entry: 10 Nov 2026.", Show<CostsPage>("/t/halden/costs?month=2026-09").Find(".face").TextContent);
    }

    [Fact]
    public async Task The_ledger_page_sums_what_it_filters()
    {
        await SeedMonthAsync();

        Assert.Contains("3 entries · $3.94 in this view", Show<LedgerPage>("/t/halden/costs/ledger").Find(".card-foot").TextContent);
        Assert.Contains("1 entry · $0.11 in this view", Show<LedgerPage>("/t/halden/costs/ledger?kind=disk").Find(".card-foot").TextContent);
        Assert.Contains("1 entry · $1.12 in this view", Show<LedgerPage>("/t/halden/costs/ledger?job=202").Find(".card-foot").TextContent);
    }

    [Fact]
    public async Task A_viewer_is_refused_the_costs()
    {
        await SeedMonthAsync();
        ReadAs(Role.Viewer);

        Assert.Contains("does not allow", Show<CostsPage>("/t/halden/costs").Find("[role=alert]").TextContent);
    }

    [Fact]
    public void A_ledger_that_cannot_be_read_says_so()
    {
        DatabaseFails = true;

        Assert.Contains("The ledger could not be read.", Show<CostsPage>("/t/halden/costs").Find("[role=alert]").TextContent);
    }

    private Task SeedMonthAsync() => SeedAsync(seed =>
    {
        var account = seed.Connection(TeamSeed.VastAi);
        Spend(seed, account, "support-bot-v6", JobStatus.Succeeded, 2.71m, new DateTimeOffset(2026, 11, 10, 23, 30, 0, TimeSpan.Zero), diskUsd: 0.11m);
        Spend(seed, account, "legal-sum", JobStatus.Failed, 1.12m, new DateTimeOffset(2026, 11, 12, 8, 0, 0, TimeSpan.Zero), project: "legal-summaries");
    });

    private static void Spend(TeamSeed seed, Connection account, string name, JobStatus status, decimal usd, DateTimeOffset at, decimal diskUsd = 0, string? project = null, int skip = 0)
    {
        var job = seed.Job(account, name, status, project: project is null ? null : seed.Project(project), skip: skip);
        var attempt = seed.Attempt(job);
        var machine = seed.Instance(job, attempt, InstanceStatus.Gone);
        seed.Charge(job, attempt, machine, account.Market, usd, at);
        if (diskUsd > 0)
        {
            seed.Charge(job, attempt, machine, account.Market, diskUsd, at, ChargeKind.Disk);
        }
    }
}
