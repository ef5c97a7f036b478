using Dashboard.Domain.Costs;
using Dashboard.Domain.Estimates;

namespace Dashboard.Domain.Jobs;

/// <summary>How a person wants a job to end.</summary>
public enum CancelMode
{
    /// <summary>Checkpoint, bring it home, destroy.</summary>
    SaveThenDestroy,

    /// <summary>Destroy at once; what is not home is lost.</summary>
    DestroyNow,
}

/// <summary>What a person asked for, and where it is. Its status moves by <see cref="JobRules"/> alone.</summary>
public sealed class Job
{
    public required JobId Id { get; init; }

    public required TeamId TeamId { get; init; }

    /// <summary>Per team, from 1: the number people see.</summary>
    public required int Number { get; init; }

    public required ProjectId ProjectId { get; set; }

    public required UserId CreatedBy { get; init; }

    public required string Name { get; set; }

    public required IReadOnlyList<string> Tags { get; set; }

    public required TrainingSpec Spec { get; init; }

    public required ConnectionId ConnectionId { get; init; }

    /// <summary>The offer the person chose; the search ranks others when it is gone. Null: the cheapest that fits.</summary>
    public string? OfferId { get; init; }

    /// <summary>What a machine must have.</summary>
    public required MachineNeeds Needs { get; init; }

    public required JobLimits Limits { get; init; }

    /// <summary>Null: it starts at the price there is.</summary>
    public PriceOrder? Order { get; set; }

    /// <summary>What the form promised: expected, and the likely range. Null when no offer answered at that moment.</summary>
    public required CostEstimate? Estimate { get; init; }

    /// <summary>What somebody was asked to say yes to; null: it was within its person's limits.</summary>
    public ApprovalAsk? Ask { get; init; }

    /// <summary>Started knowingly although a budget may not reach to its end: it is paused there.</summary>
    public bool MayPause { get; set; }

    /// <summary>While paused for want of money: what a machine for it costs an hour. What has to be there before it goes on by itself follows from it; null: a person has to say so.</summary>
    public HourlyRate? PausedAtRate { get; set; }

    /// <summary>One submission, however often it is sent; unique per team.</summary>
    public string? IdempotencyKey { get; init; }

    public JobStatus Status { get; private set; } = JobStatus.Submitted;

    public StopReason? StopReason { get; set; }

    /// <summary>What happened, what it cost, what to do: said by the step that ended it. Null while all is well.</summary>
    public Said? Message { get; set; }

    /// <summary>Set once by a person, durable: every step looks at it first.</summary>
    public CancelMode? Cancel { get; set; }

    /// <summary>Until when a person wants its machine kept, stopped; null: it is to run. Durable: every step of the machine looks at it.</summary>
    public DateTimeOffset? ParkUntil { get; set; }

    public DateTimeOffset? CancelledAt { get; set; }

    public UserId? CancelledBy { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When its program first ran.</summary>
    public DateTimeOffset? StartedAt { get; set; }

    public DateTimeOffset? EndedAt { get; set; }

    public int AttemptCount { get; set; }

    /// <summary>How often a machine was taken away from it.</summary>
    public int Interruptions { get; set; }

    /// <summary>Since when its machine is stopped by somebody else and kept; null while it has none such.</summary>
    public DateTimeOffset? InterruptedAt { get; set; }

    /// <summary>Searches in a row that brought no machine, and when the last of them ended.</summary>
    public int EmptySearches { get; set; }

    public DateTimeOffset? EmptySearchAt { get; set; }

    /// <summary>When the next step is due; null when it waits for nothing but its instance.</summary>
    public DateTimeOffset? NextStepAt { get; set; }

    public string? LeaseOwner { get; set; }

    public DateTimeOffset? LeaseUntil { get; set; }

    public long Fence { get; set; }

    /// <summary>Moves the job on.</summary>
    /// <exception cref="InvalidOperationException">The state table has no such move.</exception>
    public void MoveTo(JobStatus status, DateTimeOffset now)
    {
        if (!JobRules.MayMove(Status, status))
        {
            throw new InvalidOperationException($"Job {Number} cannot go from {Status} to {status}.");
        }

        Status = status;
        if (status == JobStatus.Running)
        {
            StartedAt ??= now;
        }

        if (JobRules.IsFinal(status))
        {
            EndedAt = now;
        }
    }
}

/// <summary>What a machine must have. Decimal megabytes, megabits a second.</summary>
/// <param name="GpuNames">Empty: any.</param>
public sealed record MachineNeeds(IReadOnlyList<string> GpuNames, int GpuCount = 1, int? MinVramMb = null, decimal? MinReliability = null, decimal? MinDownloadMbps = null, bool VerifiedOnly = true);

/// <summary>Where the job stops itself.</summary>
/// <param name="MaxCost">In all, disk and traffic included.</param>
/// <param name="MaxRate">GPU and disk, per hour.</param>
/// <param name="MaxRuntime">Of the program, over all attempts.</param>
/// <param name="MaxAttempts">Machines tried before it gives up.</param>
public sealed record JobLimits(Money? MaxCost, HourlyRate? MaxRate, TimeSpan? MaxRuntime, int MaxAttempts = 10)
{
    /// <summary>Null: rented on demand.</summary>
    public BidPlan? Bid { get; init; }

    public RetryPolicy Retry { get; init; } = RetryPolicy.Default;

    /// <summary>When it has to be done. A machine that may be interrupted is not risked when time is short.</summary>
    public DateTimeOffset? FinishBy { get; init; }

    public HealthLimits Health { get; init; } = HealthLimits.Default;
}

/// <summary>When a run stops itself because it does not get on.</summary>
/// <param name="NoStepFor">Without a step for so long it counts as hung. Null: twenty times the usual step, at least a quarter of an hour. Zero: never.</param>
/// <param name="MaxLoss">Above it for five logged steps in a row it counts as diverged. Null: three times the first loss, for the built-in trainers.</param>
public sealed record HealthLimits(TimeSpan? NoStepFor = null, double? MaxLoss = null)
{
    public static HealthLimits Default { get; } = new();
}

/// <param name="Low">Lower end of the likely range.</param>
/// <param name="High">Upper end: what has to fit a budget.</param>
/// <param name="Duration">From start to files home, expected.</param>
public sealed record CostEstimate(Money Low, Money Expected, Money High, TimeSpan Duration)
{
    /// <summary>How long each part of it was expected to take; null: it was made before that was kept.</summary>
    public EstimatedTimes? Times { get; init; }
}

/// <summary>How long the parts of a run are expected to take, of one attempt that goes well.</summary>
/// <param name="Boot">Host and image.</param>
/// <param name="Download">Set-up, model and data on the running machine.</param>
/// <param name="Training">The program itself.</param>
/// <param name="Upload">Files on their way home.</param>
public sealed record EstimatedTimes(TimeSpan Boot, TimeSpan Download, TimeSpan Training, TimeSpan Upload)
{
    public TimeSpan Of(EstimatePart part) => part switch
    {
        EstimatePart.Boot => Boot,
        EstimatePart.Download => Download,
        EstimatePart.Training => Training,
        EstimatePart.Upload => Upload,
    };
}
