using Dashboard.EndToEnd.Harness;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Dashboard.EndToEnd;

/// <summary>Every page with something on it, in both themes, wide and on a phone.</summary>
public sealed class PagesTests
{
    private static readonly (string Name, string Path)[] Pages =
    [
        ("home", ""), ("inbox", "/inbox"), ("market", "/market"), ("jobs", "/jobs?status=all"), ("new-job", "/jobs/new?preset=smoke"), ("job", "/jobs/1"), ("job-console", "/jobs/1?tab=console"),
        ("job-cost", "/jobs/1?tab=cost"), ("job-files", "/jobs/1?tab=files"), ("job-events", "/jobs/1?tab=events"), ("machines", "/machines?state=all"), ("costs", "/costs"), ("connections", "/connections"),
    ];

    // Each theme and each width once; the published size has them all.
    private static readonly (ColorScheme Colors, int Width)[] Views = TestSize.IsFull || Screenshots.AreWanted
        ? [(ColorScheme.Light, 1440), (ColorScheme.Light, 390), (ColorScheme.Dark, 1440), (ColorScheme.Dark, 390)]
        : [(ColorScheme.Light, 1440), (ColorScheme.Dark, 390)];

    private static readonly AxeRunOptions Wcag = new()
    {
        RunOnly = new RunOnlyOptions { Type = "tag", Values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] },
    };

    [Fact]
    public async Task Every_page_is_accessible_and_fits_in_both_themes_at_1440_and_390_pixels()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await World.StartAsync(new WorldSettings { Slot = 3, BillingFactor = 100 }, ct);
        using var api = new Api(world);
        var connection = await api.SandboxConnectionAsync(ct);
        await api.ReachesAsync(await api.SubmitSmokeAsync(connection, "support-bot-v7", 100, ct), "Succeeded", ct);
        await api.ReachesAsync(await api.SubmitSmokeAsync(connection, "support-bot-v8", 5_000, ct), "Running", ct);

        var problems = new List<string>();
        foreach (var (colors, width) in Views)
        {
            await using var browser = await BrowserSession.OpenAsync(width, width == 390 ? 844 : 900, colors);
            await browser.SignInAsync(world, ct);
            foreach (var (name, path) in Pages)
            {
                await browser.Page.GotoAsync($"{world.Server.BaseUrl}/t/{World.Slug}{path}", new PageGotoOptions { WaitUntil = WaitUntilState.NetworkIdle });
                problems.AddRange((await ProblemsAsync(browser.Page)).Select(problem => $"{name}, {colors}, {width}: {problem}"));
                await Screenshots.TakeAsync(browser.Page, $"{name}-{colors.ToString().ToLowerInvariant()}-{width}");
            }

            problems.AddRange(browser.Complaints.Select(complaint => $"{colors}, {width}: {complaint}"));
        }

        Assert.True(problems.Count == 0, string.Join('\n', problems.Distinct()));
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

        var axe = await page.RunAxe(Wcag);
        problems.AddRange(axe.Violations.Select(violation => $"{violation.Id}: {violation.Help} at {string.Join(" | ", violation.Nodes.Take(3).Select(node => node.Html))}"));
        return problems;
    }
}
