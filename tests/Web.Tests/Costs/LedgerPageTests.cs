using System.Text;
using System.Text.Json;
using Bunit;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Web.Components;
using Dashboard.Web.Features.Costs;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using static Dashboard.Web.Tests.Costs.LedgerSeed;

namespace Dashboard.Web.Tests.Costs;

public sealed class LedgerPageTests : PageTest
{
    [Theory]
    [InlineData("", "3 entries · $3.94 in this view")]
    [InlineData("?kind=disk", "1 entry · $0.11 in this view")]
    [InlineData("?job=202", "1 entry · $1.12 in this view")]
    [InlineData("?gpu=RTX%204090", "3 entries · $3.94 in this view")]
    [InlineData("?provider=vastai", "3 entries · $3.94 in this view")]
    [InlineData("?from=2026-11-11&to=2026-11-12", "1 entry · $1.12 in this view")]
    [InlineData("?month=2026-11&sort=-amount", "3 entries · $3.94 in this view")]
    public async Task The_foot_sums_what_is_filtered(string filter, string foot)
    {
        await SeedAsync(Month);

        Assert.Contains(foot, Show<LedgerPage>("/t/halden/costs/ledger" + filter).Find(".card-foot").TextContent);
    }

    [Theory]
    [InlineData("", new[] { "$3.94", "$2.82", "$2.71" })]
    [InlineData("?sort=time", new[] { "$2.71", "$2.82", "$3.94" })]
    public async Task The_running_sum_is_that_of_time_in_either_direction(string sort, string[] sums)
    {
        await SeedAsync(Month);

        Assert.Equal(sums, Show<LedgerPage>("/t/halden/costs/ledger" + sort).FindAll("table.entries tbody td:last-child").Select(td => td.TextContent.Trim()));
    }

    [Fact]
    public async Task A_second_page_goes_on_from_the_sum_of_the_first()
    {
        await SeedAsync(seed =>
        {
            var account = seed.Connection(TeamSeed.VastAi);
            var job = seed.Job(account, "long", JobStatus.Running);
            var attempt = seed.Attempt(job);
            var machine = seed.Instance(job, attempt, Domain.Instances.InstanceStatus.Running);
            for (var minute = 0; minute < LedgerQueries.PageSize + 2; minute++)
            {
                seed.Charge(job, attempt, machine, account.Market, 0.5m, new DateTimeOffset(2026, 11, 12, 8, 0, 0, TimeSpan.Zero).AddMinutes(minute));
            }
        });

        var rows = Show<LedgerPage>("/t/halden/costs/ledger?sort=time&page=2").FindAll("table.entries tbody tr");

        Assert.Equal(["$50.50", "$51.00"], rows.Select(r => r.LastElementChild!.TextContent.Trim()));
    }

    [Fact]
    public async Task Sorting_by_amount_says_so_to_screen_readers_and_keeps_the_filters()
    {
        await SeedAsync(Month);
        var page = Show<LedgerPage>("/t/halden/costs/ledger?kind=gpu");

        Services.GetRequiredService<NavigationManager>().NavigateTo(page.FindAll("table.entries thead a")[1].GetAttribute("href")!);

        Assert.Equal("descending", page.FindAll("table.entries thead th")[7].GetAttribute("aria-sort"));
        Assert.Equal(["$2.71", "$1.12"], page.FindAll("table.entries tbody td:last-child").Select(td => td.TextContent.Trim()));
    }

    [Fact]
    public async Task New_entries_wait_until_the_reader_asks_for_them()
    {
        await SeedAsync(Month);
        var page = Show<LedgerPage>("/t/halden/costs/ledger");

        await SeedAsync(seed => Spend(seed, seed.Connection(TeamSeed.VastAi), "newcomer", JobStatus.Running, 1m, new DateTimeOffset(2026, 11, 20, 8, 0, 0, TimeSpan.Zero), skip: 50));
        Feed.Publish(Team.Id);
        page.WaitForAssertion(() => page.Find(".newer button"));

        Assert.Contains("3 entries · $3.94", page.Find(".card-foot").TextContent);
        Assert.Equal("1 new entry · show", page.Find(".newer button").TextContent);
        await page.Find(".newer button").ClickAsync(new());
        Assert.Contains("4 entries · $4.94", page.Find(".card-foot").TextContent);
        Assert.Empty(page.FindAll(".newer"));
    }

