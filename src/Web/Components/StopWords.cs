using Dashboard.Domain.Jobs;

namespace Dashboard.Web.Components;

/// <summary>Why an attempt ended, in a few words for a row, a caption or a headline. The full message stands on the job's page.</summary>
public static class StopWords
{
    public static string Of(StopReason? reason) => reason is { } known ? Of(known) : "ended";

    private static string Of(StopReason reason) => reason switch
    {
        StopReason.Finished => "finished",
        StopReason.CancelledByUser => "stopped by a person",
        StopReason.BudgetExhausted => "limit reached",
        StopReason.CreditExhausted => "credit used up",
        StopReason.DeadlineReached => "time limit reached",
        StopReason.ScriptFailed => "script failed",
        StopReason.OutOfMemory => "out of memory",
        StopReason.DiskFull => "disk full",
        StopReason.Diverged => "loss diverged",
        StopReason.Hung => "no progress",
        StopReason.NoCapacity => "no machine free",
        StopReason.StartFailed => "did not start",
        StopReason.Interrupted => "interrupted",
        StopReason.HostLost => "host lost",
        StopReason.HostKeyChanged => "host key changed",
        StopReason.ArtifactMissing => "result missing",
        StopReason.ConnectionBroken => "key refused",
        StopReason.PriceNotReached => "price not reached",
        StopReason.Declined => "declined",
    };
}
