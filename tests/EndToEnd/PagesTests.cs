using System.Text.RegularExpressions;
using Dashboard.EndToEnd.Harness;
using Deque.AxeCore.Commons;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Dashboard.EndToEnd;

/// <summary>Every page with something on it, in both themes, wide and on a phone.</summary>
[Collection(OneWorldAtATime.Name)]
public sealed partial class PagesTests
{
    /// <param name="Path">Below the team's address, or below the server's when it begins with a tilde.</param>
    /// <param name="Then">What a person does there before it is looked at.</param>
    private sealed record Place(string Name, string Path, Func<IPage, Task>? Then = null);

    private static readonly Place[] Places =
    [
        new("home", ""), new("inbox", "/inbox"), new("market", "/market"), new("prices", "/prices"), new("jobs", "/jobs?status=all"), new("new-job", "/jobs/new?preset=smoke"), new("job", "/jobs/1"),
        new("job-console", "/jobs/1?tab=console"), new("job-cost", "/jobs/1?tab=cost"), new("job-files", "/jobs/1?tab=files"), new("job-events", "/jobs/1?tab=events"), new("machines", "/machines?state=all"),
        new("costs", "/costs"), new("connections", "/connections"),
    ];

    // Made of the parts of the pages above: in CI's size each is looked at in one of the two views.
    private static readonly Place[] MorePlaces =
    [
        new("market-compare", "/market", CompareTwoAsync), new("prices-models", "/prices?tab=compare"), new("prices-week", "/prices?tab=week"), new("prices-alerts", "/prices?tab=alerts"), new("prices-overlay", "/prices?gpu=RTX 4090,RTX 3090&type=both&range=7d"), new("job-running", "/jobs/2"), new("job-metrics", "/jobs/1?tab=metrics"), new("job-spec", "/jobs/1?tab=spec"), new("stop", "/jobs/2?ask=stop"), new("ledger", "/costs/ledger"), new("reconcile", "/costs/reconcile?state=all"), new("estimates", "/costs/estimates?ended=all"),
        new("invoices", "/costs/invoices"), new("statement", $"/costs/invoices/{TimeProvider.System.GetUtcNow():yyyy-MM}"), new("new-connection", "/connections?add=VastAi"), new("system", "~/system"), new("account", "~/account"), new("budgets", "/budgets"), new("notifications", "/settings/notifications"), new("alerts", "/alerts"), new("palette", "", OpenThePaletteAsync),
    ];

    // Each theme and each width once; the published size has them all.
    private static readonly (ColorScheme Colors, int Width)[] Views = TestSize.IsFull || Screenshots.AreWanted
        ? [(ColorScheme.Light, 1440), (ColorScheme.Light, 390), (ColorScheme.Dark, 1440), (ColorScheme.Dark, 390)]
        : [(ColorScheme.Light, 1440), (ColorScheme.Dark, 390)];

    private static readonly string[] Pictured = ["home", "market-compare", "job-running", "machines", "costs", "new-job"];

    private const int LongerThanTheLook = 60_000; // steps, two of them a second; the world ends before they do
    private const double Leisurely = 0.5;

    private static readonly string Axe = new BundledAxeScriptProvider().GetScript();

    // Only violations are described node by node.
    private const string Judge = """
        () => axe.run(document, { runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }, resultTypes: ['violations'] })
            .then(found => found.violations.map(v => `${v.id}: ${v.help} at ${v.nodes.slice(0, 3).map(n => n.html).join(' | ')}`))
        """;

    // Its circuit has begun, which is when the focus goes where navigation puts it.
    private const string Lives = "() => document.title !== '' && document.activeElement !== document.body";

