using System.Globalization;

namespace Dashboard.Domain.Jobs;

/// <summary>How checkpoints are named, on a machine and at home: <c>checkpoint-&lt;step&gt;/…</c>, whole once it holds <c>COMPLETE</c>.</summary>
public static class CheckpointPath
{
    public const string Complete = "COMPLETE";
    private const string Prefix = "checkpoint-";

    public static string Folder(int step) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{step}");

    /// <summary>The step of the checkpoint that a path below the attempt's files belongs to; null when it belongs to none.</summary>
    public static int? StepOf(string path)
    {
        var end = path.IndexOf('/', StringComparison.Ordinal);
        return end > Prefix.Length && path.StartsWith(Prefix, StringComparison.Ordinal)
            && int.TryParse(path.AsSpan(Prefix.Length, end - Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var step)
            ? step
            : null;
    }
}
