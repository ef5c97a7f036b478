namespace Dashboard.Domain.Costs.Reconciliation;

/// <summary>A calendar month in UTC, as statements and providers' bills are cut.</summary>
/// <param name="Start">Its first instant.</param>
public readonly record struct BillMonth(DateTimeOffset Start)
{
    /// <summary>Charges are posted late: a month is final on the third day of the next one. From then on it never changes.</summary>
    private const int FinalOnDay = 3;

    /// <summary>First instant after it.</summary>
    public DateTimeOffset End => Start.AddMonths(1);

    /// <summary>From here on no entry is added to it any more.</summary>
    public DateTimeOffset FinalAt => End.AddDays(FinalOnDay - 1);

    public static BillMonth Of(DateTimeOffset at) => new(new DateTimeOffset(at.UtcDateTime.Year, at.UtcDateTime.Month, 1, 0, 0, 0, TimeSpan.Zero));

    public bool Includes(DateTimeOffset at) => at >= Start && at < End;

    /// <summary>Where in the ledger a correction of what was used from <paramref name="usedFrom"/> stands: beside that use while its month is open, else at the time of writing.</summary>
    public DateTimeOffset Place(DateTimeOffset usedFrom, DateTimeOffset now) =>
        now >= FinalAt ? now : usedFrom < Start ? Start : usedFrom >= End ? End.AddMilliseconds(-1) : usedFrom;
}
