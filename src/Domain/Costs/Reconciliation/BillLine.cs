using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Costs.Reconciliation;

/// <summary>What became of one machine's charges of one kind in one month.</summary>
public enum BillState
{
    /// <summary>The provider has not reported it, or not all of it: nothing can be said yet. A missing row is not zero.</summary>
    NotReported,

    /// <summary>It agrees within rounding and what seconds at the ends can cost.</summary>
    Matched,

    /// <summary>It differs, and nobody has looked at it.</summary>
    Open,

    /// <summary>It differs by what we cannot see, and that is known.</summary>
    Explained,

    /// <summary>A person has asked the provider about it.</summary>
    Claimed,

    /// <summary>A person has taken the provider's figure.</summary>
    Accepted,
}

/// <summary>Why the provider's figure is another than ours.</summary>
public enum DifferenceCause
{
    /// <summary>There is no difference.</summary>
    None,

    /// <summary>The provider rounds each row.</summary>
    Rounding,

    /// <summary>Seconds at either end of an interval.</summary>
    Seconds,

    /// <summary>It went on being charged after its destruction was accepted.</summary>
    AfterDestroy,

    /// <summary>It was charged at another rate than the contract's.</summary>
    WrongRate,

    /// <summary>It was charged for more or less time than we saw.</summary>
    OtherTime,

    /// <summary>Other bytes than went over our own connections: image, packages, model.</summary>
    Traffic,

    /// <summary>They charge for what we have no entry of.</summary>
    MissingWithUs,

    /// <summary>They never charged what we metered.</summary>
    MissingWithThem,
}

/// <summary>Our figure and the provider's for one machine, kind and month. It remembers how far the ledger was corrected, so that repeating a reconciliation posts nothing twice.</summary>
public sealed class BillLine
{
    public long Id { get; init; }

    public required TeamId TeamId { get; init; }

    public required ConnectionId ConnectionId { get; init; }

    public required Market Market { get; init; }

    public required InstanceId InstanceId { get; init; }

    /// <summary>GPU, disk, download or upload.</summary>
    public required ChargeKind Kind { get; init; }

    /// <summary>First instant of the month.</summary>
    public required DateTimeOffset Month { get; init; }

    /// <summary>As metered, before any correction.</summary>
    public Money Ours { get; set; }

    /// <summary>As charged, summed over the provider's rows, at the provider's own rounding. Zero until <see cref="Reported"/>.</summary>
    public Money Theirs { get; set; }

    /// <summary>Whether <see cref="Theirs"/> is known.</summary>
    public bool Reported { get; set; }

    /// <summary>Corrections posted to the ledger for this line, in all.</summary>
    public Money Adjusted { get; set; }

    /// <summary>Entries that end by then are confirmed; null: none is.</summary>
    public DateTimeOffset? ConfirmedUntil { get; set; }

    /// <summary>Whether the machine's use in this month is over and reported in full.</summary>
    public bool Settled { get; set; }

    public required BillState State { get; set; }

    public required DifferenceCause Cause { get; set; }

    /// <summary>The contract's rate, and the one charged where the provider says it.</summary>
    public HourlyRate OurRate { get; set; }

    public HourlyRate TheirRate { get; set; }

    /// <summary>Of the metered entries, and of the provider's rows.</summary>
    public DateTimeOffset? OurFrom { get; set; }

    public DateTimeOffset? OurUntil { get; set; }

    public DateTimeOffset? TheirFrom { get; set; }

    public DateTimeOffset? TheirUntil { get; set; }

    public required DateTimeOffset CheckedAt { get; set; }

    /// <summary>Who claimed or accepted it, and when.</summary>
    public UserId? DecidedBy { get; set; }

    public DateTimeOffset? DecidedAt { get; set; }

    /// <summary>Theirs less ours, as metered.</summary>
    public Money Difference => Reported ? Theirs - Ours : Money.Zero;

    /// <summary>Takes up what a comparison found. A person's decision stands as long as the figures do.</summary>
    public void Take(BillFinding finding, DateTimeOffset now)
    {
        var decided = State is BillState.Claimed or BillState.Accepted && (finding.Ours, finding.Theirs ?? Money.Zero) == (Ours, Theirs) && finding.State is BillState.Open or BillState.Explained;
        (Ours, Theirs, Reported, Settled, Cause, CheckedAt) = (finding.Ours, finding.Theirs ?? Money.Zero, finding.Theirs is not null, finding.Settled, finding.Cause, now);
        (OurRate, TheirRate, OurFrom, OurUntil, TheirFrom, TheirUntil) = (finding.OurRate, finding.TheirRate ?? HourlyRate.Zero, finding.OurFrom, finding.OurUntil, finding.TheirFrom, finding.TheirUntil);
        ConfirmedUntil = finding.ConfirmedUntil ?? ConfirmedUntil;
        if (!decided)
        {
            (State, DecidedBy, DecidedAt) = (finding.State, null, null);
        }
    }
}

/// <summary>How far the bill of one connection was read.</summary>
public sealed class BillReading
{
    public required ConnectionId ConnectionId { get; init; }

    public required TeamId TeamId { get; init; }

    /// <summary>When the bill was last read in full.</summary>
    public DateTimeOffset? ReadAt { get; set; }

    /// <summary>When it is read next at the latest.</summary>
    public DateTimeOffset NextAt { get; set; }

    /// <summary>The provider's words when it could not be read; null when it could.</summary>
    public string? Failure { get; set; }

    /// <summary>Charges in the current month for machines that are not ours: counted, never touched.</summary>
    public int ForeignCount { get; set; }

    public Money ForeignAmount { get; set; }

    public DateTimeOffset? LeaseUntil { get; set; }

    public long Fence { get; set; }
}

/// <summary>The provider charged for a machine that carries our signed label and is in no row of ours. It is said out loud and left alone.</summary>
public sealed class ForgottenRental
{
    public long Id { get; init; }

    public required TeamId TeamId { get; init; }

    public required ConnectionId ConnectionId { get; init; }

    public required Market Market { get; init; }

    public required string ContractId { get; init; }

    public required string Label { get; init; }

    public required DateTimeOffset Month { get; init; }

    public Money Amount { get; set; }

    public required DateTimeOffset From { get; set; }

    public required DateTimeOffset Until { get; set; }

    public required DateTimeOffset SeenAt { get; init; }
}
