using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Costs.Reconciliation;

/// <summary>Compares a provider's charges with what we metered: per machine and kind, summed over rows, nothing concluded from a row that is not there yet.</summary>
public static class BillRules
{
    /// <summary>Providers round a row to a tenth of a cent: half of that either way.</summary>
    private static readonly Money HalfARounding = new(500);

    private static readonly Money LeastTolerance = Money.FromUsd(0.01m);
    private const decimal ToleranceShare = 0.02m;

    /// <summary>Ends are stamped to the second, theirs and ours by other clocks.</summary>
    private static readonly TimeSpan ClockSlack = TimeSpan.FromSeconds(5);

    /// <summary>After a destroy was accepted a machine may take so long to be off the bill; longer is charged after its end.</summary>
    private static readonly TimeSpan EndSlack = TimeSpan.FromMinutes(2);

    /// <summary>What was not reported two days after its end is not late any more.</summary>
    public static TimeSpan Late { get; } = TimeSpan.FromDays(2);

    /// <summary>Whether a difference is no more than seconds at the ends of intervals can make: a cent, or two percent of the larger figure.</summary>
    public static bool IsWithinTolerance(Money ours, Money theirs)
    {
        var larger = Money.FromUsd(Math.Max(Math.Abs(ours.Usd), Math.Abs(theirs.Usd)) * ToleranceShare);
        return Size(theirs - ours) <= (larger > LeastTolerance ? larger : LeastTolerance);
    }

    /// <param name="machines">Ours, with what was metered in the window. A machine that lives on is compared up to the window's end, in time only.</param>
    /// <param name="known">Contract ids and labels of machines that are compared elsewhere; their charges are neither forgotten nor foreign.</param>
    /// <param name="isOurs">Whether this installation signed the label.</param>
    public static BillFindings Compare(IReadOnlyList<BilledMachine> machines, IReadOnlySet<string> known, IReadOnlyList<ProviderCharge> charges, BillWindow window, Func<string?, bool> isOurs)
    {
        var byContract = machines.Where(m => m.ContractId is not null).GroupBy(m => m.ContractId!).ToDictionary(g => g.Key, g => g.First());
        var byLabel = machines.GroupBy(m => m.Label).ToDictionary(g => g.Key, g => g.First());
        BilledMachine? Of(ProviderCharge charge) =>
            byContract.TryGetValue(charge.ContractId, out var machine) || charge.Label is not null && byLabel.TryGetValue(charge.Label, out machine) ? machine : null;

        var charged = charges.Select(c => (Charge: c, Machine: Of(c))).ToList();
        var ours = charged.Where(c => c.Machine is not null).ToLookup(c => c.Machine!.Id, c => c.Charge);
        var unknown = charged.Where(c => c.Machine is null && !known.Contains(c.Charge.ContractId) && !(c.Charge.Label is { } label && known.Contains(label))).Select(c => c.Charge)
            .GroupBy(c => c.ContractId)
            .Select(g => new UnknownCharges(g.Key, g.Select(c => c.Label).FirstOrDefault(l => l is not null), Sum(g), g.Min(c => c.From), g.Max(c => c.To)))
            .OrderBy(u => u.From).ThenBy(u => u.ContractId, StringComparer.Ordinal).ToLookup(u => isOurs(u.Label));
        return new BillFindings([.. machines.SelectMany(m => Lines(m, [.. ours[m.Id]], window))], [.. unknown[true]], [.. unknown[false]]);
    }

    private static IEnumerable<BillFinding> Lines(BilledMachine machine, List<ProviderCharge> charges, BillWindow window)
    {
        // Who lives on is compared in time only: bytes are counted when a machine is gone.
        ChargeKind[] kinds = machine.EndedAt is null ? [ChargeKind.Gpu, ChargeKind.Disk] : [ChargeKind.Gpu, ChargeKind.Disk, ChargeKind.Download, ChargeKind.Upload];
        foreach (var kind in kinds)
        {
            var used = machine.Uses.SingleOrDefault(u => u.Kind == kind);
            var rows = charges.Where(c => KindOf(c) == kind).ToList();
            if (used is not null || rows.Count > 0)
            {
                yield return Line(machine, kind, used, rows, charges, window);
            }
        }
    }

    // A charge of a kind nobody told us about must not vanish from the sum: it stands with the machine's largest part.
    private static ChargeKind KindOf(ProviderCharge charge) => charge.Kind == ChargeKind.Adjustment ? ChargeKind.Gpu : charge.Kind;

