using System.Globalization;
using System.Text;

namespace Dashboard.Infrastructure.Logs;

/// <summary>Turns the raw bytes of a line into text that is safe to show: never markup, never a command to a terminal or to the reader's eye.</summary>
internal static class LogText
{
    /// <summary>Longest line a viewer gets, in UTF-16 units; the file keeps all of it.</summary>
    public const int MaxChars = 16 * 1024;
    private const char Escape = '\u001b';
    private const char Bell = '\u0007';
    private const char ControlPictures = '\u2400';
    private const char Cut = '…';

    /// <summary>
    /// Invalid UTF-8 becomes U+FFFD; of a line redrawn with carriage returns the last state stays; terminal sequences are dropped (colours too,
    /// for now); other control characters show as pictures and formatting characters (bidirectional overrides among them) as U+FFFD.
    /// </summary>
    /// <param name="cutShort">The line is longer than <paramref name="raw"/>.</param>
    public static string Of(ReadOnlySpan<byte> raw, bool cutShort = false)
    {
        var text = Encoding.UTF8.GetString(LastState(raw));
        var shown = new StringBuilder(Math.Min(text.Length, MaxChars));
        for (var at = 0; at < text.Length && shown.Length < MaxChars;)
        {
            if (text[at] == Escape)
            {
                at = AfterSequence(text, at);
                continue;
            }

            Rune.DecodeFromUtf16(text.AsSpan(at), out var rune, out var used);
            Show(rune, shown);
            at += used;
            cutShort |= shown.Length >= MaxChars && at < text.Length;
        }

        if (!cutShort)
        {
            return shown.ToString();
        }

        var keep = Math.Min(shown.Length, MaxChars - 1);
        if (keep > 0 && char.IsHighSurrogate(shown[keep - 1]))
        {
            keep--;
        }

        return shown.Remove(keep, shown.Length - keep).Append(Cut).ToString();
    }

    private static ReadOnlySpan<byte> LastState(ReadOnlySpan<byte> raw)
    {
        raw = raw.TrimEnd((byte)'\r');
        return raw[(raw.LastIndexOf((byte)'\r') + 1)..];
    }

    private static void Show(Rune rune, StringBuilder shown)
    {
        switch (rune.Value)
        {
            case '\t':
                shown.Append('\t');
                break;
            case < 0x20:
                shown.Append((char)(ControlPictures + rune.Value));
                break;
            default:
                var odd = Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
                    or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
                shown.Append(odd ? "\uFFFD" : rune.ToString());
                break;
        }
    }

    /// <summary>Where the text goes on after the escape sequence at <paramref name="at"/> (ECMA-48). One that does not end swallows the line.</summary>
    private static int AfterSequence(string text, int at)
    {
        if (++at >= text.Length)
        {
            return at;
        }

        switch (text[at])
        {
            case '[':
                for (at++; at < text.Length && text[at] is >= ' ' and <= '?'; at++)
                {
                }

                return at < text.Length && text[at] is >= '@' and <= '~' ? at + 1 : at;
            case ']' or 'P' or 'X' or '^' or '_':
                for (at++; at < text.Length; at++)
                {
                    if (text[at] == Bell)
                    {
                        return at + 1;
                    }

                    if (text[at] == Escape && at + 1 < text.Length && text[at + 1] == '\\')
                    {
                        return at + 2;
                    }
                }

                return at;
            default:
                for (; at < text.Length && text[at] is >= ' ' and <= '/'; at++)
                {
                }

                return at < text.Length && text[at] is >= '0' and <= '~' ? at + 1 : at;
        }
    }
}
