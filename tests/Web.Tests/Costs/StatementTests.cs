using Bunit;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Costs.Reconciliation;
using Dashboard.Domain.Jobs;
using Dashboard.Web.Features.Costs;
using Microsoft.Extensions.DependencyInjection;
using static Dashboard.Web.Tests.Costs.LedgerSeed;

namespace Dashboard.Web.Tests.Costs;

public sealed class StatementTests : PageTest
{
    [Fact]
    public async Task A_statement_names_team_and_period_and_all_its_sums_are_the_same()
    {
        await SeedAsync(Month);

        var page = Show<InvoicePage>("/t/halden/costs/invoices/2026-11", ("Month", "2026-11"));

        Assert.Equal("Statement of November 2026", page.Find("article h2").TextContent);
        Assert.Contains("Halden Lab", page.Find("article header").TextContent);
        Assert.Contains("1 Nov 2026 00:00 to 1 Dec 2026 00:00 UTC", page.Find("article dl").TextContent);
        Assert.All(page.FindAll("article tfoot"), foot => Assert.EndsWith("$3.94", foot.TextContent.Trim(), StringComparison.Ordinal));
        Assert.Equal(5, page.FindAll("article tfoot").Count);
        Assert.Equal(3, page.FindAll(".lines tbody tr").Count);
    }

    [Fact]
    public async Task Entries_of_one_machine_kind_and_rate_are_one_line_that_counts_them()
    {
        await SeedAsync(seed =>
        {
            var account = seed.Connection(TeamSeed.VastAi);
            var job = seed.Job(account, "long", JobStatus.Succeeded);
            var attempt = seed.Attempt(job);
            var machine = seed.Instance(job, attempt, Domain.Instances.InstanceStatus.Gone);
            for (var minute = 0; minute < 90; minute++)
            {
                seed.Charge(job, attempt, machine, account.Market, 0.01m, new DateTimeOffset(2026, 11, 30, 23, 0, 0, TimeSpan.Zero).AddMinutes(minute));
            }
        });

        var november = await Services.GetRequiredService<StatementQueries>().ReadAsync(Member, new DateOnly(2026, 11, 1), CancellationToken.None);
        var december = await Services.GetRequiredService<StatementQueries>().ReadAsync(Member, new DateOnly(2026, 12, 1), CancellationToken.None);

        var line = Assert.Single(november.Lines);
        Assert.Equal((60, 3600m, Money.FromUsd(0.6m)), (line.Entries, line.Quantity, line.Amount));
        Assert.Equal((30, Money.FromUsd(0.3m)), (december.Entries, december.Total));
    }

    [Fact]
    public async Task The_months_add_up_to_the_ledger()
    {
        await SeedAsync(Month);
        await SeedAsync(seed => Spend(seed, seed.Connection(TeamSeed.VastAi), "october", JobStatus.Succeeded, 2m, new DateTimeOffset(2026, 10, 31, 23, 59, 0, TimeSpan.Zero), skip: 50));

        var rows = Show<InvoicesPage>("/t/halden/costs/invoices").FindAll("tbody tr");

        Assert.Equal(["November 2026", "October 2026"], rows.Select(r => r.QuerySelector("a")!.TextContent));
        Assert.Equal(["$3.94", "$2.00"], rows.Select(r => r.LastElementChild!.TextContent));
    }

    [Fact]
    public async Task A_statement_stands_beside_the_providers_own_figure()
    {
        await SeedAsync(seed =>
        {
            var account = seed.Connection(TeamSeed.VastAi);
            var job = seed.Job(account, "billed", JobStatus.Succeeded);
            var attempt = seed.Attempt(job);
            var machine = seed.Instance(job, attempt, Domain.Instances.InstanceStatus.Gone);
            var at = new DateTimeOffset(2026, 11, 12, 8, 0, 0, TimeSpan.Zero);
            seed.Charge(job, attempt, machine, account.Market, 1m, at);
            seed.Charge(job, attempt, machine, account.Market, 0.03m, at, ChargeKind.Disk);
            seed.Add(new BillLine
            {
                TeamId = Team.Id, ConnectionId = account.Id, Market = account.Market, InstanceId = machine.Id, Kind = ChargeKind.Gpu, Month = new DateTimeOffset(2026, 11, 1, 0, 0, 0, TimeSpan.Zero), Ours = Money.FromUsd(1m),
                Theirs = Money.FromUsd(1.004m), Reported = true, Settled = true, ConfirmedUntil = at.AddMinutes(1), State = BillState.Matched, Cause = DifferenceCause.Seconds, CheckedAt = at,
            });
        });

        var page = Show<InvoicePage>("/t/halden/costs/invoices/2026-11", ("Month", "2026-11"));

        Assert.Equal(["$1.03", "$0.03", "$1.00", "+$0.0040"], page.FindAll(".bills td").Select(td => td.TextContent.Trim()));
        Assert.Contains("Confirmed$1.00, reported by the provider", page.Find("article dl").TextContent);
        Assert.Contains("Estimated$0.03, metered here and not reported yet", page.Find("article dl").TextContent);
        Assert.Contains("3 Dec 2026 00:00 UTC; until then corrections may be added", page.Find("article dl").TextContent);
        Assert.Equal(["confirmed", "estimated"], Show<LedgerPage>("/t/halden/costs/ledger?sort=-amount").FindAll("td .tag").Select(tag => tag.TextContent));
    }

    [Theory]
    [InlineData("2026-13")]
    [InlineData("november")]
    public void A_month_that_is_none_says_so(string month) =>
        Assert.Contains("There is no such month.", Show<InvoicePage>($"/t/halden/costs/invoices/{month}", ("Month", month)).Markup);

    [Fact]
    public async Task Printing_is_the_browsers()
    {
        await SeedAsync(Month);
        var page = Show<InvoicePage>("/t/halden/costs/invoices/2026-11", ("Month", "2026-11"));

        await page.Find(".filters button").ClickAsync(new());

        Assert.Single(JSInterop.Invocations, call => call.Identifier == "print");
    }
}
