using MudBlazor;

namespace Dashboard.Web.Layout;

/// <summary>MudBlazor's theme from the values of <c>wwwroot/tokens.css</c>; a test holds the two together.</summary>
public static class DashboardTheme
{
    private static readonly string[] Inter = ["Inter", "Segoe UI Variable Text", "Segoe UI", "system-ui", "-apple-system", "Roboto", "Noto Sans", "sans-serif"];

    public static MudTheme Theme { get; } = new()
    {
        PaletteLight = new PaletteLight
        {
            Primary = "#2050CF",
            PrimaryContrastText = "#FFFFFF",
            Secondary = "#4B4F58",
            Success = "#067749",
            Error = "#A1201C",
            Warning = "#9D5101",
            Info = "#02495F",
            Background = "#F6F6F3",
            BackgroundGray = "#EFEFEB",
            Surface = "#FFFFFF",
            AppbarBackground = "#F6F6F3",
            AppbarText = "#17191E",
            DrawerBackground = "#F6F6F3",
            DrawerText = "#4B4F58",
            LinesDefault = "#E2E2DC",
            LinesInputs = "#8C8C84",
            TableLines = "#E2E2DC",
            Divider = "#E2E2DC",
            TextPrimary = "#17191E",
            TextSecondary = "#4B4F58",
            TextDisabled = "#656A74",
            ActionDefault = "#4B4F58",
        },
        PaletteDark = new PaletteDark
        {
            Primary = "#8FB0FF",
            PrimaryContrastText = "#0B1430",
            Secondary = "#B3BAC5",
            Success = "#7FD9B6",
            Error = "#FF6B70",
            Warning = "#F79A2B",
            Info = "#B5F1FA",
            Background = "#0D1014",
            BackgroundGray = "#0A0C10",
            Surface = "#151920",
            AppbarBackground = "#0D1014",
            AppbarText = "#ECEEF2",
            DrawerBackground = "#0D1014",
            DrawerText = "#B3BAC5",
            LinesDefault = "#262C35",
            LinesInputs = "#6B7482",
            TableLines = "#262C35",
            Divider = "#262C35",
            TextPrimary = "#ECEEF2",
            TextSecondary = "#B3BAC5",
            TextDisabled = "#8E97A4",
            ActionDefault = "#B3BAC5",
        },
        LayoutProperties = new LayoutProperties { DefaultBorderRadius = "8px", AppbarHeight = "56px", DrawerWidthLeft = "224px" },
        Shadows = new Shadow { Elevation = [.. Enumerable.Repeat("none", 26)] },
        Typography = new Typography
        {
            Default = new DefaultTypography { FontFamily = Inter, FontSize = "14px", LineHeight = "1.4286", LetterSpacing = "normal" },
            H3 = new H3Typography { FontFamily = Inter, FontSize = "34px", FontWeight = "600", LineHeight = "1.1765", LetterSpacing = "-.025em" },
            H5 = new H5Typography { FontFamily = Inter, FontSize = "22px", FontWeight = "600", LineHeight = "1.2727", LetterSpacing = "-.018em" },
            H6 = new H6Typography { FontFamily = Inter, FontSize = "20px", FontWeight = "600", LineHeight = "1.4", LetterSpacing = "-.012em" },
            Subtitle1 = new Subtitle1Typography { FontFamily = Inter, FontSize = "14px", FontWeight = "600", LineHeight = "1.4286", LetterSpacing = "normal" },
            Body1 = new Body1Typography { FontFamily = Inter, FontSize = "14px", FontWeight = "400", LineHeight = "1.4286", LetterSpacing = "normal" },
            Body2 = new Body2Typography { FontFamily = Inter, FontSize = "13px", FontWeight = "400", LineHeight = "1.3846", LetterSpacing = "normal" },
            Caption = new CaptionTypography { FontFamily = Inter, FontSize = "12px", FontWeight = "400", LineHeight = "1.3333", LetterSpacing = "normal" },
            Button = new ButtonTypography { FontFamily = Inter, FontSize = "14px", FontWeight = "500", LineHeight = "1.4286", LetterSpacing = "normal", TextTransform = "none" },
        },
    };
}
