using System.Text.RegularExpressions;
using Dashboard.Tests.Shared;

namespace Dashboard.Web.Tests.Components;

/// <summary>What no page may write by itself.</summary>
public sealed partial class MarkupTests
{
    [Fact]
    public void No_markup_writes_an_amount_or_a_rate_of_its_own_so_that_each_has_its_rounding_and_its_unit() =>
        Assert.Empty(
            from file in Directory.EnumerateFiles(Path.Combine(Repository.Root, "src", "Web"), "*.razor", SearchOption.AllDirectories)
            from line in File.ReadLines(file).Select((text, index) => (Text: text, Number: index + 1))
            where !line.Text.TrimStart().StartsWith("///", StringComparison.Ordinal) && OwnDollar().IsMatch(line.Text)
            select $"{Path.GetFileName(file)}:{line.Number}: {line.Text.Trim()}");

    // A dollar sign before a value of the page: `$@`, `$</span>@`, or `${` inside an interpolated text, which ends as a dollar sign too.
    [GeneratedRegex("""\$@|\$</|\$"[^"]*\$\{""")]
    private static partial Regex OwnDollar();
}
