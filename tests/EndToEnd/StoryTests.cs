using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Dashboard.EndToEnd.Harness;
using Dashboard.Tests.Shared;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Dashboard.EndToEnd;

/// <summary>What a person does on the first evening, in a real browser.</summary>
[Collection(OneWorldAtATime.Name)]
public sealed partial class StoryTests
{
    private const int Clicks = 5;
    private const int NextSteps = 3;
    private const float LiveAgainWithinMs = 60_000; // with a server that still recovers
    private static readonly TimeSpan LossMovesWithin = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task From_the_set_up_address_to_a_finished_adapter_in_five_clicks_and_on_through_a_crash()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await World.StartAsync(new WorldSettings { Slot = 0, Bootstrapped = false }, ct);
        await using var watch = new MachineWatch(world.Sandbox);
        await using var browser = await BrowserSession.OpenAsync();
        var (page, hand) = (browser.Page, new Hand());

        var evening = Stopwatch.StartNew();
        await CreateTheFirstAccountAsync(page, world, hand);
        await hand.ClickAsync(page.GetByRole(AriaRole.Link, new() { Name = "Run the smoke test" }));
        var clock = Stopwatch.StartNew();
        await hand.ClickAsync(JobScreen.Start(page));
        await page.WaitForURLAsync(JobScreen.Address());
        var job = new JobScreen(page);
        await job.LossMovesAsync(ct);
        var lossMoved = clock.Elapsed;
        Assert.True(lossMoved <= LossMovesWithin, $"The loss moved {lossMoved.TotalSeconds:0.0} s after Start.");
        await Expect(job.Console).ToContainTextAsync("loss");

        await job.IsAsync("Succeeded");
        var download = await page.RunAndWaitForDownloadAsync(() => hand.ClickAsync(job.DownloadAdapter));
        await hand.ClickAsync(page.GetByRole(AriaRole.Link, new() { NameRegex = FilesTab() }));
        await Expect(page.Locator("section:has(#all-files-title)")).ToContainTextAsync("adapter/adapter_model.safetensors");
        Assert.Equal(Clicks, hand.Clicks);
        await SayAsync($"From the printed address to the adapter: {hand.Clicks} clicks, {evening.Elapsed.TotalSeconds:0} s; the loss moved {lossMoved.TotalSeconds:0.0} s after Start.");
        var contract = Assert.Single(new Books(world.Server.Database).Instances()).ContractId!;
        Assert.Equal(watch.AdapterOf(contract), await HashAsync(download, ct));

        await page.GotoAsync($"{world.Server.BaseUrl}/t/{World.Slug}/jobs/{job.Number}");
        await Expect(job.CostSoFar).ToHaveTextAsync(MoreThanNothing());

        await page.GotoAsync($"{world.Server.BaseUrl}/t/{World.Slug}");
        await Expect(page.Locator("section:has(#steps-title) li")).ToHaveCountAsync(NextSteps);

        await StopASecondJobByKeyboardAsync(page, world);
        await SurviveACrashWithAThirdAsync(page, world, ct);
        await Eventually.HoldsAsync(async () => (await Truth.OfAsync(world, ct)).Living == 0, "no machine lives", ct: ct);
        Assert.Empty(browser.Complaints);
    }

    private static async Task SayAsync(string measured)
    {
        TestContext.Current.TestOutputHelper?.WriteLine(measured);
        await Evidence.KeepAsync("first-run.txt", measured);
    }

    private static async Task CreateTheFirstAccountAsync(IPage page, World world, Hand hand)
    {
        await page.GotoAsync(world.Server.SetUpUrl);
        await page.GetByLabel("Your name").FillAsync("Mira Halden");
        await page.GetByLabel("E-mail").FillAsync(World.Email);
        await page.GetByLabel("Password").FillAsync(World.Password);
        await page.GetByLabel("Team").FillAsync(World.Team);
        await hand.ClickAsync(page.GetByRole(AriaRole.Button, new() { Name = "Create" }));
    }

    private static async Task StopASecondJobByKeyboardAsync(IPage page, World world)
    {
        var (job, keys) = (new JobScreen(page), new Keyboard(page));
        await page.GotoAsync($"{world.Server.BaseUrl}/t/{World.Slug}/jobs/new?preset=smoke");
        await keys.EnterAsync(JobScreen.Start(page));
        await page.WaitForURLAsync(JobScreen.Address());
        await job.IsAsync("Running");
        await Expect(job.Console).ToContainTextAsync("loss");

        await keys.EnterAsync(page.GetByRole(AriaRole.Link, new() { Name = "Stop…" }));
        var card = page.GetByRole(AriaRole.Alertdialog);
        await Expect(card).ToContainTextAsync("$0.00/day");
        await keys.ReachAsync(card.GetByRole(AriaRole.Radio).Nth(0));
        await keys.DownAsync();
        await Expect(card.GetByRole(AriaRole.Radio).Nth(1)).ToBeCheckedAsync();
        await keys.EnterAsync(card.Locator(".btn-destroy"));
        await job.IsAsync("Cancelled");

        await keys.EnterAsync(page.GetByRole(AriaRole.Link, new() { Name = "Cost", Exact = true }));
        await Expect(page.Locator("section:has(#costs-title)")).ToContainTextAsync("In all");
    }

    private static async Task SurviveACrashWithAThirdAsync(IPage page, World world, CancellationToken ct)
    {
        var job = await JobScreen.StartSmokeAsync(page, world);
        await job.IsAsync("Running");
        await job.LossMovesAsync(ct);
        var address = page.Url;
        await world.Server.KillAsync();
        await Expect(page.Locator(".not-live")).ToContainTextAsync("Not live since");
        await Expect(job.Console).ToContainTextAsync("loss"); // what was there stays
        await world.Server.StartAsync(ct);
        await Expect(page.Locator(".not-live")).ToBeHiddenAsync(new() { Timeout = LiveAgainWithinMs });
        Assert.Equal(address, page.Url);
        await job.IsAsync("Succeeded");
        await Expect(job.DownloadAdapter).ToBeVisibleAsync();
    }

    private static async Task<string> HashAsync(IDownload download, CancellationToken ct)
    {
        await using var stream = await download.CreateReadStreamAsync();
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, ct));
    }

    [GeneratedRegex("^Files")]
    private static partial Regex FilesTab();

    [GeneratedRegex(@"\$[0-9.,\s]*[1-9]")]
    private static partial Regex MoreThanNothing();
}
