namespace Dashboard.Simulation.Invariants;

/// <summary>What one world came to, in numbers.</summary>
/// <param name="Rents">Rent calls that reached the provider.</param>
/// <param name="Orphans">Billing machines of ours that nobody pursued.</param>
/// <param name="Billed">The provider's bill for time, USD.</param>
/// <param name="Posted">The ledger's, USD.</param>
/// <param name="Error">Sum of the differences per machine, USD.</param>
internal sealed record Figures(int Jobs, int Succeeded, int Rents, int MostRentsOfOneRow, int Machines, int Orphans, int Crashes, decimal Billed, decimal Posted, decimal Error)
{
    /// <summary>Machines that live on after everything has ended.</summary>
    public int LeftBehind { get; init; }

    /// <summary>What those cost, USD a day.</summary>
    public decimal LeakPerDay { get; init; }

    /// <summary>Jobs that did not fit a limit.</summary>
    public int Refused { get; init; }

    /// <summary>Jobs that wait for money in the end.</summary>
    public int OutOfMoney { get; init; }

    /// <summary>The most that a limit was passed by, USD.</summary>
    public decimal Overspent { get; init; }

    public static Figures None { get; } = new(0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    public static Figures operator +(Figures a, Figures b) => new(
        a.Jobs + b.Jobs,
        a.Succeeded + b.Succeeded,
        a.Rents + b.Rents,
        Math.Max(a.MostRentsOfOneRow, b.MostRentsOfOneRow),
        a.Machines + b.Machines,
        a.Orphans + b.Orphans,
        a.Crashes + b.Crashes,
        a.Billed + b.Billed,
        a.Posted + b.Posted,
        a.Error + b.Error)
    {
        Refused = a.Refused + b.Refused,
        OutOfMoney = a.OutOfMoney + b.OutOfMoney,
        Overspent = Math.Max(a.Overspent, b.Overspent),
        LeftBehind = a.LeftBehind + b.LeftBehind,
        LeakPerDay = a.LeakPerDay + b.LeakPerDay,
    };
}
