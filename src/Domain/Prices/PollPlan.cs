namespace Dashboard.Domain.Prices;

/// <summary>How often each series is polled, so that the day's rows last until midnight.</summary>
public static class PollPlan
{
    /// <summary>Rows of a floor poll: the lowest price, the fifth cheapest, and whether there are ten.</summary>
    public const int FloorRows = 10;

    private const decimal OftenShare = 0.8m;
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private static readonly TimeSpan LeastOften = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LeastRotation = TimeSpan.FromMinutes(30);

    /// <summary>At most four a day for a series.</summary>
    public static TimeSpan DepthInterval { get; } = TimeSpan.FromHours(6);

    /// <summary>Between two floor polls of a series. Those that are watched or were used of late share four fifths of the rows; the others take turns with the rest.</summary>
    /// <param name="often">Whether the series is one of the former.</param>
    /// <param name="oftenCount">How many of those there are.</param>
    /// <param name="rotationCount">How many others.</param>
    public static TimeSpan FloorInterval(bool often, int oftenCount, int rotationCount, RowRation ration)
    {
        ArgumentNullException.ThrowIfNull(ration);
        var polls = (decimal)ration.Floor / FloorRows;
        var share = rotationCount == 0 ? 1 : oftenCount == 0 ? 0 : OftenShare;
        var (own, count, least) = often ? (polls * share, oftenCount, LeastOften) : (polls * (1 - share), rotationCount, LeastRotation);
        if (own <= 0)
        {
            return Day;
        }

        var minutes = Math.Ceiling((decimal)Day.TotalMinutes * count / own);
        var interval = TimeSpan.FromMinutes((double)minutes);
        return interval < least ? least : interval;
    }
}
