using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Instances;

/// <summary>Our row of one rent call. It is written before the call and outlives its job until the machine is proven gone.</summary>
public sealed class Instance
{
    public required InstanceId Id { get; init; }

    public required TeamId TeamId { get; init; }

    public required JobId JobId { get; init; }

    public required AttemptId AttemptId { get; init; }

    public required int AttemptNumber { get; init; }

    public required ConnectionId ConnectionId { get; init; }

    /// <summary>Unique and signed, see <see cref="InstanceLabel"/>.</summary>
    public required string Label { get; init; }

    public required string OfferId { get; init; }

    public required string MachineId { get; init; }

    public required string GpuName { get; init; }

    public required int GpuCount { get; init; }

    public required int VramMb { get; init; }

    public string? Location { get; init; }

    public required RentalType Rental { get; init; }

    public required decimal DiskGb { get; init; }

    public InstanceStatus Status { get; private set; } = InstanceStatus.Intent;

    /// <summary>The provider's id of the machine. Once set, the machine is ours whatever its label says.</summary>
    public string? ContractId { get; set; }

    /// <summary>May show, start, stop and destroy this one machine; encrypted.</summary>
    public string? ProtectedInstanceKey { get; set; }

    /// <summary>Private half of this instance's own SSH key, encrypted; removed at Gone.</summary>
    public string? ProtectedSshKey { get; set; }

    public required string SshPublicKey { get; init; }

    /// <summary>Pinned at first contact per route: <c>direct=SHA256:…;proxy=SHA256:…</c>. A different key later means another machine.</summary>
    public string? HostKeys { get; set; }

    /// <summary>Whether the pinned key matched the fingerprint that the machine printed to its own container log.</summary>
    public bool HostKeyCrossChecked { get; set; }

    /// <summary>Rates of the offer when it was chosen.</summary>
    public required HourlyRate QuotedGpuRate { get; init; }

    public required HourlyRate QuotedDiskRate { get; init; }

    /// <summary>More than this, GPU and disk together, is not what was agreed: destroy.</summary>
    public required HourlyRate CeilingRate { get; init; }

    /// <summary>The contract's rates, frozen from the provider's row after rent; the quote until then.</summary>
    public required HourlyRate GpuRate { get; set; }

    public required HourlyRate DiskRate { get; set; }

    public required Money DownloadPerGb { get; set; }

