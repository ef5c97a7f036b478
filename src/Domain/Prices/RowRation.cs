namespace Dashboard.Domain.Prices;

/// <summary>Rows that an account's searches returned on one UTC day, by what they were for.</summary>
public readonly record struct RowsUsed(int Floor, int Depth, int People)
{
    public int All => Floor + Depth + People;
}

/// <summary>
/// How the rows that a provider returns in a day are divided: half for floor polls, a fifth for depth polls, the rest for
/// people searching. What people take beyond their share is not polled any more.
/// </summary>
/// <param name="PerDay">Vast.ai is reported to return 20,000 rows a day, counted from midnight UTC.</param>
public sealed record RowRation(int PerDay)
{
    public int Floor => PerDay / 2;

    public int Depth => PerDay / 5;

    public int People => PerDay - Floor - Depth;

    /// <summary>How many rows a poll may ask for now.</summary>
    public int Left(PointKind kind, RowsUsed used)
    {
        var ofKind = kind switch
        {
            PointKind.Floor => Floor - used.Floor,
            PointKind.Depth => Depth - used.Depth,
            PointKind.Provider => 0, // its figures are no rows
        };
        return Math.Max(0, Math.Min(ofKind, PerDay - used.All)); // the shares of polls alone leave people theirs
    }
}
