using System.Globalization;
using System.Text;

namespace Dashboard.Web.Features.SetUp;

/// <summary>A team's part of every address, made from its name.</summary>
internal static class TeamSlug
{
    private const int Longest = 40;

    /// <summary>Lower-case letters, digits and single dashes; accents are dropped. <c>team</c> when nothing is left.</summary>
    public static string From(string name)
    {
        var slug = new StringBuilder();
        foreach (var c in name.Normalize(NormalizationForm.FormD).ToLowerInvariant())
        {
            if (char.IsAsciiLetterOrDigit(c))
            {
                slug.Append(c);
            }
            else if (CharUnicodeInfo.GetUnicodeCategory(c) != UnicodeCategory.NonSpacingMark && slug.Length > 0 && slug[^1] != '-')
            {
                slug.Append('-');
            }
        }

        var text = slug.ToString();
        text = text[..Math.Min(text.Length, Longest)].Trim('-');
        return text.Length > 0 ? text : "team";
    }
}
