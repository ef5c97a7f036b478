using System.Globalization;
using System.Text.RegularExpressions;
using Dashboard.Domain.Logs;
using Dashboard.Web.Components;

namespace Dashboard.Web.Features.Jobs;

/// <summary>A console line as both halves of the console show it: the stored history in markup, the tail in the browser's hands. Text only.</summary>
/// <param name="Index">Counted from zero, as <see cref="LogLine.Number"/>.</param>
/// <param name="Number">As people count, grouped.</param>
/// <param name="Tone">Style class: <c>ours, bad, warn</c> or empty. A hint from the words alone; the words stay as they are.</param>
public sealed record ConsoleRow(int Index, string Number, string Time, string Text, string Tone)
{
    public static ConsoleRow Of(LogLine line, ReaderZone zone) => new(
        line.Number,
        (line.Number + 1).ToString("N0", CultureInfo.InvariantCulture),
        zone.Seconds(line.At),
        line.Source == LogSource.Ours ? "▸ " + line.Text : line.Text,
        line.Source == LogSource.Ours ? "ours" : SaysError(line.Text) ? "bad" : Warning.IsMatch(line.Text) ? "warn" : "");

    // Without backtracking: time in proportion to the line, so that no limit by the clock is needed, which a busy server would run into.
    private const RegexOptions Linear = RegexOptions.CultureInvariant | RegexOptions.NonBacktracking;

    private static readonly Regex Error = new(@"^Traceback \(|\b\w*(?:Error|Exception)\b:|^\[E\]|\bCUDA out of memory|: not found$|command not found|^Killed$|\bfatal:", Linear);

    private static readonly Regex Warning = new(@"^\[W\]|\bWARN(?:ING)?\b|\bWarning:", Linear);

    /// <summary>Whether the line names a failure in the words that Python, CUDA and shells use.</summary>
    public static bool SaysError(string text) => Error.IsMatch(text);
}
