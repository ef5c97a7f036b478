using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Tests.Budgets;

/// <summary>
/// A team that trains: jobs come by the weekday, more in some weeks than in others, and each runs for hours at its rate.
/// A figure of what is left of a job is off by some percent, as its own forecast is. It knows nothing of how spend is forecast.
/// </summary>
internal sealed class SimulatedSpending
{
    private static readonly double[] Weekdays = [0.25, 1, 1.15, 1.2, 1.1, 0.9, 0.3]; // Sunday first

    private readonly List<(DateTimeOffset From, DateTimeOffset Until, decimal Usd)> _jobs = [];
    private readonly Random _random;

    public SimulatedSpending(int seed, DateTimeOffset from, int days)
    {
        _random = new Random(seed);
        var perDay = 4 + (_random.NextDouble() * 20); // jobs of a working day
        var trend = 0.996 + (_random.NextDouble() * 0.008); // a day
        for (var day = 0; day < days; day++)
        {
            var date = from.AddDays(day);
            var busy = perDay * Math.Pow(trend, day) * Weekdays[(int)date.DayOfWeek] * (0.75 + (0.5 * _random.NextDouble()));
            for (var job = Poisson(busy); job > 0; job--)
            {
                var start = date.AddHours(7 + (_random.NextDouble() * 13));
                var hours = Math.Exp(1 + (0.8 * Normal())); // a few, seldom a day
                _jobs.Add((start, start.AddHours(hours), (decimal)(hours * (0.3 + (_random.NextDouble() * 1.4)))));
            }
        }
    }

    public Money Spent(DateTimeOffset from, DateTimeOffset until) => Money.FromUsd(_jobs.Sum(j => j.Usd * Part(j.From, j.Until, from, until)));

    /// <summary>Of jobs that have begun and not ended.</summary>
    public List<Commitment> Running(DateTimeOffset now) =>
        [.. _jobs.Where(j => j.From <= now && now < j.Until).Select(j => j.Usd * Part(j.From, j.Until, now, j.Until) is var left && Money.FromUsd(left * (decimal)(1 + (0.05 * Normal()))) is var about
            ? new Commitment(about, Money.FromUsd(about.Usd * 0.9m), now, j.Until) : null!)];

    private static decimal Part(DateTimeOffset start, DateTimeOffset end, DateTimeOffset from, DateTimeOffset until)
    {
        var (a, b) = (start > from ? start : from, end < until ? end : until);
        return b > a ? (decimal)((b - a) / (end - start)) : 0;
    }

    private int Poisson(double mean)
    {
        var (count, left) = (0, Math.Exp(-mean));
        for (var product = _random.NextDouble(); product > left; product *= _random.NextDouble())
        {
            count++;
        }

        return count;
    }

    private double Normal() => Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());
}
