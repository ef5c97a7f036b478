namespace Dashboard.Domain.Logs;

/// <summary>Who wrote a console line.</summary>
public enum LogSource
{
    /// <summary>The program on the machine.</summary>
    Program,

    /// <summary>This dashboard, about the machine.</summary>
    Ours,
}

/// <param name="Number">Counted from zero over the whole job, all attempts.</param>
/// <param name="At">When it arrived here.</param>
/// <param name="Attempt">Attempt number, from one.</param>
/// <param name="Text">As text, at most 16 KiB; invalid UTF-8 as U+FFFD; a progress bar's line in its last state.</param>
public sealed record LogLine(int Number, DateTimeOffset At, int Attempt, LogSource Source, string Text);

/// <summary>The console of a job, live or long ended. A hundred followers cost one tail.</summary>
public interface ILogFeed
{
    /// <summary>Lines stored so far.</summary>
    Task<int> CountAsync(JobId job, CancellationToken ct);

    /// <summary>Lines <paramref name="start"/> to <paramref name="start"/> + <paramref name="count"/>; fewer at the end.</summary>
    Task<IReadOnlyList<LogLine>> ReadAsync(JobId job, int start, int count, CancellationToken ct);

    /// <summary>Batches of lines from <paramref name="fromLine"/> on, at most ten a second, each line once and in order, until cancelled. A slow reader gets larger batches, never a gap.</summary>
    IAsyncEnumerable<IReadOnlyList<LogLine>> FollowAsync(JobId job, int fromLine, CancellationToken ct);
}
