using Dashboard.Domain;
using Dashboard.Infrastructure.Lifecycle;
using Hangfire;

namespace Dashboard.Infrastructure.Scheduling;

/// <summary>Asks for a job to be looked at now.</summary>
public interface INudgeProvisioning
{
    void Provision(JobId job);
}

/// <summary>
/// Hangfire's side of provisioning: it wakes the reconciler, which alone rents. Losing the nudge, or all of Hangfire's
/// memory, delays a job until the next tick and nothing more.
/// </summary>
[AutomaticRetry(Attempts = 0)]
public sealed class ProvisionJobs(LifecycleSignal signal)
{
    /// <param name="jobId">Ids only: arguments are shown in Hangfire's pages.</param>
    [JobDisplayName("Provision {0}")]
    public void Run(Guid jobId) => signal.Wake();
}

/// <summary>Enqueues <see cref="ProvisionJobs"/> and wakes this node's reconciler directly, so that a click is felt at once.</summary>
public sealed class NudgeProvisioning(IBackgroundJobClient hangfire, LifecycleSignal signal) : INudgeProvisioning
{
    public void Provision(JobId job)
    {
        signal.Wake();
        hangfire.Enqueue<ProvisionJobs>(p => p.Run(job.Value));
    }
}
