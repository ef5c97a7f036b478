namespace Dashboard.Domain.Instances;

/// <summary>How long somebody has listened to a machine that does not answer. Time in which nobody listened is no silence.</summary>
/// <param name="Since">When the listening began.</param>
/// <param name="At">The last look that failed.</param>
public sealed record Silence(DateTimeOffset Since, DateTimeOffset At)
{
    /// <summary>Between two looks there is never so much; after more, whoever looked was away.</summary>
    private static readonly TimeSpan Away = TimeSpan.FromMinutes(2);

    public TimeSpan Lasts => At - Since;

    /// <summary>One more look failed.</summary>
    /// <param name="before">Null: the one before it did not.</param>
    public static Silence Heard(Silence? before, DateTimeOffset at) => before is { } silence && at >= silence.At && at - silence.At <= Away ? silence with { At = at } : new(at, at);
}
