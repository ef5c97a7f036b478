namespace Dashboard.Domain.Prices;

/// <summary>Fewer points with the same shape: nothing that stands out may disappear from a chart.</summary>
public static class Thinning
{
    /// <summary>Divides <paramref name="points"/> evenly into buckets and keeps of each the one that reaches lowest and the one that reaches highest, in their order.</summary>
    /// <param name="low">How low a point reaches; null: no value. A bucket without any value keeps its first point.</param>
    /// <param name="high">How high.</param>
    /// <param name="most">At most so many points come out; at least two.</param>
    public static IReadOnlyList<T> KeepLowAndHigh<T>(IReadOnlyList<T> points, Func<T, long?> low, Func<T, long?> high, int most)
    {
        ArgumentNullException.ThrowIfNull(points);
        ArgumentNullException.ThrowIfNull(low);
        ArgumentNullException.ThrowIfNull(high);
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 2);
        if (points.Count <= most)
        {
            return points;
        }

        var buckets = most / 2;
        var kept = new List<T>(most);
        for (var bucket = 0; bucket < buckets; bucket++)
        {
            var (from, to) = (Start(bucket), Start(bucket + 1));
            var (lowest, highest) = (from, from);
            for (var at = from + 1; at < to; at++)
            {
                if (low(points[at]) is { } l && (low(points[lowest]) is not { } least || l < least))
                {
                    lowest = at;
                }

                if (high(points[at]) is { } h && (high(points[highest]) is not { } top || h > top))
                {
                    highest = at;
                }
            }

            kept.Add(points[Math.Min(lowest, highest)]);
            if (lowest != highest)
            {
                kept.Add(points[Math.Max(lowest, highest)]);
            }
        }

        return kept;

        int Start(int bucket) => (int)((long)points.Count * bucket / buckets);
    }
}
