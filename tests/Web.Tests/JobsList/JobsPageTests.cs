using Bunit;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Web.Features.Jobs;
using Dashboard.Infrastructure.Lifecycle;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor.Services;

namespace Dashboard.Web.Tests.JobsList;

public sealed class JobsPageTests : PageTest
{
    public JobsPageTests()
    {
        Services.AddMudServices();
        Services.AddSingleton<LifecycleSignal>().AddSingleton<CancelJob>().AddSingleton<JobQueries>().AddSingleton<BulkStopping>();
    }

    [Fact]
    public async Task Active_jobs_are_shown_first_and_ended_ones_behind_a_link()
    {
        await SeedThreeAsync();

        Assert.Equal(["support-bot-v7"], Names("/t/halden/jobs"));
        Assert.Equal(["legal-sum", "support-bot-v6"], Names("/t/halden/jobs?status=ended"));
        Assert.Equal(3, Names("/t/halden/jobs?status=all").Count);
    }

    [Theory]
    [InlineData("SUPPORT", 2)]
    [InlineData("201", 1)]
    [InlineData("#201", 1)]
    [InlineData("mistral", 1)]
    [InlineData("nightly", 1)]
    [InlineData("18244", 1)]
    [InlineData("31415", 1)]
    [InlineData("100%", 0)]
    public async Task A_search_matches_name_number_model_tag_machine_and_contract(string text, int hits)
    {
        await SeedThreeAsync();

        Assert.Equal(hits, Names($"/t/halden/jobs?status=all&q={Uri.EscapeDataString(text)}").Count);
    }

    [Fact]
    public async Task The_foot_sums_what_the_filter_left()
    {
        await SeedThreeAsync();
        var queries = Services.GetRequiredService<JobsListQueries>();

        Assert.Equal((3, new Money(4_650_000)), await SumAsync(new JobsFilter(JobsShown.All)));
        Assert.Equal((2, new Money(3_830_000)), await SumAsync(new JobsFilter(JobsShown.Ended)));
        Assert.Equal((1, new Money(1_120_000)), await SumAsync(new JobsFilter(JobsShown.All, "legal")));

        async Task<(int, Money)> SumAsync(JobsFilter filter)
        {
            var view = await queries.ListAsync(Member, filter, CancellationToken.None);
            return (view.Total, view.Sum);
        }
    }

    [Fact]
    public async Task A_page_holds_fifty_and_the_next_one_the_rest()
    {
        await SeedAsync(seed =>
        {
            var account = seed.Connection(TeamSeed.VastAi);
            for (var i = 0; i < 53; i++)
            {
                seed.Job(account, $"run-{i}", JobStatus.Succeeded);
            }
        });
        var queries = Services.GetRequiredService<JobsListQueries>();

        var first = await queries.ListAsync(Member, new JobsFilter(JobsShown.All), CancellationToken.None);
        var second = await queries.ListAsync(Member, new JobsFilter(JobsShown.All, Page: 2), CancellationToken.None);

        Assert.Equal((50, 3, 2), (first.Rows.Count, second.Rows.Count, first.Pages));
        Assert.Empty(first.Rows.Select(r => r.Id).Intersect(second.Rows.Select(r => r.Id)));
    }

    [Fact]
    public async Task An_ended_row_says_how_it_ended_and_what_came_home()
    {
        await SeedThreeAsync();

        var rows = Show<JobsPage>("/t/halden/jobs?status=ended").FindAll("tbody tr");

        Assert.Contains("script failed, no files", rows[0].TextContent);
        Assert.Contains("1 file home", rows[1].TextContent);
        Assert.Contains("−3% vs quote", rows[1].TextContent);
    }

    [Fact]
    public async Task A_search_without_hits_offers_to_drop_what_hides_them()
    {
        await SeedThreeAsync();

        var face = Show<JobsPage>("/t/halden/jobs?q=legal").Find(".face");

        Assert.Contains("No active job matches “legal”.", face.TextContent);
        Assert.Equal("/t/halden/jobs?status=all&q=legal", face.QuerySelectorAll("a")[1].GetAttribute("href"));
    }

