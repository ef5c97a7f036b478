using System.Globalization;
using System.Text.RegularExpressions;
using Dashboard.Tests.Shared;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Dashboard.EndToEnd.Harness;

/// <summary>A job's page as a person reads it.</summary>
internal sealed partial class JobScreen(IPage page)
{
    private const float RunMs = 240_000; // a smoke test on two busy cores, boot and coming home included

    public int Number => int.Parse(Address().Match(page.Url).Groups[1].Value, CultureInfo.InvariantCulture);

    public ILocator Status => page.Locator(".job-head [aria-live]");

    public ILocator Console => page.GetByRole(AriaRole.Log);

    public ILocator DownloadAdapter => page.GetByRole(AriaRole.Link, new() { Name = "Download adapter" });

    public ILocator CostSoFar => page.Locator(".cost-meter .figure");

    /// <summary>Fills nothing in: a preset's defaults are usable.</summary>
    public static async Task<JobScreen> StartSmokeAsync(IPage page, World world)
    {
        await page.GotoAsync($"{world.Server.BaseUrl}/t/{World.Slug}/jobs/new?preset=smoke");
        await Start(page).ClickAsync();
        await page.WaitForURLAsync(Address());
        return new JobScreen(page);
    }

    /// <summary>The one button where money starts, once it names a price.</summary>
    public static ILocator Start(IPage page) => page.GetByRole(AriaRole.Button, new() { NameRegex = StartButton() }).First;

    public Task IsAsync(string status) => Expect(Status).ToContainTextAsync(status, new() { Timeout = RunMs });

    /// <summary>The loss that stands in the figures; null before the first.</summary>
    public async Task<decimal?> LossAsync()
    {
        var text = await page.Locator(".stats div").Filter(new() { HasTextRegex = LossFigure() }).First.Locator("b").First.TextContentAsync();
        return decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var loss) ? loss : null;
    }

    /// <summary>Waits until the loss has a value and then another one.</summary>
    public async Task LossMovesAsync(CancellationToken ct)
    {
        decimal? first = null;
        await Eventually.HoldsAsync(async () => (first = await LossAsync()) is not null, "a loss is shown", TimeSpan.FromSeconds(60), ct);
        await Eventually.HoldsAsync(async () => await LossAsync() != first, "the loss moves", TimeSpan.FromSeconds(60), ct);
    }

    [GeneratedRegex("/jobs/([0-9]+)")]
    public static partial Regex Address();

    [GeneratedRegex("^Start · ≈")]
    private static partial Regex StartButton();

    [GeneratedRegex("^\\s*Loss")]
    private static partial Regex LossFigure();
}
