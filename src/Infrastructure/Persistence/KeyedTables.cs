namespace Dashboard.Infrastructure.Persistence;

/// <summary>
/// Tables of many small rows that are always found by their key. On SQLite they are stored in the order of that key and
/// without a second copy of it (WITHOUT ROWID): about half the size, and a range of time lies together.
/// </summary>
internal static class KeyedTables
{
    public const string Offers = "PriceOffers";
    public const string Points = "PricePoints";
    public const string Hours = "PriceHours";
    public const string Days = "PriceDays";

    public static IReadOnlyCollection<string> All { get; } = [Offers, Points, Hours, Days];
}