    [Fact]
    public void A_new_team_is_shown_its_first_step() =>
        Assert.Equal("/t/halden/jobs/new?preset=smoke", Show<JobsPage>("/t/halden/jobs").Find(".face a").GetAttribute("href"));

    [Fact]
    public void A_viewer_sees_no_button_that_would_be_refused()
    {
        ReadAs(Role.Viewer);

        Assert.Empty(Show<JobsPage>("/t/halden/jobs").FindAll(".face a"));
    }

    [Fact]
    public async Task An_unknown_status_is_dropped_with_a_note()
    {
        await SeedThreeAsync();

        Assert.Contains("There is no status “lost”", Show<JobsPage>("/t/halden/jobs?status=lost").Find(".filters").TextContent);
    }

    [Fact]
    public void A_list_that_cannot_be_read_says_so()
    {
        DatabaseFails = true;

        var page = Show<JobsPage>("/t/halden/jobs");

        Assert.Contains("could not be read", page.Find("[role=alert]").TextContent);
    }

    [Theory]
    [InlineData("by=me", 3)]
    [InlineData("project=support-bot", 3)]
    [InlineData("project=other", 0)]
    [InlineData("tag=nightly", 1)]
    [InlineData("gpu=RTX%204090", 3)]
    [InlineData("gpu=H100", 0)]
    [InlineData("provider=Vast.ai", 3)]
    [InlineData("provider=Sandbox", 0)]
    [InlineData("by=0123456789abcdef0123456789abcdef", 0)]
    public async Task The_address_filters(string query, int hits)
    {
        await SeedThreeAsync();

        Assert.Equal(hits, Names($"/t/halden/jobs?status=all&{query}").Count);
    }

    [Theory]
    [InlineData("", "support-bot-v7 legal-sum support-bot-v6")]
    [InlineData("&sort=started", "support-bot-v6 legal-sum support-bot-v7")]
    [InlineData("&sort=name", "legal-sum support-bot-v6 support-bot-v7")]
    [InlineData("&sort=-cost", "support-bot-v6 legal-sum support-bot-v7")]
    public async Task The_address_sorts(string query, string expected)
    {
        await SeedThreeAsync();

        Assert.Equal(expected.Split(' '), Names($"/t/halden/jobs?status=all{query}"));
    }

    [Fact]
    public async Task A_row_that_ends_keeps_its_place_and_a_new_one_waits_to_be_shown()
    {
        await SeedThreeAsync();
        var page = Show<JobsPage>("/t/halden/jobs");
        await using (var db = await Database.ForSystemAsync(CancellationToken.None))
        {
            var running = await db.Jobs.SingleAsync(j => j.Name == "support-bot-v7");
            running.MoveTo(JobStatus.Terminating, Time.GetUtcNow());
            running.MoveTo(JobStatus.Succeeded, Time.GetUtcNow());
            await db.SaveChangesAsync();
        }

        await SeedAsync(seed => seed.Job(seed.Connection(TeamSeed.VastAi), "brand-new", JobStatus.Provisioning, skip: 10));
        Feed.Publish(Team.Id);

        page.WaitForAssertion(() => Assert.Contains("1 new", page.Find(".new-rows").TextContent));
        Assert.Equal(["support-bot-v7"], Shown(page));
        Assert.Contains("Succeeded", page.Find("tbody tr").TextContent);

        await page.Find(".new-rows button").ClickAsync();

        Assert.Equal(["brand-new"], Shown(page));
        Assert.Empty(page.FindAll(".new-rows"));
    }

