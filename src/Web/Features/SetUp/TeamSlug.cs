using System.Text;

namespace Dashboard.Web.Features.SetUp;

/// <summary>A team's part of every address, made from its name.</summary>
internal static class TeamSlug
{
    private const int Longest = 40;

    // The program runs without culture data, so nobody takes accents off for us.
    private const string Accented = "àáâãäåçèéêëìíîïñòóôõöøùúûüýÿšžčłńśźżęąđğışță";
    private const string Plain = "aaaaaaceeeeiiiinoooooouuuuyyszclnszzeadgista";

    /// <summary>Lower-case letters, digits and single dashes; accents are dropped. <c>team</c> when nothing is left.</summary>
    public static string From(string name)
    {
        var slug = new StringBuilder();
        foreach (var letter in name.ToLowerInvariant())
        {
            var c = Accented.IndexOf(letter, StringComparison.Ordinal) is >= 0 and var at ? Plain[at] : letter;
            if (char.IsAsciiLetterOrDigit(c))
            {
                slug.Append(c);
            }
            else if (slug.Length > 0 && slug[^1] != '-')
            {
                slug.Append('-');
            }
        }

        var text = slug.ToString();
        text = text[..Math.Min(text.Length, Longest)].Trim('-');
        return text.Length > 0 ? text : "team";
    }
}
