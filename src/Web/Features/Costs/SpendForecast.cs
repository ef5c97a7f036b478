using Dashboard.Domain.Costs;

namespace Dashboard.Web.Features.Costs;

/// <summary>What will have been spent by the end of a period if the days go on as the last ones did.</summary>
/// <param name="Low">Lower end of the likely range: four times of five it is between the two.</param>
/// <param name="PerDay">Mean of the days it rests on.</param>
public sealed record SpendForecast(Money Expected, Money Low, Money High, Money PerDay)
{
    /// <summary>Fewer full days say nothing about the next ones.</summary>
    public const int LeastDays = 3;

    /// <summary>Older days say little about what is trained now.</summary>
    public const int MostDays = 14;

    private const double EightyPercent = 1.2816; // standard deviations to each side that hold four of five

    /// <param name="spent">Until now, today included.</param>
    /// <param name="fullDays">What each day that is over cost, the latest last; idle days are zeros.</param>
    /// <param name="daysLeft">Until the end, the rest of today included.</param>
    /// <returns>Null with less than <see cref="LeastDays"/>.</returns>
    public static SpendForecast? Of(Money spent, IReadOnlyList<Money> fullDays, decimal daysLeft)
    {
        if (fullDays.Count < LeastDays)
        {
            return null;
        }

        var days = fullDays.Skip(fullDays.Count - MostDays).Select(d => d.Usd).ToList();
        var mean = days.Average();
        var variance = days.Sum(d => (d - mean) * (d - mean)) / (days.Count - 1);
        var spread = Money.FromUsd((decimal)(EightyPercent * Math.Sqrt((double)(variance * daysLeft)))); // of a guess; what was spent stays exact
        var expected = spent + Money.FromUsd(mean * daysLeft);
        return new SpendForecast(expected, expected - spread < spent ? spent : expected - spread, expected + spread, Money.FromUsd(mean));
    }
}