    [Fact]
    public async Task What_was_inferred_is_summed_in_the_foot()
    {
        await SeedAsync(Month);
        await SeedAsync(seed => Spend(seed, seed.Connection(TeamSeed.VastAi), "cut", JobStatus.Failed, 0.5m, new DateTimeOffset(2026, 11, 12, 8, 0, 0, TimeSpan.Zero), skip: 50, estimated: true));

        Assert.Equal("4 entries · $4.44 in this view", Show<LedgerPage>("/t/halden/costs/ledger").Find(".card-foot span").TextContent);
        Assert.Equal("$0.50 of it with an end that was inferred", Show<LedgerPage>("/t/halden/costs/ledger").Find(".card-foot span.t3").TextContent);
    }

    [Fact]
    public async Task A_filter_that_nothing_fits_leads_back_to_everything()
    {
        await SeedAsync(Month);

        Assert.Equal("/t/halden/costs/ledger", Show<LedgerPage>("/t/halden/costs/ledger?kind=upload").Find(".face a").GetAttribute("href"));
    }

    [Fact]
    public void An_empty_ledger_leads_to_the_first_run() =>
        Assert.Contains("Run the smoke test", Show<LedgerPage>("/t/halden/costs/ledger").Find(".face a").TextContent);

    [Fact]
    public async Task The_file_ends_with_the_total_of_the_page()
    {
        await SeedAsync(Month);

        var rows = await Services.GetRequiredService<LedgerQueries>().StreamAsync(Member, CostPeriod.Month(new DateOnly(2026, 11, 1), ReaderZone.Utc), CostScope.All, CancellationToken.None).ToListAsync(CancellationToken.None);

        Assert.Equal(Money.FromUsd(3.94m), rows[^1].Running);
        Assert.Contains(",2026-11-10T23:30:00.000Z,2026-11-10T23:31:00.000Z,Usage,GPU,2.710000,USD,60,Seconds,Vast.ai,18244,RTX 4090,0.400000,201,support-bot-v6,support-bot,Mira Okafor,Metered,,2026-11-10T23:31:00.000Z,2.710000,false", LedgerCsv.Line(rows[0]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_entries_come_as_JSON_with_exact_numbers_and_FOCUS_names()
    {
        await SeedAsync(seed => Spend(seed, seed.Connection(TeamSeed.VastAi), "tagged", JobStatus.Succeeded, 1.5m, new DateTimeOffset(2026, 11, 12, 8, 0, 0, TimeSpan.Zero), tags: ["nightly", "eval"]));
        var row = Assert.Single(await Services.GetRequiredService<LedgerQueries>().StreamAsync(Member, null, CostScope.All, CancellationToken.None).ToListAsync(CancellationToken.None));
        var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            LedgerCsv.Write(json, row);
        }

        var entry = JsonElement.Parse(Encoding.UTF8.GetString(bytes.ToArray()));
        Assert.Equal("1.500000", entry.GetProperty("BilledCost").GetRawText());
        Assert.Equal("2026-11-01T00:00:00.000Z", entry.GetProperty("BillingPeriodStart").GetString());
        Assert.Equal(("Usage", "Compute", "Estimated", JsonValueKind.Null), (entry.GetProperty("ChargeCategory").GetString(), entry.GetProperty("ServiceCategory").GetString(), entry.GetProperty("x_Status").GetString(), entry.GetProperty("ChargeClass").ValueKind));
        Assert.Equal(["nightly", "eval"], entry.GetProperty("Tags").EnumerateObject().Select(tag => tag.Name));
        Assert.Equal(entry.EnumerateObject().Count(), LedgerCsv.Line(row with { JobName = "no comma", Tags = [] }).Split(',').Length);
    }

    [Theory]
    [InlineData("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0")]
    [InlineData("a, \"b\"", "\"a, \"\"b\"\"\"")]
    public async Task A_name_cannot_become_a_formula_or_another_column(string name, string cell)
    {
        await SeedAsync(seed => Spend(seed, seed.Connection(TeamSeed.VastAi), name, JobStatus.Failed, 1m, new DateTimeOffset(2026, 11, 12, 8, 0, 0, TimeSpan.Zero)));

        var rows = await Services.GetRequiredService<LedgerQueries>().StreamAsync(Member, null, CostScope.All, CancellationToken.None).ToListAsync(CancellationToken.None);

        Assert.Contains($",201,{cell},support-bot,", LedgerCsv.Line(rows[0]), StringComparison.Ordinal);
    }
}
