using Bunit;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Logs;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Features.Home;
using Dashboard.Web.Features.Inbox;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Home;

public sealed class HomePageTests : PageTest
{
    [Fact]
    public void Nothing_running_is_said_with_the_next_step()
    {
        var card = Show<BurnCard>();

        Assert.Contains("Nothing is running, so nothing is billing.", card.Markup);
        Assert.Equal("Run the smoke test", card.Find("a.btn").TextContent);
    }

    [Fact]
    public async Task The_burn_is_split_by_job_and_says_what_is_disk_only()
    {
        await SeedAsync(seed =>
        {
            var account = seed.Connection(TeamSeed.VastAi);
            Run(seed, account, "support-bot-v7", InstanceStatus.Running, 0.4m);
            Run(seed, account, "evals-smoke", InstanceStatus.Booting, 0.183m);
        });

        var lines = Show<BurnCard>().FindAll("li");

        Assert.Equal(["support-bot-v7", "evals-smoke, disk only"], lines.Select(l => l.QuerySelector(".clip")!.TextContent));
        Assert.Equal(["$0.412/h", "$0.012/h"], lines.Select(l => l.QuerySelector(".medium")!.TextContent.Trim()));
    }

    [Fact]
    public async Task A_balance_that_runs_out_within_a_day_is_amber()
    {
        await SeedAsync(seed => Run(seed, seed.Connection(TeamSeed.VastAi, credit: Money.FromUsd(4.13m)), "support-bot-v7", InstanceStatus.Running, 0.4m));

        var words = Show<BalancesCard>().Find(".balance .note");

        Assert.StartsWith("10 h at this rate", words.TextContent, StringComparison.Ordinal);
        Assert.Contains("tone-warn", words.ClassList);
    }

    [Fact]
    public void Balances_and_the_month_are_hidden_from_those_who_may_not_see_money()
    {
        ReadAs(Role.Viewer);

        var home = Show<HomePage>();

        Assert.Equal(["Burning now", "Needs attention", "Jobs"], home.FindAll("h2").Select(h => h.TextContent));
    }

    [Fact]
    public async Task What_needs_a_person_is_shown_with_its_one_action()
    {
        await SeedAsync(seed => seed.Inbox("job-failed", "Job #209 ended without an adapter", "It cost $1.12.", "jobs/209", "See log"));

        var line = Show<AttentionCard>().Find(".line");

        Assert.Equal("/t/halden/jobs/209", line.QuerySelector("a")!.GetAttribute("href"));
        Assert.Contains("tone-bad", line.FirstElementChild!.ClassList);
    }

    [Fact]
    public async Task A_settled_item_leaves_the_open_list()
    {
        await SeedAsync(seed => seed.Inbox("job-failed", "Job #209 ended without an adapter", "It cost $1.12."));
        var page = Show<InboxPage>("/t/halden/inbox");

        await page.Find("button[aria-label^='Done']").ClickAsync(new());
        await page.Find("form").SubmitAsync();

        Assert.Contains("Nothing needs you.", page.Find(".face").TextContent);
    }

    [Fact]
    public async Task A_running_job_shows_the_line_of_its_loss_with_the_conclusion_in_words()
    {
        Job? job = null;
        await SeedAsync(seed =>
        {
            job = seed.Job(seed.Connection(TeamSeed.VastAi), "support-bot-v7", JobStatus.Running);
            seed.Attempt(job, 2, 10, 1.0, 8.3);
        });
        await Services.GetRequiredService<MetricsStore>().AppendAsync(job!.Id, 1, 0, "{\"type\":\"train\",\"t\":1,\"step\":1,\"loss\":2.0}\n{\"type\":\"train\",\"t\":2,\"step\":2,\"loss\":1.0}\n"u8.ToArray(), CancellationToken.None);

        var card = Show<ActiveJobsCard>();

        card.WaitForAssertion(() => Assert.Equal("Loss of support-bot-v7 went from 2.000 to 1.600", card.Find("td svg[role=img]").GetAttribute("aria-label")));
        Assert.Contains("20%", card.Find("td .progress").TextContent);
    }

    [Fact]
    public void One_card_that_fails_leaves_the_others_their_titles()
    {
        DatabaseFails = true;

        var home = Show<HomePage>();

        Assert.Equal(["Burning now", "November", "Needs attention", "Jobs", "Watched prices", "Balances"], home.FindAll("h2").Select(h => h.TextContent));
        Assert.Contains("What bills could not be read.", home.Find("[role=alert]").TextContent);
    }

    [Fact]
    public async Task A_machine_that_starts_says_what_its_GPU_will_add()
    {
        await SeedAsync(seed => Run(seed, seed.Connection(TeamSeed.VastAi), "evals-smoke", InstanceStatus.Booting, 0.183m));

        Assert.Contains("#201 adds $0.183/h when its GPU starts", Show<BurnCard>().Find(".card-foot").TextContent);
    }

