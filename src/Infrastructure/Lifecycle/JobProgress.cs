using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Notifications;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>What an instance's status means for its job. Called in the transaction that moves the instance.</summary>
internal static class JobProgress
{
    public static void Mirror(InstanceChange change)
    {
        var (job, instance, now) = (change.Job, change.Instance, change.Now);
        if (JobRules.IsFinal(job.Status) || instance.AttemptNumber != job.AttemptCount)
        {
            return; // an older attempt's machine is still being pursued; the job has gone on
        }

        switch (instance.Status)
        {
            case InstanceStatus.Intent or InstanceStatus.Sent or InstanceStatus.Unknown:
                break;
            case InstanceStatus.Rejected:
                if (job.Status == JobStatus.Provisioning && job.NextStepAt is null)
                {
                    job.NextStepAt = now;
                }

                break;
            case InstanceStatus.Booting or InstanceStatus.Ready:
                job.EmptySearches = 0;
                Move(job, JobStatus.Starting, now);
                break;
            case InstanceStatus.Running:
                Move(job, JobStatus.Running, now);
                change.Attempt.StartedAt ??= now;
                break;
            case InstanceStatus.Interrupted:
                job.InterruptedAt ??= now;
                job.NextStepAt ??= now; // a continuation is sought by the job, while its machine is kept
                return;
            case InstanceStatus.Parked:
                break; // still its machine; a person says when it goes on
            case InstanceStatus.Draining:
                (instance.Parking, job.ParkUntil) = (null, null); // it ended before it was stopped
                Move(job, JobStatus.Collecting, now);
                break;
            case InstanceStatus.Destroying:
                (instance.Parking, job.ParkUntil, change.Attempt.Pauses) = (null, null, Pause.Ended(change.Attempt.Pauses, now));
                Move(job, JobStatus.Terminating, now);
                break;
            case InstanceStatus.Gone:
                Move(job, JobStatus.Terminating, now);
                Conclude(change);
                break;
        }

        job.InterruptedAt = null;
    }

    private static void Move(Job job, JobStatus status, DateTimeOffset now)
    {
        if (job.Status != status)
        {
            job.MoveTo(status, now);
        }
    }

    private static void Conclude(InstanceChange change)
    {
        var (job, attempt, now) = (change.Job, change.Attempt, change.Now);
        var reason = change.Instance.EndReason ?? StopReason.HostLost;
        if (job.Cancel is not null && reason is not StopReason.Finished)
        {
            reason = StopReason.CancelledByUser;
        }

        var what = change.Instance.EndMessage ?? "The machine is gone.";
        (attempt.EndedAt, attempt.StopReason, attempt.Message) = (now, reason, what);

        var cost = SpentOn(change);
        var next = JobRules.AfterAttempt(reason, RetryRules.Another(reason, Earlier(change), job.Limits));
        job.StopReason = next == JobStatus.Provisioning ? null : reason;
        job.Message = Endings.Message(reason, what, cost);
        job.MoveTo(next, now);
        job.NextStepAt = next == JobStatus.Provisioning ? now : next == JobStatus.Paused ? now + ResumeJob.FirstLook : null;
        job.PausedAtRate = next == JobStatus.Paused ? change.Instance.GpuRate + change.Instance.DiskRate : null;

        if (next == JobStatus.Provisioning)
        {
            change.Say("retry", what + $" Attempt {job.AttemptCount + 1} starts.");
            return;
        }

        change.Say("ended", $"{Title(next)}: " + what + Endings.ItCost(cost));
        Outbox.JobEnded(change.Db, job, now);
        if (next is JobStatus.Failed or JobStatus.Paused)
        {
            change.Attention("job-failed", $"job/{job.Id}", $"{job.Name} #{job.Number} {(next == JobStatus.Failed ? "failed" : "is paused")}", job.Message, "See job");
        }
    }

    private static string Title(JobStatus status) => status switch
    {
        JobStatus.Succeeded => "Succeeded",
        JobStatus.Cancelled => "Cancelled",
        JobStatus.Paused => "Paused",
        _ => "Failed",
    };

    /// <summary>Why the attempts before this one ended.</summary>
    internal static IReadOnlyList<StopReason> Earlier(InstanceChange change) =>
        [.. change.Db.Attempts.AsNoTracking().Where(a => a.JobId == change.Job.Id && a.Number < change.Attempt.Number && a.StopReason != null).Select(a => a.StopReason!.Value)];

    /// <summary>All attempts' entries, those of this very transaction included.</summary>
    internal static Money SpentOn(InstanceChange change)
    {
        var job = change.Job.Id;
        var posted = change.Db.Ledger.AsNoTracking().Where(e => e.JobId == job).Sum(e => e.Amount.Micros);
        var pending = change.Db.ChangeTracker.Entries<LedgerEntry>().Where(e => e.State == EntityState.Added && e.Entity.JobId == job).Sum(e => e.Entity.Amount.Micros);
        return new Money(posted + pending);
    }
}