    public required Money UploadPerGb { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? SentAt { get; set; }

    /// <summary>When the contract, and its disk's bill, began.</summary>
    public DateTimeOffset? BillingSince { get; set; }

    /// <summary>When the GPU's current run began; null while it does not run.</summary>
    public DateTimeOffset? RunningSince { get; set; }

    /// <summary>How far <see cref="RunningSince"/> may be off to either side; null where only our own looks tell.</summary>
    public TimeSpan? RunningSinceWithin { get; set; }

    /// <summary>When the last destroy was accepted: billing ends here if the machine is then proven gone.</summary>
    public DateTimeOffset? DestroyAcceptedAt { get; set; }

    public DateTimeOffset? GoneAt { get; set; }

    public int DestroyAsks { get; set; }

    /// <summary>When destroying began.</summary>
    public DateTimeOffset? DestroyAskedAt { get; set; }

    /// <summary>Complete listings since, without this machine. Two, ten seconds apart, are the proof.</summary>
    public DateTimeOffset? AbsentSince { get; set; }

    /// <summary>Complete lookups of the label that found nothing, while the answer is unclear.</summary>
    public int LabelMisses { get; set; }

    /// <summary>Whether one look settles it (the call was refused for its pace).</summary>
    public bool UnclearLight { get; set; }

    /// <summary>What the provider last said, and when.</summary>
    public ObservedStatus? Observed { get; set; }

    public string? ObservedMessage { get; set; }

    /// <summary>Whether the provider's words say that this start can no longer succeed.</summary>
    public bool ObservedFatal { get; set; }

    /// <summary>How the provider says it is rented; another kind than asked for is not what was agreed.</summary>
    public RentalType? ObservedRental { get; set; }

    /// <summary>What it costs an hour as the provider lists it, GPU and disk together; null where the row does not say.</summary>
    public HourlyRate? ObservedRate { get; set; }

    /// <summary>Since when the provider sees its GPU do nothing; null while it is used, or nobody says.</summary>
    public DateTimeOffset? IdleSince { get; set; }

    public DateTimeOffset? ObservedAt { get; set; }

    public DateTimeOffset? ContractEnd { get; set; }

    /// <summary>When our SSH key was attached to it.</summary>
    public DateTimeOffset? KeyAttachedAt { get; set; }

    /// <summary>Longest time its boot may take: twice the estimate, within bounds.</summary>
    public required TimeSpan BootLimit { get; init; }

    /// <summary>When booting last showed progress.</summary>
    public DateTimeOffset? ProgressAt { get; set; }

    /// <summary>When it first said running; SSH must answer within minutes.</summary>
    public DateTimeOffset? SeenRunningAt { get; set; }

    /// <summary>Failures to reach SSH, the words of the last one.</summary>
    public int SshFailures { get; set; }

    public string? SshMessage { get; set; }

    /// <summary>How long it has not answered while it runs; null: its last look did.</summary>
    public Silence? Silence { get; set; }

    /// <summary>Ways to its sshd as last listed: <c>direct=host:port;proxy=host:port</c>.</summary>
    public string? Routes { get; set; }

    /// <summary>When it last answered over SSH.</summary>
    public DateTimeOffset? AnsweredAt { get; set; }

    /// <summary>When it first answered over SSH.</summary>
    public DateTimeOffset? ReadyAt { get; set; }

    /// <summary>Since when it is stopped by somebody else and kept.</summary>
    public DateTimeOffset? InterruptedAt { get; set; }

    /// <summary>Until when it is kept stopped.</summary>
    public DateTimeOffset? KeptUntil { get; set; }

    /// <summary>How far it is stopped, or started again, for the person who keeps it; null: nobody does.</summary>
    public Parking? Parking { get; set; }

    /// <summary>A person asked to wait for it instead of going on elsewhere.</summary>
    public bool WaitedFor { get; set; }

    /// <summary>When, and why, its program was asked to save and stop.</summary>
    public DateTimeOffset? StopAskedAt { get; set; }

    public StopReason? StopAskedFor { get; set; }

    /// <summary>Until when draining may keep it for its files.</summary>
    public DateTimeOffset? DrainUntil { get; set; }

    /// <summary>How the attempt on it ended; set when it starts to drain or is destroyed.</summary>
    public StopReason? EndReason { get; set; }

    /// <summary>Words for the ending, from the step that saw it.</summary>
    public Said? EndMessage { get; set; }

    /// <summary>When the lease file was last refreshed on the machine.</summary>
    public DateTimeOffset? LeasedAt { get; set; }

    public int LeaseSequence { get; set; }

    /// <summary>Ledger: how far GPU time was posted, and how much of the current run.</summary>
    public DateTimeOffset? GpuPostedUntil { get; set; }

    public Money GpuPostedOfRun { get; set; }

    public DateTimeOffset? DiskPostedUntil { get; set; }

    public Money DiskPosted { get; set; }

    /// <summary>Budgets: until when it is paid for, saving and destroying included; null while no budget limits it.</summary>
    public DateTimeOffset? HeldUntil { get; set; }

    /// <summary>When its holds are renewed next; null: at its next step.</summary>
    public DateTimeOffset? RenewHoldAt { get; set; }

    /// <summary>Which budget refused the last renewal, in words; null: none did.</summary>
    public Said? HoldRefusal { get; set; }

    public DateTimeOffset? NextStepAt { get; set; }

    public string? LeaseOwner { get; set; }

    public DateTimeOffset? LeaseUntil { get; set; }

    public long Fence { get; set; }

    /// <summary>Moves the row on.</summary>
    /// <exception cref="InvalidOperationException">The state table has no such move.</exception>
    public void MoveTo(InstanceStatus status, DateTimeOffset now)
    {
        if (!InstanceRules.MayMove(Status, status))
        {
            throw new InvalidOperationException($"Instance {Id} cannot go from {Status} to {status}.");
        }

        Status = status;
        NextStepAt = InstanceRules.IsFinal(status) ? null : now;
        if (status == InstanceStatus.Gone)
        {
            GoneAt = now;
        }
    }

    /// <summary>What it costs an hour by what is known now. A machine that may exist bills at its quote until known better.</summary>
    public HourlyRate BurnRate => Status switch
    {
        InstanceStatus.Intent or InstanceStatus.Rejected or InstanceStatus.Gone => HourlyRate.Zero,
        _ when DestroyAcceptedAt is not null && AbsentSince is not null => HourlyRate.Zero,
        InstanceStatus.Sent or InstanceStatus.Unknown => DiskRate,
        _ => RunningSince is null ? DiskRate : GpuRate + DiskRate,
    };

    /// <summary>What has grown on it and is not in the ledger yet. Never negative: a clock that ran ahead waits.</summary>
    public Money Unposted(DateTimeOffset now)
    {
        if (!InstanceRules.MayBill(Status))
        {
            return Money.Zero; // proven gone: the ledger has it all
        }

        // Once absent after an accepted destroy, billing is taken to have ended at the destroy.
        var until = AbsentSince is not null && DestroyAcceptedAt is { } end && end < now ? end : now;
        var gpu = RunningSince is { } running ? UsageMeter.ChargeDue(GpuRate, running, until, GpuPostedOfRun) : Money.Zero;
        var disk = BillingSince is { } billing ? UsageMeter.ChargeDue(DiskRate, billing, until, DiskPosted) : Money.Zero;
        return (gpu > Money.Zero ? gpu : Money.Zero) + (disk > Money.Zero ? disk : Money.Zero);
    }
}