    [Fact]
    public async Task A_share_whose_machine_is_gone_stays_in_place_and_costs_nothing()
    {
        await SeedAsync(seed =>
        {
            var account = seed.Connection(TeamSeed.VastAi);
            Run(seed, account, "first", InstanceStatus.Running, 0.9m);
            Run(seed, account, "second", InstanceStatus.Running, 0.4m);
        });
        var card = Show<BurnCard>();

        await ChangeAsync(db => db.Remove(db.Instances.Single(i => i.GpuRate.MicrosPerHour == 900_000)));

        card.WaitForAssertion(() => Assert.Equal(["first, ended", "second"], card.FindAll("li .clip").Select(l => l.TextContent)));
        Assert.Equal("background:var(--c2)", card.FindAll("li .swatch")[1].GetAttribute("style"));
        Assert.Contains("$0.000", card.FindAll("li")[0].TextContent);
    }

    [Fact]
    public async Task A_job_that_ends_keeps_its_row_and_one_that_begins_waits_until_it_is_asked_for()
    {
        Job? ending = null;
        Connection? account = null;
        await SeedAsync(seed =>
        {
            account = seed.Connection(TeamSeed.VastAi);
            ending = seed.Job(account, "ending", JobStatus.Running);
            seed.Job(account, "going-on", JobStatus.Running);
        });
        var card = Show<ActiveJobsCard>();

        await SeedAsync(seed => seed.Job(account!, "newcomer", JobStatus.Submitted, skip: 50));
        await ChangeAsync(db =>
        {
            var job = db.Jobs.Single(j => j.Number == ending!.Number);
            job.MoveTo(JobStatus.Terminating, Time.GetUtcNow());
            job.MoveTo(JobStatus.Failed, Time.GetUtcNow());
        });

        card.WaitForAssertion(() => Assert.Equal("1 new · show", card.Find(".new-rows button").TextContent));
        Assert.Equal(["ending", "going-on"], card.FindAll("td a.strong").Select(a => a.TextContent));
        Assert.Contains("Failed", card.Find("tbody tr").TextContent);
        await card.Find(".new-rows button").ClickAsync(new());
        Assert.Equal(["going-on", "newcomer"], card.FindAll("td a.strong").Select(a => a.TextContent));
    }

    [Fact]
    public async Task The_month_says_what_was_spent_and_where_it_goes()
    {
        await SeedAsync(seed =>
        {
            var account = seed.Connection(TeamSeed.VastAi);
            for (var day = 0; day < 4; day++)
            {
                Costs.LedgerSeed.Spend(seed, account, "daily", JobStatus.Succeeded, 2m, new DateTimeOffset(2026, 11, 19, 8, 0, 0, TimeSpan.Zero).AddDays(day), skip: day * 10);
            }
        });

        var card = Show<MonthCard>();

        // Four days of $2.00, and 7 days 5 h 55 min 48 s to go.
        Assert.Equal("$8.00", card.Find(".figure").TextContent.Trim());
        Assert.Contains("≈ $22.49 by 30 Nov (likely $21.01 to $23.98)", card.Find("p").TextContent);
        Assert.Equal("November 2026 so far: $8.00; ≈ $22.49 expected by its end, likely $21.01 to $23.98", card.Find("svg").GetAttribute("aria-label"));
    }

    [Fact]
    public async Task Next_steps_come_with_the_first_success_and_go_when_dismissed()
    {
        Connection? sandbox = null;
        await SeedAsync(seed => seed.Job(sandbox = seed.Connection(TeamSeed.Sandbox), "first", JobStatus.Running));
        Assert.Empty(Show<NextStepsCard>().FindAll("section"));

        await SeedAsync(seed => seed.Job(sandbox!, "second", JobStatus.Succeeded, skip: 10));
        var card = Show<NextStepsCard>();
        Assert.Equal(["Connect Vast.ai", "Run a command of your own", "See what it cost"], card.FindAll("li .medium").Select(t => t.TextContent));

        await card.Find("li button").ClickAsync(new());
        Assert.Equal(["Run a command of your own", "See what it cost"], card.FindAll("li .medium").Select(t => t.TextContent));
        Assert.Equal(2, Show<NextStepsCard>().FindAll("li").Count); // also on the next visit
    }

    [Fact]
    public async Task A_step_that_is_done_or_not_allowed_is_not_offered()
    {
        await SeedAsync(seed =>
        {
            seed.Job(seed.Connection(TeamSeed.VastAi), "real", JobStatus.Succeeded, preset: Presets.Command);
        });
        Assert.Equal(["See what it cost"], Show<NextStepsCard>().FindAll("li .medium").Select(t => t.TextContent));

        ReadAs(Role.Viewer);
        Assert.Empty(Show<NextStepsCard>().FindAll("section"));
    }

    private async Task ChangeAsync(Action<AppDbContext> change)
    {
        await using (var db = await Database.ForSystemAsync(CancellationToken.None))
        {
            change(db);
            await db.SaveChangesAsync();
        }

        Feed.Publish(Team.Id);
    }

    private static void Run(TeamSeed seed, Connection account, string name, InstanceStatus status, decimal gpuUsd)
    {
        var job = seed.Job(account, name, JobStatus.Running);
        seed.Instance(job, seed.Attempt(job), status, gpuUsd);
    }
}
