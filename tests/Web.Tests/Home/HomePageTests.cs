using Bunit;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Logs;
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
        await SeedAsync(seed => Run(seed, seed.Connection(TeamSeed.VastAi, credit: Money.FromUsd(4.12m)), "support-bot-v7", InstanceStatus.Running, 0.4m));

        var words = Show<BalancesCard>().Find(".balance .note");

        Assert.StartsWith("10 h at this rate", words.TextContent, StringComparison.Ordinal);
        Assert.Contains("tone-warn", words.ClassList);
    }

    [Fact]
    public void Balances_are_hidden_from_those_who_may_not_see_money()
    {
        ReadAs(Role.Viewer);

        Assert.DoesNotContain("Balances", Show<HomePage>().Markup);
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

        await page.Find("button").ClickAsync(new());

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

        Assert.Equal("Loss of support-bot-v7 went from 2.000 to 1.600", card.WaitForElement("td svg[role=img]").GetAttribute("aria-label"));
        Assert.Contains("20%", card.Find("td .progress").TextContent);
    }

    [Fact]
    public void One_card_that_fails_leaves_the_others_their_titles()
    {
        DatabaseFails = true;

        var home = Show<HomePage>();

        Assert.Equal(["Burning now", "Needs attention", "Balances", "Jobs"], home.FindAll("h2").Select(h => h.TextContent));
        Assert.Contains("What bills could not be read.", home.Find("[role=alert]").TextContent);
    }

    private static void Run(TeamSeed seed, Connection account, string name, InstanceStatus status, decimal gpuUsd)
    {
        var job = seed.Job(account, name, JobStatus.Running);
        seed.Instance(job, seed.Attempt(job), status, gpuUsd);
    }
}
