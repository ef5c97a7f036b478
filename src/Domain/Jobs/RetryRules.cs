using static Dashboard.Domain.Jobs.StopReason;

namespace Dashboard.Domain.Jobs;

/// <summary>Whether a job tries again after an attempt ended.</summary>
public static class RetryRules
{
    /// <summary>What a further try would be for; null: nothing but a person can cure it.</summary>
    public static RetryCause? CauseOf(StopReason reason) => reason switch
    {
        NoCapacity => RetryCause.Capacity,
        StartFailed or HostLost or HostKeyChanged or Hung => RetryCause.Machine,
        Interrupted => RetryCause.Interruption,
        ScriptFailed => RetryCause.Script,
        Finished or CancelledByUser or BudgetExhausted or CreditExhausted or DeadlineReached or OutOfMemory or DiskFull or Diverged or ArtifactMissing or ConnectionBroken or PriceNotReached or Declined => null,
    };

    /// <param name="reason">Why the attempt ended.</param>
    /// <param name="earlier">Why those before it ended.</param>
    public static bool Another(StopReason reason, IReadOnlyCollection<StopReason> earlier, JobLimits limits) =>
        CauseOf(reason) is { } cause
        && earlier.Count + 1 < limits.MaxAttempts
        && earlier.Count(before => CauseOf(before) == cause) < limits.Retry.Tries(cause);
}
