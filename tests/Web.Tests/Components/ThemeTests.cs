using System.Text.RegularExpressions;
using Dashboard.Web.Layout;
using MudBlazor;

namespace Dashboard.Web.Tests.Components;

/// <summary>The theme object and the stylesheet say the same.</summary>
public sealed partial class ThemeTests
{
    [Theory]
    [InlineData("light")]
    [InlineData("dark")]
    public void MudBlazor_gets_the_colours_of_the_tokens(string theme)
    {
        Palette palette = theme == "light" ? DashboardTheme.Theme.PaletteLight : DashboardTheme.Theme.PaletteDark;
        var tokens = Tokens(theme);

        Assert.Equal(
            (tokens["accent"], tokens["accentInk"], tokens["ok"], tokens["bad"], tokens["warn"], tokens["move"], tokens["bg"]),
            (Hex(palette.Primary), Hex(palette.PrimaryContrastText), Hex(palette.Success), Hex(palette.Error), Hex(palette.Warning), Hex(palette.Info), Hex(palette.Background)));
        Assert.Equal(
            (tokens["surface"], tokens["line"], tokens["line2"], tokens["text"], tokens["text2"]),
            (Hex(palette.Surface), Hex(palette.LinesDefault), Hex(palette.LinesInputs), Hex(palette.TextPrimary), Hex(palette.TextSecondary)));
    }

    private static string Hex(MudBlazor.Utilities.MudColor color) => color.ToString(MudBlazor.Utilities.MudColorOutputFormats.Hex).ToUpperInvariant();

    private static Dictionary<string, string> Tokens(string theme)
    {
        var css = File.ReadAllText(Path.Combine(Root(), "src/Web/wwwroot/tokens.css"));
        var block = css.Split('}')[theme == "light" ? 0 : 1];
        return Token().Matches(block).ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value.ToUpperInvariant());
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Dashboard.sln")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("Dashboard.sln");
        }

        return folder.FullName;
    }

    [GeneratedRegex(@"--(\w+): (#[0-9A-Fa-f]{6});")]
    private static partial Regex Token();
}