    [Fact]
    public async Task Several_jobs_are_stopped_with_one_truth_card()
    {
        await SeedThreeAsync();
        await SeedAsync(seed => seed.Job(seed.Connection(TeamSeed.VastAi), "waits", JobStatus.Submitted, skip: 10));
        var page = Show<JobsPage>("/t/halden/jobs");
        foreach (var name in new[] { "support-bot-v7", "waits" })
        {
            await page.Find($"td.pick input[aria-label^='Select {name}']").ChangeAsync(true);
        }

        Assert.Contains("2 jobs selected", page.Find(".card-foot").TextContent);
        await page.Find(".card-foot .btn-danger").ClickAsync();
        var card = page.Find("dialog.stop-card");
        Assert.Contains("Stop 2 jobs?", card.TextContent);
        Assert.Contains("$0.412/h", card.QuerySelector("#bulk-truth")!.TextContent); // one machine bills, GPU and disk
        Assert.Equal(2, card.QuerySelectorAll(".each li").Length);
        Assert.Equal(2, card.QuerySelectorAll(".choice").Length);
        await page.Find("dialog .btn-destroy").ClickAsync();

        await using var db = await Database.ForSystemAsync(CancellationToken.None);
        Assert.Equal(["support-bot-v7", "waits"], await db.Jobs.Where(j => j.Cancel == CancelMode.SaveThenDestroy).Select(j => j.Name).Order().ToListAsync());
        Assert.Empty(page.FindAll("dialog"));
    }

    [Fact]
    public async Task One_job_is_stopped_from_its_row()
    {
        await SeedThreeAsync();
        var page = Show<JobsPage>("/t/halden/jobs");

        await page.Find(".row-menu button").ClickAsync();

        Assert.Contains("Stop support-bot-v7?", page.Find("dialog").TextContent);
    }

    [Fact]
    public async Task A_viewer_selects_and_stops_nothing_and_sees_no_money()
    {
        await SeedThreeAsync();
        ReadAs(Role.Viewer);

        var page = Show<JobsPage>("/t/halden/jobs?status=all");

        Assert.Empty(page.FindAll("td.pick, .row-menu button"));
        Assert.DoesNotContain("$", page.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Filters_that_hide_everything_can_be_dropped_one_by_one()
    {
        await SeedThreeAsync();

        var face = Show<JobsPage>("/t/halden/jobs?status=all&tag=nightly&gpu=H100").Find(".face");

        Assert.Equal(["/t/halden/jobs?status=all&gpu=H100", "/t/halden/jobs?status=all&tag=nightly"], face.QuerySelectorAll("a").Select(a => a.GetAttribute("href")));
    }

    private static List<string> Shown(IRenderedComponent<JobsPage> page) => [.. page.FindAll("tbody td a.strong").Select(a => a.TextContent)];

    private List<string> Names(string address) => [.. Show<JobsPage>(address).FindAll("tbody td a.strong").Select(a => a.TextContent)];

    private Task SeedThreeAsync() => SeedAsync(seed =>
    {
        var account = seed.Connection(TeamSeed.VastAi);
        Ended(seed.Job(account, "support-bot-v6", JobStatus.Succeeded, TimeSpan.FromHours(9), estimateUsd: 2.80m), "17001", 2.71m, files: true);
        Ended(seed.Job(account, "legal-sum", JobStatus.Failed, TimeSpan.FromHours(7), reason: StopReason.ScriptFailed, preset: "lora", model: "mistral-7b"), "17002", 1.12m);
        var running = seed.Job(account, "support-bot-v7", JobStatus.Running, tags: ["nightly"]);
        var attempt = seed.Attempt(running, 1_820, 2_700, 0.842, 8.3);
        var machine = seed.Instance(running, attempt, InstanceStatus.Running, contract: "18244", machine: "31415");
        seed.Charge(running, attempt, machine, TeamSeed.VastAi, 0.82m, Time.GetUtcNow() - TimeSpan.FromHours(1));

        void Ended(Job job, string contract, decimal usd, bool files = false)
        {
            var ended = seed.Attempt(job, 2_700, 2_700, 0.861);
            var gone = seed.Instance(job, ended, InstanceStatus.Gone, contract: contract, machine: "27182");
            seed.Charge(job, ended, gone, TeamSeed.VastAi, usd, Time.GetUtcNow() - TimeSpan.FromHours(6));
            if (files)
            {
                seed.Artifact(job);
            }
        }
    });
}
