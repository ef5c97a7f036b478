using Bunit;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Web.Features.Home;
using Dashboard.Web.Features.Machines;
using Dashboard.Web.Layout;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Machines;

public sealed class MachinesPageTests : PageTest
{
    [Fact]
    public async Task The_burn_chip_the_head_of_machines_and_home_show_one_number()
    {
        await SeedAsync(seed =>
        {
            var account = seed.Connection(TeamSeed.VastAi);
            Machine(seed, account, InstanceStatus.Running, 0.4m);
            Machine(seed, account, InstanceStatus.Booting, 0.183m);
        });

        Assert.Contains("$0.424/h", Show<BurnChip>().Markup.Replace("<span class=\"unit\">", "", StringComparison.Ordinal));
        Assert.Equal("$0.424/h", Show<MachinesPage>().Find(".proof [data-exact]").TextContent);
        Assert.Equal("$0.424/h", Show<BurnCard>().Find(".figure").TextContent.Trim());
    }

    [Fact]
    public async Task Simulated_machines_stay_apart_as_soon_as_one_connection_is_real()
    {
        await SeedAsync(seed => Machine(seed, seed.Connection(TeamSeed.Sandbox), InstanceStatus.Running, 0.5m));
        var alone = await Services.GetRequiredService<MachineQueries>().BurnAsync(Member, CancellationToken.None);
        await SeedAsync(seed => Machine(seed, seed.Connection(TeamSeed.VastAi), InstanceStatus.Running, 0.4m, 300));
        var beside = await Services.GetRequiredService<MachineQueries>().BurnAsync(Member, CancellationToken.None);

        Assert.Equal((HourlyRate.FromUsd(0.512m), true), (alone.Rate, alone.IsSimulated));
        Assert.Equal((HourlyRate.FromUsd(0.412m), false, HourlyRate.FromUsd(0.512m), 1), (beside.Rate, beside.IsSimulated, beside.Apart, beside.Machines));
    }

    [Fact]
    public async Task A_provider_that_could_not_be_listed_keeps_its_rows_and_says_that_they_may_be_billing()
    {
        await SeedAsync(seed => Machine(seed, seed.Connection(TeamSeed.VastAi, listedAt: Time.GetUtcNow() - TimeSpan.FromMinutes(47)), InstanceStatus.Running, 0.4m));

        var page = Show<MachinesPage>();

        Assert.Equal("We could not list Vast.ai. 1 machine may be billing.", page.Find("[role=alert] h2").TextContent);
        Assert.StartsWith("≤ $0.412", page.Find("tbody td.num").TextContent.Trim(), StringComparison.Ordinal);
        Assert.Contains("may bill", page.Find("tbody").TextContent);
    }

    [Fact]
    public async Task No_machine_bills_is_said_with_the_time_it_was_proven()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));

        var face = Show<MachinesPage>().Find(".face");

        Assert.Contains("No machine bills.", face.TextContent);
        Assert.Contains("Proven at 18:04", face.TextContent);
    }

    [Fact]
    public async Task Nothing_is_called_proven_when_a_listing_is_old()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi, listedAt: Time.GetUtcNow() - TimeSpan.FromMinutes(47)));

        Assert.DoesNotContain("Proven at", Show<MachinesPage>().Find(".face").TextContent);
    }

    [Fact]
    public async Task Machines_that_are_not_ours_are_counted_and_never_offered_a_button()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi, foreign: 1, foreignUsd: 0.0242m));

        Assert.Contains("1 not ours at Vast.ai · $0.58/day, never touched", Show<MachinesPage>().Find(".proof").TextContent);
    }

    [Fact]
    public void A_list_that_cannot_be_read_is_never_an_empty_list()
    {
        DatabaseFails = true;

        var page = Show<MachinesPage>();

        Assert.Contains("may be billing", page.Find("[role=alert]").TextContent);
        Assert.DoesNotContain("No machine bills", page.Markup);
    }

    [Fact]
    public async Task Try_again_reads_again()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        DatabaseFails = true;
        var page = Show<MachinesPage>();
        DatabaseFails = false;

        await page.Find("button").ClickAsync(new());

        Assert.Contains("No machine bills.", page.Markup);
    }

    [Fact]
    public async Task A_change_elsewhere_shows_by_itself_and_a_failure_keeps_the_old_number_unsure()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        var chip = Show<BurnChip>();
        await SeedAsync(seed => Machine(seed, seed.Connection(TeamSeed.VastAi, "Vast.ai 2"), InstanceStatus.Running, 0.4m));

        Feed.Publish(Team.Id);
        chip.WaitForAssertion(() => Assert.Contains("1 machine", chip.Markup));

        DatabaseFails = true;
        chip.WaitForAssertion(() =>
        {
            Time.Advance(TimeSpan.FromSeconds(1));
            Feed.Publish(Team.Id);
            Assert.Contains("—", chip.Find("a").TextContent);
        });
        Assert.Equal("Not readable; last known $0.412/h", chip.Find("a").GetAttribute("title"));
    }

    [Fact]
    public async Task Machines_of_another_team_are_not_seen()
    {
        await SeedAsync(seed => Machine(seed, seed.Connection(TeamSeed.VastAi), InstanceStatus.Running, 0.4m));
        var other = new Team { Id = new Domain.TeamId(Guid.NewGuid()), Name = "Other", Slug = "other", CreatedAt = Time.GetUtcNow() };
        var stranger = TeamContext.Of(other, new Membership { TeamId = other.Id, UserId = new Domain.UserId(Person), Role = Role.Owner, Since = Time.GetUtcNow() });

        Assert.Empty((await Services.GetRequiredService<MachineQueries>().ListAsync(stranger, ended: true, CancellationToken.None)).Rows);
    }

    private static void Machine(TeamSeed seed, Connection account, InstanceStatus status, decimal gpuUsd, int number = 0)
    {
        var job = seed.Job(account, $"job-{number}-{status}", JobStatus.Running, skip: number);
        seed.Instance(job, seed.Attempt(job), status, gpuUsd);
    }
}