    private static BillFinding Line(BilledMachine machine, ChargeKind kind, MeteredUse? used, List<ProviderCharge> rows, List<ProviderCharge> charges, BillWindow window)
    {
        var ours = used?.Amount ?? Money.Zero;
        var (end, ended) = machine.EndedAt is { } at && at <= window.Until ? (at, true) : (window.Until, false);
        var over = ended || window.Until < window.ReadAt; // what is compared will not grow any more
        var late = over && window.ReadAt - end >= Late;

        // A machine's rows reach as far as was reported; a kind may be missing among them for a while.
        var reached = charges.Count == 0 ? (DateTimeOffset?)null : charges.Max(c => c.To);
        var complete = rows.Count > 0 && reached >= end - ClockSlack;
        if (!over || (!complete && !late) || charges.Count == 0)
        {
            var missing = over && late && ours > Money.Zero;
            return Finding(null, missing ? BillState.Open : BillState.NotReported, missing ? DifferenceCause.MissingWithThem : DifferenceCause.None, settled: false);
        }

        var theirs = Sum(rows);
        var cause = Cause(kind, used, theirs, rows, end, ended);
        var state = cause switch
        {
            DifferenceCause.None or DifferenceCause.Rounding or DifferenceCause.Seconds => BillState.Matched,
            DifferenceCause.Traffic when theirs > ours => BillState.Explained,
            _ => BillState.Open,
        };
        return Finding(theirs, state, cause, settled: ended || window.Until >= BillMonth.Of(window.From).End);

        BillFinding Finding(Money? charged, BillState found, DifferenceCause why, bool settled) => new(
            machine.Id, kind, ours, charged, found, why, settled, charged is null ? null : settled && used?.Until > end ? used.Until : end,
            used?.Rate ?? HourlyRate.Zero, rows.Select(r => r.Rate).FirstOrDefault(r => r is not null), used?.From, used?.Until,
            rows.Count == 0 ? null : rows.Min(r => r.From), rows.Count == 0 ? null : rows.Max(r => r.To));
    }

    private static DifferenceCause Cause(ChargeKind kind, MeteredUse? used, Money theirs, List<ProviderCharge> rows, DateTimeOffset end, bool ended)
    {
        var ours = used?.Amount ?? Money.Zero;
        var difference = theirs - ours;
        if (difference == Money.Zero)
        {
            return DifferenceCause.None;
        }

        if (Size(difference) <= new Money(HalfARounding.Micros * Math.Max(1, rows.Count)))
        {
            return DifferenceCause.Rounding;
        }

        if (kind is ChargeKind.Download or ChargeKind.Upload)
        {
            return IsWithinTolerance(ours, theirs) ? DifferenceCause.Rounding : DifferenceCause.Traffic;
        }

        if (IsWithinTolerance(ours, theirs))
        {
            return DifferenceCause.Seconds;
        }

        if (ours == Money.Zero)
        {
            return DifferenceCause.MissingWithUs;
        }

        if (theirs == Money.Zero)
        {
            return DifferenceCause.MissingWithThem;
        }

        var (rate, first, last) = (used!.Rate, rows.Min(r => r.From), rows.Max(r => r.To));
        if (ended && difference > Money.Zero && last - end > EndSlack && IsWithinTolerance(ours + rate.For(last - end), theirs))
        {
            return DifferenceCause.AfterDestroy;
        }

        var told = rows.Select(r => r.Rate).FirstOrDefault(r => r is not null);
        var sameTime = told is null && Length(first - used.From) <= EndSlack && Length(last - used.Until) <= EndSlack;
        var impossible = theirs > rate.For(last - first) && !IsWithinTolerance(rate.For(last - first), theirs); // more than all of its time would cost
        return sameTime || impossible || (told is { } charged && !IsSameRate(charged, rate)) ? DifferenceCause.WrongRate : DifferenceCause.OtherTime;
    }

    // Told with three decimals.
    private static bool IsSameRate(HourlyRate told, HourlyRate ours) => Math.Abs(told.MicrosPerHour - ours.MicrosPerHour) <= Math.Max(1_000, ours.MicrosPerHour * ToleranceShare);

    private static Money Sum(IEnumerable<ProviderCharge> charges) => charges.Aggregate(Money.Zero, (sum, c) => sum + c.Amount);

    private static Money Size(Money amount) => amount < Money.Zero ? -amount : amount;

    private static TimeSpan Length(TimeSpan span) => span < TimeSpan.Zero ? -span : span;
}
