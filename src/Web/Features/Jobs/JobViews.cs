using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Web.Features.Jobs;

/// <summary>Everything the job page shows above its tabs and on its overview, as of one read.</summary>
public sealed record JobView
{
    public required JobId Id { get; init; }

    public required int Number { get; init; }

    public required string Name { get; init; }

    public required ProjectId ProjectId { get; init; }

    public required string Project { get; init; }

    public required IReadOnlyList<string> Tags { get; init; }

    public required JobStatus Status { get; init; }

    public required StopReason? StopReason { get; init; }

    /// <summary>What happened, what it cost, what to do. Null while all is well.</summary>
    public required string? Message { get; init; }

    /// <summary>Set once a person has asked it to stop.</summary>
    public required CancelMode? Cancel { get; init; }

    /// <summary>Until when a person wants its machine stopped and kept; null: it is to run.</summary>
    public DateTimeOffset? ParkUntil { get; init; }

    public required string StartedBy { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset? StartedAt { get; init; }

    public required DateTimeOffset? EndedAt { get; init; }

    public required TrainingSpec Spec { get; init; }

    public required MachineNeeds Needs { get; init; }

    public required JobLimits Limits { get; init; }

    /// <summary>What it waits, or waited, for; null: it started at the price there was.</summary>
    public PriceOrder? Order { get; init; }

    /// <summary>Only while somebody has to say yes.</summary>
    public ApprovalView? Approval { get; init; }

    public required CostEstimate? Estimate { get; init; }

    public required ConnectionId ConnectionId { get; init; }

    public required string MarketName { get; init; }

    /// <summary>Base address of the market.</summary>
    public required string MarketAddress { get; init; }

    public required bool Simulated { get; init; }

    public required IReadOnlyList<Attempt> Attempts { get; init; }

    /// <summary>In the order they were rented.</summary>
    public required IReadOnlyList<MachineView> Machines { get; init; }

    /// <summary>Null when the reader may not see money.</summary>
    public required JobMeter? Meter { get; init; }

    public required int FileCount { get; init; }

    public required int EventCount { get; init; }

    /// <summary>Step of the newest checkpoint that came home; null: none did.</summary>
    public required int? CheckpointAtHome { get; init; }

    public required DateTimeOffset AsOf { get; init; }

    /// <summary>What is off about its machines now, one sentence each.</summary>
    public IReadOnlyList<string> Anomalies { get; init; } = [];

    public Attempt? LastAttempt => Attempts.Count > 0 ? Attempts[^1] : null;

    /// <summary>Its machine while that is stopped by another renter and kept.</summary>
    public MachineView? Kept => LastMachine is { Status: InstanceStatus.Interrupted } kept ? kept : null;

    /// <summary>Its machine is stopped, or about to be, and kept for a person.</summary>
    public bool Parked => ParkUntil is not null || LastMachine is { Status: InstanceStatus.Parked };

    /// <summary>Whether it has yet to find its price.</summary>
    public bool Waits => Order is { Binds: true } && StartedAt is null && Status is JobStatus.Submitted or JobStatus.WaitingForPrice;

    public MachineView? LastMachine => Machines.Count > 0 ? Machines[^1] : null;

    /// <summary>What an hour costs while it runs, by the machine it has or the one it was promised.</summary>
    public HourlyRate RunningRate => LastMachine is { } machine ? machine.GpuRate + machine.DiskRate : HourlyRate.Zero;

    /// <summary>The request for the same job once more; the offer is chosen anew, because offers do not last.</summary>
    public JobRequest Again(string idempotencyKey) => new()
    {
        Name = Name,
        Spec = Spec,
        ConnectionId = ConnectionId,
        Needs = Needs,
        Limits = Limits with { FinishBy = null }, // it was that run's
        ProjectId = ProjectId,
        Tags = Tags,
        IdempotencyKey = idempotencyKey,
    };

    public CostToComplete? Forecast(DateTimeOffset now) => CostToComplete.Of(
        new RunSoFar(
            Status, Estimate, StartedAt, LastAttempt?.Step, LastAttempt?.TotalSteps, LastAttempt?.Pace ?? StepPace.Unknown, RunSoFar.EvaluationsOf(Spec), LastAttempt?.SecondsPerStep,
            Meter?.SoFar(now) ?? Money.Zero, RunningRate),
        now);
}

/// <summary>A job that waits for somebody's yes, to one reader.</summary>
/// <param name="Own">The reader asks.</param>
/// <param name="MayDecide">The reader may say yes or no.</param>
/// <param name="Deciders">Names of all who may.</param>
/// <param name="RemindedAt">When they were told once more; null: never.</param>
public sealed record ApprovalView(ApprovalAsk Ask, bool Own, bool MayDecide, IReadOnlyList<string> Deciders, DateTimeOffset? RemindedAt = null);

/// <summary>A machine of the job, without anything secret.</summary>
public sealed record MachineView
{
    public required InstanceId Id { get; init; }

