using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Prices;

/// <summary>How a point came about, which says what may be read from it.</summary>
public enum PointKind
{
    /// <summary>The cheapest rows alone: lowest price, fifth cheapest, and how many there are at least.</summary>
    Floor = 0,

    /// <summary>Every row there was: quantiles and the true count as well.</summary>
    Depth = 1,

    /// <summary>The provider's own figures: quantiles over its GPUs that are free, no lowest price.</summary>
    Provider = 2,
}

/// <summary>Prices that a share of the offers do not exceed. A quantile is an observed price, never one in between.</summary>
/// <param name="P25">Null where the provider's own figures leave it out; so is <paramref name="P75"/>.</param>
public sealed record PriceQuantiles(HourlyRate P10, HourlyRate? P25, HourlyRate Median, HourlyRate? P75, HourlyRate P90);

/// <summary>What one poll saw of one series.</summary>
/// <param name="Count">Offers whose price can be meant (of the provider's figures: free GPUs).</param>
/// <param name="AtLeast">The list was cut off: there may be more than <paramref name="Count"/>.</param>
/// <param name="Min">Null when there was none.</param>
/// <param name="Fifth">The fifth cheapest: what one pays when the cheapest is a fluke or gone. Null when there are fewer.</param>
/// <param name="Quantiles">Never of a list that was cut off.</param>
public sealed record PricePoint(DateTimeOffset At, PointKind Kind, int Count, bool AtLeast, HourlyRate? Min, HourlyRate? Fifth, PriceQuantiles? Quantiles);
