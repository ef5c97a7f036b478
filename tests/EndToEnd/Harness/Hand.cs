using Microsoft.Playwright;

namespace Dashboard.EndToEnd.Harness;

/// <summary>The hand of a person, who counts their clicks.</summary>
internal sealed class Hand
{
    public int Clicks { get; private set; }

    public async Task ClickAsync(ILocator what)
    {
        Clicks++;
        await what.ClickAsync();
    }
}
