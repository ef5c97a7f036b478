using Microsoft.Playwright;

namespace Dashboard.EndToEnd.Harness;

/// <summary>A person without a mouse: Tab, arrows and Enter.</summary>
internal sealed class Keyboard(IPage page)
{
    private const int FarEnough = 80; // stops of Tab; who needs more has lost the way

    /// <summary>Tabs to it and presses Enter.</summary>
    public async Task EnterAsync(ILocator what)
    {
        await ReachAsync(what);
        await page.Keyboard.PressAsync("Enter");
    }

    /// <summary>Tabs until it has the focus.</summary>
    public async Task ReachAsync(ILocator what)
    {
        for (var stop = 0; stop < FarEnough; stop++)
        {
            if (await what.EvaluateAsync<bool>("element => element === document.activeElement"))
            {
                return;
            }

            await page.Keyboard.PressAsync("Tab");
        }

        Assert.Fail($"{what} is not reached with {FarEnough} stops of Tab.");
    }

    /// <summary>The next one of a group, or of a list.</summary>
    public Task DownAsync() => page.Keyboard.PressAsync("ArrowDown");
}
