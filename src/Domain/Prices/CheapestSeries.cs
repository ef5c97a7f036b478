using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Prices;

/// <summary>
/// The cheapest of several series as polls come in, by rising time. They are not polled together, so a price stands until
/// the next poll of its series, and for eight hours at most.
/// </summary>
public sealed class CheapestSeries
{
    /// <summary>Longer than from one poll of a model that nobody watches to the next.</summary>
    public static readonly TimeSpan Stands = TimeSpan.FromHours(8);

    private readonly Dictionary<int, (DateTimeOffset At, HourlyRate Price)> _standing = [];

    /// <param name="price">Null: nothing is on offer.</param>
    public void See(int series, DateTimeOffset at, HourlyRate? price)
    {
        if (price is { } seen)
        {
            _standing[series] = (at, seen);
        }
        else
        {
            _standing.Remove(series);
        }
    }

    /// <returns>The cheapest, and when it was seen; null: nothing is known.</returns>
    public (int Series, HourlyRate Price, DateTimeOffset SeenAt)? At(DateTimeOffset at)
    {
        (int Series, HourlyRate Price, DateTimeOffset SeenAt)? best = null;
        foreach (var (series, (seenAt, price)) in _standing)
        {
            if (at - seenAt < Stands && (best is not { } found || price < found.Price || (price == found.Price && seenAt > found.SeenAt)))
            {
                best = (series, price, seenAt);
            }
        }

        return best;
    }
}
