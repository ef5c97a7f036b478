using Dashboard.Tests.Shared;
using Microsoft.Playwright;

namespace Dashboard.EndToEnd.Harness;

/// <summary>Pictures for the documentation, only with <c>DASHBOARD_SCREENSHOTS=1</c>: pixels differ from computer to computer.</summary>
internal static class Screenshots
{
    public static bool AreWanted => Environment.GetEnvironmentVariable("DASHBOARD_SCREENSHOTS") == "1";

    public static async Task TakeAsync(IPage page, string name)
    {
        if (AreWanted)
        {
            await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Repository.Root, "docs", "screenshots", name + ".png"), Animations = ScreenshotAnimations.Disabled });
        }
    }
}
