namespace Dashboard.Infrastructure.Ssh;

/// <summary>Text for the POSIX shell of a machine.</summary>
public static class Shell
{
    /// <summary>One word of shell text that means exactly <paramref name="text"/>.</summary>
    public static string Quote(string text) =>
        text.Contains('\0', StringComparison.Ordinal)
            ? throw new ArgumentException("A shell word cannot hold NUL.", nameof(text))
            : "'" + text.Replace("'", @"'\''", StringComparison.Ordinal) + "'";
}
