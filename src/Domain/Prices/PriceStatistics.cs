using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Prices;

/// <summary>Points out of offers. Rows that <see cref="PlausiblePrice"/> does not believe count for nothing here.</summary>
public static class PriceStatistics
{
    private const int FifthCheapest = 4; // from zero

    /// <param name="offers">Of one series.</param>
    /// <param name="complete">Whether these are all there are; else the cheapest ones.</param>
    public static PricePoint Point(IEnumerable<Offer> offers, DateTimeOffset at, bool complete)
    {
        var prices = offers.Where(PlausiblePrice.Holds).Select(PerGpu).Order().ToList();
        return new PricePoint(
            at, complete ? PointKind.Depth : PointKind.Floor, prices.Count, !complete,
            prices.Count > 0 ? prices[0] : null,
            prices.Count > FifthCheapest ? prices[FifthCheapest] : null,
            complete && prices.Count > 0 ? new PriceQuantiles(Quantile(prices, 10), Quantile(prices, 25), Quantile(prices, 50), Quantile(prices, 75), Quantile(prices, 90)) : null);
    }

    /// <summary>GPU part of the rate for one GPU, cut to a whole micro-dollar.</summary>
    public static HourlyRate PerGpu(Offer offer)
    {
        ArgumentNullException.ThrowIfNull(offer);
        return new(offer.GpuRate.MicrosPerHour / Math.Max(1, offer.GpuCount));
    }

    /// <summary>The highest of the cheapest <paramref name="percent"/> of a hundred, but at least the cheapest.</summary>
    /// <param name="sorted">Ascending, not empty.</param>
    public static HourlyRate Quantile(IReadOnlyList<HourlyRate> sorted, int percent)
    {
        ArgumentNullException.ThrowIfNull(sorted);
        return sorted[(int)((long)percent * (sorted.Count - 1) / 100)];
    }

    /// <summary>How much of a history was dearer than <paramref name="rate"/>: 0.71 reads "cheaper than 71% of it". Null without history.</summary>
    public static decimal? DearerShare(IReadOnlyCollection<HourlyRate> history, HourlyRate rate)
    {
        ArgumentNullException.ThrowIfNull(history);
        return history.Count == 0 ? null : (decimal)history.Count(past => past > rate) / history.Count;
    }
}
