using static Dashboard.Domain.Jobs.StopReason;

namespace Dashboard.Domain.Jobs;

/// <summary>Whether a job tries again after an attempt ended.</summary>
public static class RetryRules
{
    /// <summary>Another machine can cure what the machine caused; nothing but a person can cure the rest.</summary>
    public static bool Another(StopReason reason, int attempts, int maxAttempts) => attempts < maxAttempts && reason switch
    {
        StartFailed or Interrupted or HostLost or HostKeyChanged or Hung => true,
        Finished or CancelledByUser or BudgetExhausted or CreditExhausted or DeadlineReached or ScriptFailed or OutOfMemory or DiskFull
            or Diverged or NoCapacity or ArtifactMissing or ConnectionBroken => false,
    };
}
