using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Costs;

/// <summary>What a ledger entry pays for.</summary>
public enum ChargeKind
{
    /// <summary>GPU time, from running to not running.</summary>
    Gpu,

    /// <summary>Disk, from the contract's creation until it is gone.</summary>
    Disk,

    /// <summary>Bytes into the machine.</summary>
    Download,

    /// <summary>Bytes out of the machine.</summary>
    Upload,

    /// <summary>A difference to the provider's own charges. Corrections are new entries, never edits.</summary>
    Adjustment,
}

/// <summary>One immutable charge. Entries are only ever added; a correction is another entry that names what it corrects.</summary>
public sealed class LedgerEntry
{
    public long Id { get; init; }

    public required TeamId TeamId { get; init; }

    /// <summary>Where the money was spent. Totals of simulated markets never mix with real ones.</summary>
    public required Market Market { get; init; }

    public required ConnectionId ConnectionId { get; init; }

    public required InstanceId InstanceId { get; init; }

    public required JobId JobId { get; init; }

    public required AttemptId AttemptId { get; init; }

    public required ProjectId ProjectId { get; init; }

    /// <summary>Who started the job.</summary>
    public required UserId PersonId { get; init; }

    /// <summary>The job's tags when the charge arose.</summary>
    public required IReadOnlyList<string> Tags { get; init; }

    public required string GpuName { get; init; }

    public required ChargeKind Kind { get; init; }

    /// <summary>Charge period, UTC. Start is included, end is not.</summary>
    public required DateTimeOffset PeriodStart { get; init; }

    public required DateTimeOffset PeriodEnd { get; init; }

    /// <summary>Rate frozen from the instance row after rent. Zero where the charge is not for time.</summary>
    public required HourlyRate Rate { get; init; }

    /// <summary>Bytes for traffic, seconds for time.</summary>
    public required decimal Quantity { get; init; }

    public required Money Amount { get; init; }

    /// <summary>Whether one end of the period was not observed but inferred.</summary>
    public bool Estimated { get; init; }

    /// <summary>The entry this one corrects: the last of the machine, kind and month that it brings to the provider's figure. Null where we had metered none.</summary>
    public long? CorrectsId { get; init; }

    /// <summary>What kind of charge a correction corrects; null for what is none.</summary>
    public ChargeKind? CorrectsKind { get; init; }

    /// <summary>First instant of the month a correction is for; another than its period's where that month was closed by then.</summary>
    public DateTimeOffset? CorrectsMonth { get; init; }

    public string? Reason { get; init; }

    public required DateTimeOffset PostedAt { get; init; }
}
