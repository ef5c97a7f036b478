using Dashboard.Domain;
using Dashboard.Infrastructure.Lifecycle;
using Hangfire;
using Microsoft.Extensions.Logging;

namespace Dashboard.Infrastructure.Scheduling;

/// <summary>Asks for a job to be looked at now.</summary>
public interface INudgeProvisioning
{
    /// <remarks>Does not throw when the clock cannot be reached: the job is saved by then.</remarks>
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
public sealed partial class NudgeProvisioning(IBackgroundJobClient hangfire, LifecycleSignal signal, ILogger<NudgeProvisioning> log) : INudgeProvisioning
{
    public void Provision(JobId job)
    {
        signal.Wake();
        try
        {
            hangfire.Enqueue<ProvisionJobs>(p => p.Run(job.Value));
        }
        catch (BackgroundJobClientException error)
        {
            NotEnqueued(job.Value, error); // the row is saved and due: the reconciler takes it up, awake already
        }
    }

    [LoggerMessage(EventId = 2401, Level = LogLevel.Warning, Message = "Hangfire did not take the nudge for job {JobId}; the reconciler takes the job up by itself")]
    private partial void NotEnqueued(Guid jobId, Exception error);
}