    public required int AttemptNumber { get; init; }

    public required InstanceStatus Status { get; init; }

    public required string GpuName { get; init; }

    public required int GpuCount { get; init; }

    public required int VramMb { get; init; }

    public required string? Location { get; init; }

    public required RentalType Rental { get; init; }

    public required string MachineId { get; init; }

    public required string? ContractId { get; init; }

    public required decimal DiskGb { get; init; }

    public required HourlyRate GpuRate { get; init; }

    public required HourlyRate DiskRate { get; init; }

    public required string? HostKeys { get; init; }

    public required bool HostKeyCrossChecked { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset? BillingSince { get; init; }

    public required DateTimeOffset? RunningSince { get; init; }

    public required DateTimeOffset? SeenRunningAt { get; init; }

    public required DateTimeOffset? DestroyAcceptedAt { get; init; }

    public required DateTimeOffset? AbsentSince { get; init; }

    public required DateTimeOffset? GoneAt { get; init; }

    public required int DestroyAsks { get; init; }

    public required ObservedStatus? Observed { get; init; }

    public required string? ObservedMessage { get; init; }

    public required DateTimeOffset? ObservedAt { get; init; }

    public required DateTimeOffset? ContractEnd { get; init; }

    public required StopReason? EndReason { get; init; }

    public DateTimeOffset? InterruptedAt { get; init; }

    /// <summary>Until when it is kept stopped.</summary>
    public DateTimeOffset? KeptUntil { get; init; }

    /// <summary>A person asked to wait for it.</summary>
    public bool WaitedFor { get; init; }

    public required Money GpuPosted { get; init; }

    public required Money DiskPosted { get; init; }

    /// <summary>What grows on this machine and is not in the ledger yet.</summary>
    public IEnumerable<RunningCharge> Running()
    {
        if (!InstanceRules.MayBill(Status))
        {
            yield break; // proven gone: the ledger has it all
        }

        // Once absent after an accepted destroy, billing is taken to have ended at the destroy.
        var until = AbsentSince is null ? null : DestroyAcceptedAt;
        if (RunningSince is { } running)
        {
            yield return new RunningCharge(AttemptNumber, ChargeKind.Gpu, GpuRate, running, until, GpuPosted);
        }

        if (BillingSince is { } billing)
        {
            yield return new RunningCharge(AttemptNumber, ChargeKind.Disk, DiskRate, billing, until, DiskPosted);
        }
    }
}

/// <param name="Person">Who did it; null: the dashboard itself.</param>
public sealed record EventView(DateTimeOffset At, string Kind, string Text, int? Attempt, string? Person);

/// <param name="Sha256">Lower-case hex. Where the machine promised one it is the same: a file whose hash differs never arrives here.</param>
/// <param name="Verified">The machine promised it.</param>
/// <param name="Step">Of a checkpoint; null for a result.</param>
public sealed record FileView(int Attempt, string Path, long Bytes, string Sha256, bool Verified, int? Step, DateTimeOffset ArrivedAt);

/// <param name="Job">Null: this team has no job of that number.</param>
public sealed record JobAnswer(JobView? Job);
