using System.Security.Claims;
using Bunit;
using Bunit.TestDoubles;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Web.Layout;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Layout;

public sealed class CommandPaletteTests : PageTest
{
    public CommandPaletteTests() => this.AddAuthorization().SetAuthorized("mira").SetClaims(new Claim(ClaimTypes.NameIdentifier, Person.ToString()));

    [Fact]
    public async Task Nothing_is_looked_up_before_somebody_opens_it()
    {
        await SeedJobsAsync();
        var palette = Show<CommandPalette>();
        Assert.Empty(palette.FindAll("[role=option]"));

        await palette.Instance.Opened();

        Assert.Equal(["Jobs", "Actions", "Pages", "Help"], palette.FindAll("[role=group]").Select(group => group.GetAttribute("aria-label")));
    }

    [Theory]
    [InlineData("support", "support-bot-v7 #203", "/t/halden/jobs/203")]
    [InlineData("#202", "legal-sum #202", "/t/halden/jobs/202")]
    [InlineData("18244", "support-bot-v7 #203", "/t/halden/jobs/203")]
    [InlineData("led", null, null)]
    public async Task A_job_is_found_by_name_number_and_contract(string typed, string? title, string? href)
    {
        await SeedJobsAsync();

        var first = (await FindAsync(typed)).FirstOrDefault(group => group.Name == "Jobs")?.Items[0];

        Assert.Equal((title, href), (first?.Title, first?.Href));
    }

    [Fact]
    public async Task Stopping_says_what_it_saves_and_asks_before_it_does()
    {
        await SeedJobsAsync();

        var stop = Assert.Single((await FindAsync("stop support")).Single().Items);

        Assert.Equal("Stop support-bot-v7 #203…", stop.Title);
        Assert.Equal("saves ≈ $2.08 · asks how first", stop.Detail); // 2.90 expected, 0.82 spent
        Assert.Equal("/t/halden/jobs/203?ask=stop", stop.Href);
    }

    [Fact]
    public async Task A_job_that_has_ended_cannot_be_stopped()
    {
        await SeedJobsAsync();

        Assert.Empty(await FindAsync("stop legal"));
    }

    [Theory]
    [InlineData("4090", "Offers of RTX 4090", "/t/halden/market?gpu=RTX%204090")]
    [InlineData("4090 under 0.40", "Offers of RTX 4090 up to $0.400/h", "/t/halden/market?gpu=RTX%204090&max=0.40")]
    [InlineData("h100 sxm < $2", "Offers of H100 SXM up to $2.000/h", "/t/halden/market?gpu=H100%20SXM&max=2")]
    public async Task A_wish_for_a_gpu_leads_to_the_market_with_its_filters(string typed, string title, string href)
    {
        var wish = (await FindAsync(typed)).Single(group => group.Name == "Actions").Items[0];

        Assert.Equal((title, href), (wish.Title, wish.Href));
    }

    [Fact]
    public async Task A_viewer_is_offered_nothing_that_would_be_refused_and_no_money()
    {
        await SeedJobsAsync();
        ReadAs(Role.Viewer);

        var lines = (await FindAsync("support")).Concat(await FindAsync("")).Concat(await FindAsync("stop support")).SelectMany(group => group.Items).ToList();

        Assert.Contains(lines, line => line.Title == "support-bot-v7 #203");
        Assert.DoesNotContain(lines, line => line.Title.StartsWith("Stop", StringComparison.Ordinal) || line.Title == "New job" || line.Title == "Connect an account");
        Assert.DoesNotContain(lines, line => line.Detail?.Contains('$', StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task The_system_page_is_named_to_site_administrators_alone()
    {
        var palette = Show<CommandPalette>();
        await palette.Instance.Opened();
        Assert.DoesNotContain("System", palette.Markup);
        await using (var db = await Database.ForSystemAsync(CancellationToken.None))
        {
            await db.Users.ExecuteUpdateAsync(set => set.SetProperty(u => u.IsSiteAdministrator, true));
        }

        var administrators = Show<CommandPalette>();
        await administrators.Instance.Opened();

        Assert.Contains("System", administrators.Markup);
    }

    [Fact]
    public async Task At_most_eight_of_a_kind_and_active_ones_first()
    {
        await SeedAsync(seed =>
        {
            var account = seed.Connection(TeamSeed.VastAi);
            seed.Job(account, "run-first", JobStatus.Running);
            for (var i = 0; i < 12; i++)
            {
                seed.Job(account, $"run-{i}", JobStatus.Succeeded);
            }
        });

        var jobs = (await FindAsync("run")).Single(group => group.Name == "Jobs").Items;

        Assert.Equal(PaletteQueries.MostOfEach, jobs.Count);
        Assert.StartsWith("run-first", jobs[0].Title, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_typed_is_looked_up_and_a_blank_answer_says_so()
    {
        await SeedJobsAsync();
        var palette = Show<CommandPalette>();

        await palette.Find("input[role=combobox]").InputAsync("legal");
        Assert.Contains("legal-sum #202", palette.Find("[role=option]").TextContent);

        await palette.Find("input[role=combobox]").InputAsync("zzzz");
        Assert.Contains("Nothing here is called “zzzz”.", palette.Markup);
    }

    [Fact]
    public async Task When_the_database_fails_it_says_so()
    {
        var palette = Show<CommandPalette>();
        DatabaseFails = true;

        await palette.Find("input[role=combobox]").InputAsync("legal");

        Assert.Contains("could be looked up", palette.Find("[role=alert]").TextContent);
    }

    [Fact]
    public void The_help_sheet_leaves_out_keys_that_would_do_nothing()
    {
        Assert.Contains("New job", Show<CommandPalette>().Find(".keys-sheet").TextContent);
        ReadAs(Role.Viewer);

        var sheet = Show<CommandPalette>().Find(".keys-sheet").TextContent;

        Assert.DoesNotContain("New job", sheet);
        Assert.DoesNotContain("how to stop", sheet);
    }

    private Task<IReadOnlyList<PaletteGroup>> FindAsync(string text) => Services.GetRequiredService<PaletteQueries>().FindAsync(Member, text, administrator: false, CancellationToken.None);

    private Task SeedJobsAsync() => SeedAsync(seed =>
    {
        var account = seed.Connection(TeamSeed.VastAi);
        seed.Job(account, "evals-smoke", JobStatus.Succeeded);
        seed.Job(account, "legal-sum", JobStatus.Failed, preset: "lora", model: "mistral-7b");
        var running = seed.Job(account, "support-bot-v7", JobStatus.Running, estimateUsd: 2.90m);
        var attempt = seed.Attempt(running, 1_820, 2_700);
        var machine = seed.Instance(running, attempt, InstanceStatus.Running, contract: "18244", gpu: "RTX 3090");
        seed.Charge(running, attempt, machine, TeamSeed.VastAi, 0.82m, Time.GetUtcNow() - TimeSpan.FromHours(1));
    });
}
