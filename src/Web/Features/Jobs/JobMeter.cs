using Dashboard.Domain.Costs;

namespace Dashboard.Web.Features.Jobs;

/// <summary>A charge that grows by the clock: what one machine costs from a known instant, at a rate frozen when it was rented.</summary>
/// <param name="Since">Start of the run, or of the contract for disk.</param>
/// <param name="Until">Where billing is known to end; null while it goes on.</param>
/// <param name="Posted">How much of it the ledger has already.</param>
public sealed record RunningCharge(int Attempt, ChargeKind Kind, HourlyRate Rate, DateTimeOffset Since, DateTimeOffset? Until, Money Posted)
{
    /// <summary>What the ledger does not have yet. Never negative: a clock that ran ahead waits.</summary>
    public Money Due(DateTimeOffset now)
    {
        var due = UsageMeter.ChargeDue(Rate, Since, Until is { } end && end < now ? end : now, Posted);
        return due > Money.Zero ? due : Money.Zero;
    }

    public bool GrowsAt(DateTimeOffset now) => Until is not { } end || end > now;
}

/// <summary>What the ledger has posted for one attempt and kind.</summary>
/// <param name="Quantity">Seconds for time, bytes for traffic.</param>
public sealed record PostedCharge(int Attempt, ChargeKind Kind, Money Amount, decimal Quantity);

/// <summary>One line of the bill as it stands.</summary>
/// <param name="Seconds">Of GPU or disk time; zero for traffic.</param>
/// <param name="Bytes">Of traffic; zero for time.</param>
public sealed record CostPart(int Attempt, ChargeKind Kind, Money Amount, decimal Seconds, decimal Bytes);

/// <summary>A job's bill to the second: the ledger, and what has grown since it was posted. The ledger alone is the record; this is its preview.</summary>
public sealed record JobMeter(IReadOnlyList<PostedCharge> Posted, IReadOnlyList<RunningCharge> Running)
{
    public static JobMeter Empty { get; } = new([], []);

    public Money SoFar(DateTimeOffset now) => Posted.Aggregate(Money.Zero, (sum, p) => sum + p.Amount) + Running.Aggregate(Money.Zero, (sum, r) => sum + r.Due(now));

    /// <summary>What an hour costs by what is known now.</summary>
    public HourlyRate Rate(DateTimeOffset now) => Running.Where(r => r.GrowsAt(now)).Aggregate(HourlyRate.Zero, (sum, r) => sum + r.Rate);

    /// <summary>The lines of the bill; they add up to <see cref="SoFar"/> exactly.</summary>
    public IReadOnlyList<CostPart> Parts(DateTimeOffset now) =>
        [.. Posted.Select(p => (p.Attempt, p.Kind, p.Amount, p.Quantity))
            .Concat(Running.Select(r => (r.Attempt, r.Kind, Amount: r.Due(now), Quantity: 0m)))
            .GroupBy(p => (p.Attempt, p.Kind))
            .Select(g => new CostPart(
                g.Key.Attempt,
                g.Key.Kind,
                g.Aggregate(Money.Zero, (sum, p) => sum + p.Amount),
                IsTime(g.Key.Kind) ? g.Sum(p => p.Quantity) : 0,
                IsTime(g.Key.Kind) ? 0 : g.Sum(p => p.Quantity)))
            .OrderBy(p => p.Attempt).ThenBy(p => p.Kind)];

    private static bool IsTime(ChargeKind kind) => kind switch
    {
        ChargeKind.Gpu or ChargeKind.Disk => true,
        ChargeKind.Download or ChargeKind.Upload or ChargeKind.Adjustment => false,
    };
}