    [Fact]
    public async Task Every_page_is_accessible_and_fits_in_both_themes_at_1440_and_390_pixels()
    {
        var ct = TestContext.Current.CancellationToken;
        // Bills a hundred times too high give Reconcile something to show; in pictures they would be odd.
        await using var world = await World.StartAsync(new WorldSettings { Slot = 3, BillingFactor = Screenshots.AreWanted ? 1 : 100 }, ct);
        using var api = new Api(world);
        var connection = await api.SandboxConnectionAsync(ct);
        await api.ReachesAsync(await api.SubmitSmokeAsync(connection, "support-bot-v7", 100, ct), "Succeeded", ct);
        await api.ReachesAsync(await api.SubmitSmokeAsync(connection, "support-bot-v8", LongerThanTheLook, ct, Leisurely), "Running", ct);

        var problems = new List<string>();
        foreach (var (colors, width) in Views)
        {
            await using var browser = await BrowserSession.OpenAsync(width, width == 390 ? 844 : 900, colors);
            await browser.SignInAsync(world, ct);
            foreach (var place in PlacesOf(width))
            {
                var address = place.Path.StartsWith('~') ? place.Path[1..] : $"/t/{World.Slug}{place.Path}";
                await browser.Page.GotoAsync(world.Server.BaseUrl + address, new PageGotoOptions { WaitUntil = WaitUntilState.NetworkIdle });
                await browser.Page.WaitForFunctionAsync(Lives);
                await (place.Then?.Invoke(browser.Page) ?? Task.CompletedTask);
                problems.AddRange((await ProblemsAsync(browser.Page)).Select(problem => $"{place.Name}, {colors}, {width}: {problem}"));
                if (Pictured.Contains(place.Name))
                {
                    await Screenshots.TakeAsync(browser.Page, $"{place.Name}-{colors.ToString().ToLowerInvariant()}-{width}");
                }
            }

            if (colors == ColorScheme.Light && width == 1440)
            {
                problems.AddRange(await StillWhileLiveAsync(browser.Page, world, ct));
            }

            problems.AddRange(browser.Complaints.Select(complaint => $"{colors}, {width}: {complaint}"));
        }

        Assert.True(problems.Count == 0, string.Join('\n', problems.Distinct()));
    }

    private static IEnumerable<Place> PlacesOf(int width) =>
        Screenshots.AreWanted && !TestSize.IsFull
            ? [.. Places.Concat(MorePlaces).Where(place => Pictured.Contains(place.Name))]
            : [.. Places, .. MorePlaces.Where((_, index) => TestSize.IsFull || index % 2 == (width == 390 ? 1 : 0))];

    private static async Task CompareTwoAsync(IPage page)
    {
        var offers = page.GetByRole(AriaRole.Checkbox, new() { NameRegex = CompareOffer() });
        await offers.Nth(0).CheckAsync();
        await offers.Nth(1).CheckAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { NameRegex = Compare() })).ToBeVisibleAsync();
    }

    private static async Task OpenThePaletteAsync(IPage page)
    {
        var field = page.GetByRole(AriaRole.Combobox, new() { Name = "Find or do anything" });
        await page.GetByRole(AriaRole.Button, new() { Name = "Find or do anything" }).ClickAsync();
        await field.FillAsync("support");
        await Expect(page.GetByRole(AriaRole.Option).First).ToBeVisibleAsync();
    }

    // The hour is LiveHourTests'; here the same is held for a moment, so that CI runs it too.
    private static async Task<IReadOnlyList<string>> StillWhileLiveAsync(IPage page, World world, CancellationToken ct)
    {
        await page.GotoAsync($"{world.Server.BaseUrl}/t/{World.Slug}/jobs?status=all", new PageGotoOptions { WaitUntil = WaitUntilState.NetworkIdle });
        var stillness = await Stillness.OfAsync(page, "jobs");
        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System, ct); // a span of live updates, not a wait for a condition
        return await stillness.BrokenAsync();
    }

    private static async Task<IReadOnlyList<string>> ProblemsAsync(IPage page)
    {
        var problems = new List<string>();
        if (await page.Locator("h1").CountAsync() != 1)
        {
            problems.Add($"has {await page.Locator("h1").CountAsync()} h1");
        }

        if (await page.EvaluateAsync<bool>("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
        {
            problems.Add("scrolls sideways");
        }

        // In the page itself: axe's own runner opens a second one for each, for frames that these pages do not have.
        await page.EvaluateAsync(Axe);
        Assert.Equal(0, await page.Locator("iframe, frame").CountAsync());
        return [.. problems, .. await page.EvaluateAsync<string[]>(Judge)];
    }

    [GeneratedRegex("^Compare .*[A-Z]")]
    private static partial Regex CompareOffer();

    [GeneratedRegex("^Compare")]
    private static partial Regex Compare();
}
