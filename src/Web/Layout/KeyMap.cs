using Dashboard.Web.Components;

namespace Dashboard.Web.Layout;

/// <param name="Keys">As pressed; <c>G H</c> is one after the other.</param>
/// <param name="Does">For people.</param>
public sealed record KeyLine(string Keys, string Does);

/// <param name="Path">Below the team's address.</param>
/// <param name="Letter">After <c>G</c>.</param>
public sealed record KeyPlace(string Letter, string Word, string Path, string Glyph);

/// <summary>Which key does what: the script, the help sheet and the palette all read it here.</summary>
public static class KeyMap
{
    public static IReadOnlyList<KeyPlace> Places { get; } =
    [
        new("h", "Home", "", Glyphs.Home),
        new("m", "Market", "/market", Glyphs.Market),
        new("p", "Prices", "/prices", Glyphs.Prices),
        new("j", "Jobs", "/jobs", Glyphs.Jobs),
        new("a", "Machines", "/machines", Glyphs.Machine),
        new("c", "Costs", "/costs", Glyphs.Costs),
        new("b", "Budgets", "/budgets", Glyphs.Budget),
    ];

    /// <summary>Groups of the help sheet. What the reader's role may not do is left out.</summary>
    public static IReadOnlyList<(string Name, IReadOnlyList<KeyLine> Lines)> Sheet(bool mayStart, bool mayStop) =>
    [
        ("Anywhere",
        [
            new("Ctrl K", "Find or do anything; also /"),
            .. mayStart ? new KeyLine[] { new("C", "New job") } : [],
            new("I", "Inbox"), new("T", "Light or dark"), new("?", "This list"), new("Ctrl Enter", "Submit the form"), new("Esc", "Close one layer"),
        ]),
        ("Go to", [.. Places.Select(place => new KeyLine($"G {place.Letter.ToUpperInvariant()}", place.Word))]),
        ("In lists", [new("J K", "Next and previous row; also the arrows"), new("Enter", "Open the row"), new("X", "Select the row"), new("F", "Filters")]),
        ("On a job", [.. mayStop ? new KeyLine[] { new("S", "Ask how to stop it; never stops by itself") } : [], new("1 – 7", "Its views"), new("End", "Follow the console")]),
    ];
}
