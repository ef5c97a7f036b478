using System.Text.Json;
using Microsoft.Playwright;

namespace Dashboard.EndToEnd.Harness;

/// <summary>What must not move on a page while it lives: the focused element and its place on the screen, the order of the rows, the scroll position.</summary>
internal sealed class Stillness
{
    private const double Pixels = 1; // rounding of a fraction of a pixel

    private const string Remember = """
        () => {
            const links = [...document.querySelectorAll('main td a[href], main .card-row a[href], main button, main a[href]')].filter(e => e.checkVisibility());
            const held = links[Math.min(links.length - 1, 3)];
            window.scrollTo(0, Math.min(120, document.documentElement.scrollHeight - innerHeight));
            held.focus({ preventScroll: true });
            window.stillHeld = held;
        }
        """;

    private const string Look = """
        () => ({
            rows: [...document.querySelectorAll('main tbody tr')].filter(r => r.checkVisibility()).map(r => (r.querySelector('a[href]')?.getAttribute('href') ?? '').split('?')[0]).filter(h => h !== ''),
            top: window.stillHeld.getBoundingClientRect().top,
            held: document.activeElement === window.stillHeld,
            scroll: scrollY,
        })
        """;

    private readonly IPage _page;
    private readonly string _name;
    private readonly Seen _first;

    private Stillness(IPage page, string name, Seen first) => (_page, _name, _first) = (page, name, first);

    /// <summary>Puts the focus on something in the page, scrolls a little and remembers what is where.</summary>
    public static async Task<Stillness> OfAsync(IPage page, string name)
    {
        await page.EvaluateAsync(Remember);
        return new Stillness(page, name, await SeeAsync(page));
    }

    /// <summary>What has moved since; empty: nothing.</summary>
    public async Task<IReadOnlyList<string>> BrokenAsync()
    {
        var now = await SeeAsync(_page);
        var broken = new List<string>();
        if (!now.Held)
        {
            broken.Add($"{_name}: the focus went elsewhere");
        }

        if (Math.Abs(now.Top - _first.Top) > Pixels)
        {
            broken.Add($"{_name}: what is under the pointer moved by {now.Top - _first.Top:0} px");
        }

        if (_first.Scroll > 0 && now.Scroll == 0)
        {
            broken.Add($"{_name}: the page scrolled back to its top");
        }

        var (before, after) = (_first.Rows.Intersect(now.Rows).ToList(), now.Rows.Distinct().Intersect(_first.Rows).ToList());
        if (!before.SequenceEqual(after))
        {
            broken.Add($"{_name}: rows changed places: {string.Join(", ", before)} became {string.Join(", ", after)}");
        }

        return broken;
    }

    private static async Task<Seen> SeeAsync(IPage page)
    {
        var seen = await page.EvaluateAsync<JsonElement>(Look);
        return new Seen(
            [.. seen.GetProperty("rows").EnumerateArray().Select(row => row.GetString()!)],
            seen.GetProperty("top").GetDouble(),
            seen.GetProperty("held").GetBoolean(),
            seen.GetProperty("scroll").GetDouble());
    }

    private sealed record Seen(IReadOnlyList<string> Rows, double Top, bool Held, double Scroll);
}
