using System.Globalization;
using Dashboard.Domain.Jobs;

namespace Dashboard.Web.Features.Jobs;

/// <summary>Words of a job's life that more than one of its views says.</summary>
public static class JobWords
{
    /// <summary>Seconds a step: <c>8.3 s</c>, below a second <c>45 ms</c>.</summary>
    public static string StepTime(double seconds) => seconds < 1
        ? (seconds * 1000).ToString("0", CultureInfo.InvariantCulture) + " ms"
        : seconds.ToString("0.0", CultureInfo.InvariantCulture) + " s";

    /// <summary>Why an attempt ended, as a caption.</summary>
    public static string Reason(StopReason reason) => reason switch
    {
        StopReason.Finished => "finished",
        StopReason.CancelledByUser => "stopped by a person",
        StopReason.BudgetExhausted => "budget reached",
        StopReason.CreditExhausted => "credit used up",
        StopReason.DeadlineReached => "time limit reached",
        StopReason.ScriptFailed => "script failed",
        StopReason.OutOfMemory => "out of memory",
        StopReason.DiskFull => "disk full",
        StopReason.Diverged => "loss diverged",
        StopReason.Hung => "no progress",
        StopReason.NoCapacity => "no machine",
        StopReason.StartFailed => "did not start",
        StopReason.Interrupted => "lost, outbid",
        StopReason.HostLost => "host lost",
        StopReason.HostKeyChanged => "host key changed",
        StopReason.ArtifactMissing => "result missing",
        StopReason.ConnectionBroken => "key refused",
    };
}
