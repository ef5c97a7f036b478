namespace Dashboard.Domain.Costs.Reconciliation;

/// <summary>What the ledger holds of one kind, metered and not corrected.</summary>
/// <param name="From">Start of the first entry.</param>
/// <param name="Until">End of the last one.</param>
/// <param name="Rate">Frozen from the contract; zero for traffic.</param>
public sealed record MeteredUse(ChargeKind Kind, Money Amount, DateTimeOffset From, DateTimeOffset Until, HourlyRate Rate);

/// <summary>One machine of ours as its provider's bill is compared with.</summary>
/// <param name="Label">The signed label; finds charges whose contract id was lost with the answer to the rent call.</param>
/// <param name="EndedAt">When its billing ended, proven; null while it lives.</param>
public sealed record BilledMachine(InstanceId Id, string? ContractId, string Label, DateTimeOffset? EndedAt, IReadOnlyList<MeteredUse> Uses);

/// <summary>The part of a bill that is compared.</summary>
/// <param name="From">Charges before it were compared elsewhere.</param>
/// <param name="Until">The window's end. What bills on beyond it is compared up to it.</param>
/// <param name="ReadAt">When the provider was asked.</param>
public sealed record BillWindow(DateTimeOffset From, DateTimeOffset Until, DateTimeOffset ReadAt);

/// <param name="Theirs">Null: not reported yet.</param>
/// <param name="ConfirmedUntil">Entries that end by then are confirmed; null: none is yet.</param>
/// <param name="Settled">The use in the window is over and reported in full: the ledger is brought to their figure.</param>
public sealed record BillFinding(
    InstanceId Instance, ChargeKind Kind, Money Ours, Money? Theirs, BillState State, DifferenceCause Cause, bool Settled, DateTimeOffset? ConfirmedUntil,
    HourlyRate OurRate, HourlyRate? TheirRate, DateTimeOffset? OurFrom, DateTimeOffset? OurUntil, DateTimeOffset? TheirFrom, DateTimeOffset? TheirUntil)
{
    /// <summary>What is still to be posted, when <paramref name="posted"/> has been: all of it once settled; before that only what more than seconds explain.</summary>
    public Money Due(Money posted) => Theirs is not { } theirs ? Money.Zero
        : theirs - Ours - posted is var due && (Settled || !BillRules.IsWithinTolerance(Ours + posted, theirs)) ? due
        : Money.Zero;
}

/// <summary>Charges for a machine that no row of ours knows.</summary>
public sealed record UnknownCharges(string ContractId, string? Label, Money Amount, DateTimeOffset From, DateTimeOffset Until);

/// <param name="Forgotten">They carry a label that this installation signed.</param>
/// <param name="Foreign">They are somebody else's.</param>
public sealed record BillFindings(IReadOnlyList<BillFinding> Lines, IReadOnlyList<UnknownCharges> Forgotten, IReadOnlyList<UnknownCharges> Foreign);
