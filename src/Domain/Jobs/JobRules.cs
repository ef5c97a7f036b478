using static Dashboard.Domain.Jobs.JobStatus;
using static Dashboard.Domain.Jobs.StopReason;

namespace Dashboard.Domain.Jobs;

/// <summary>The job's state table. Everything that moves a job asks here.</summary>
public static class JobRules
{
    /// <summary>Where a job goes when its attempt has ended and its machine is gone. <paramref name="another"/>: the retry policy allows one more attempt.</summary>
    public static JobStatus AfterAttempt(StopReason reason, bool another) => reason switch
    {
        Finished => Succeeded,
        CancelledByUser or PriceNotReached or Declined => Cancelled,
        BudgetExhausted or CreditExhausted => Paused, // Submitted again once there is money
        NoCapacity or StartFailed or Interrupted or HostLost or HostKeyChanged or Hung or ScriptFailed => another ? Provisioning : Failed,
        DeadlineReached or OutOfMemory or DiskFull or Diverged or ArtifactMissing or ConnectionBroken => Failed,
    };

    /// <summary>Whether a job may move from one status to another.</summary>
    public static bool MayMove(JobStatus from, JobStatus to) => from switch
    {
        Submitted => to is AwaitingApproval or WaitingForPrice or Provisioning or Cancelled or Failed,
        AwaitingApproval => to is Submitted or Cancelled or Failed,
        WaitingForPrice => to is Submitted or Provisioning or Cancelled or Failed,
        Provisioning => to is WaitingForPrice or Starting or Terminating or Cancelled or Failed or Paused,
        Starting => to is Running or Collecting or Terminating,
        Running => to is Collecting or Terminating,
        Collecting => to is Terminating,
        Terminating => to is Provisioning or Paused or Succeeded or Failed or Cancelled,
        Paused => to is Submitted or Cancelled,
        Succeeded or Failed or Cancelled => false,
    };

    public static bool IsFinal(JobStatus status) => status is Succeeded or Failed or Cancelled;

    /// <summary>Whether the job holds, seeks or awaits a machine.</summary>
    public static bool IsActive(JobStatus status) => !IsFinal(status) && status != Paused;

    /// <summary>Whether a person may still stop it. While it only comes home or is being destroyed there is nothing left to stop.</summary>
    public static bool MayCancel(JobStatus status) => status switch
    {
        Submitted or AwaitingApproval or WaitingForPrice or Provisioning or Starting or Running or Collecting or Paused => true,
        Terminating or Succeeded or Failed or Cancelled => false,
    };
}
