using System.Text;

namespace Dashboard.Infrastructure.Ssh;

/// <summary>Our rules for file names that a machine reports. A machine is a stranger: what it names becomes a path on our disk.</summary>
public static class RemoteNames
{
    private const int MaxNameBytes = 200;
    private const int MaxPathBytes = 1000;
    private const int MaxDepth = 12;

    /// <summary>
    /// Whether <paramref name="path"/> may be stored below a folder of ours: relative, with <c>/</c> between plain names; nothing empty,
    /// <c>.</c>, <c>..</c>, no backslash, no control, formatting or unpaired surrogate character, no <c>.part</c> (ours while a file arrives), within lengths every disk takes.
    /// </summary>
    public static bool IsSafe(string path)
    {
        if (path.Length == 0 || Encoding.UTF8.GetByteCount(path) > MaxPathBytes)
        {
            return false;
        }

        var names = path.Split('/');
        return names.Length <= MaxDepth && names.All(IsPlain);
    }

    private static bool IsPlain(string name)
    {
        if (name is "" or "." or ".." || Encoding.UTF8.GetByteCount(name) > MaxNameBytes || name.EndsWith(BulkTransfer.PartSuffix, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        foreach (var rune in name.EnumerateRunes())
        {
            if (rune.Value is '\\' or ':' or 0xFFFD || Rune.GetUnicodeCategory(rune)
                is System.Globalization.UnicodeCategory.Control or System.Globalization.UnicodeCategory.Format
                or System.Globalization.UnicodeCategory.LineSeparator or System.Globalization.UnicodeCategory.ParagraphSeparator)
            {
                return false;
            }
        }

        return true;
    }
}
