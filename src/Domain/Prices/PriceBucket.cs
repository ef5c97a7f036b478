using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Prices;

/// <summary>
/// The points of an hour or a day. Sums and counts, not averages: buckets add up in any order, so a day is its hours and
/// a point that comes late is added like any other.
/// </summary>
public readonly record struct PriceBucket
{
    /// <summary>Points with a lowest price.</summary>
    public int Polls { get; init; }

    /// <summary>Polls that found nothing on offer.</summary>
    public int Empty { get; init; }

    /// <summary>Lowest and highest of the lowest prices, micro-dollars; zero without <see cref="Polls"/>.</summary>
    public long Low { get; init; }

    public long High { get; init; }

    public long MinSum { get; init; }

    public int Fifths { get; init; }

    public long FifthSum { get; init; }

    /// <summary>Points with quantiles.</summary>
    public int Depths { get; init; }

    public long P10Sum { get; init; }

    public long MedianSum { get; init; }

    public long P90Sum { get; init; }

    /// <summary>Those of them that have the quartiles too.</summary>
    public int Quartiles { get; init; }

    public long P25Sum { get; init; }

    public long P75Sum { get; init; }

    /// <summary>Points with the true count of offers.</summary>
    public int Counts { get; init; }

    public long CountSum { get; init; }

    public static PriceBucket Of(PricePoint point)
    {
        ArgumentNullException.ThrowIfNull(point);
        var (min, fifth, quantiles) = (point.Min?.MicrosPerHour, point.Fifth?.MicrosPerHour, point.Quantiles);
        return new PriceBucket
        {
            Polls = min is null ? 0 : 1,
            Empty = min is null && point.Kind != PointKind.Provider && point.Count == 0 && !point.AtLeast ? 1 : 0,
            Low = min ?? 0,
            High = min ?? 0,
            MinSum = min ?? 0,
            Fifths = fifth is null ? 0 : 1,
            FifthSum = fifth ?? 0,
            Depths = quantiles is null ? 0 : 1,
            P10Sum = quantiles?.P10.MicrosPerHour ?? 0,
            MedianSum = quantiles?.Median.MicrosPerHour ?? 0,
            P90Sum = quantiles?.P90.MicrosPerHour ?? 0,
            Quartiles = quantiles is { P25: not null, P75: not null } ? 1 : 0,
            P25Sum = quantiles is { P25: { } p25, P75: not null } ? p25.MicrosPerHour : 0,
            P75Sum = quantiles is { P25: not null, P75: { } p75 } ? p75.MicrosPerHour : 0,
            Counts = point.Kind == PointKind.Depth ? 1 : 0,
            CountSum = point.Kind == PointKind.Depth ? point.Count : 0,
        };
    }

    public static PriceBucket operator +(PriceBucket a, PriceBucket b) => new()
    {
        Polls = a.Polls + b.Polls,
        Empty = a.Empty + b.Empty,
        Low = a.Polls == 0 ? b.Low : b.Polls == 0 ? a.Low : Math.Min(a.Low, b.Low),
        High = Math.Max(a.High, b.High),
        MinSum = a.MinSum + b.MinSum,
        Fifths = a.Fifths + b.Fifths,
        FifthSum = a.FifthSum + b.FifthSum,
        Depths = a.Depths + b.Depths,
        P10Sum = a.P10Sum + b.P10Sum,
        MedianSum = a.MedianSum + b.MedianSum,
        P90Sum = a.P90Sum + b.P90Sum,
        Quartiles = a.Quartiles + b.Quartiles,
        P25Sum = a.P25Sum + b.P25Sum,
        P75Sum = a.P75Sum + b.P75Sum,
        Counts = a.Counts + b.Counts,
        CountSum = a.CountSum + b.CountSum,
    };

    /// <summary>Lowest price at a typical moment of the bucket.</summary>
    public HourlyRate? Min => Mean(MinSum, Polls);

    public HourlyRate? Fifth => Mean(FifthSum, Fifths);

    public PriceQuantiles? Quantiles => Depths == 0 ? null : new PriceQuantiles(Mean(P10Sum, Depths)!.Value, Mean(P25Sum, Quartiles), Mean(MedianSum, Depths)!.Value, Mean(P75Sum, Quartiles), Mean(P90Sum, Depths)!.Value);

    /// <summary>Offers at a typical moment; null where no poll saw them all.</summary>
    public int? Count => Counts == 0 ? null : (int)Math.Round((decimal)CountSum / Counts, MidpointRounding.ToEven);

    private static HourlyRate? Mean(long sum, int count) => count == 0 ? null : new HourlyRate((long)Math.Round((decimal)sum / count, MidpointRounding.ToEven));
}
