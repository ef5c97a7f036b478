using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Budgets;

/// <summary>Money that runs or waits already: a job's cost to complete, spread evenly over the time it takes.</summary>
/// <param name="Low">The least it will be.</param>
public sealed record Commitment(Money Amount, Money Low, DateTimeOffset From, DateTimeOffset Until)
{
    /// <summary>The share of it that falls between two instants; a job that takes no time pays at once.</summary>
    public double Share(DateTimeOffset from, DateTimeOffset until)
    {
        if (Until <= From)
        {
            return From >= from && From < until ? 1 : 0;
        }

        var (start, end) = (From > from ? From : from, Until < until ? Until : until);
        return end > start ? (end - start) / (Until - From) : 0;
    }
}

/// <summary>A day of a period, or what is left of it.</summary>
/// <param name="Day">As the period counts days.</param>
public sealed record DayAhead(DateOnly Day, DateTimeOffset From, DateTimeOffset Until);

/// <summary>What a day ahead is expected to cost.</summary>
public sealed record ExpectedDay(DayAhead When, Money Expected);

/// <summary>
/// What will have been spent by the end of a period: what runs and waits is counted as what it will cost, and beyond it each
/// day costs what such a weekday has cost lately.
/// </summary>
/// <param name="Low">Lower end of the likely range: four times of five it is between the two.</param>
/// <param name="Committed">The part to come that runs or waits already.</param>
/// <param name="PerDay">Mean of the days it rests on.</param>
/// <param name="Ahead">The days to the end, the rest of today first.</param>
public sealed record SpendForecast(Money Spent, Money Expected, Money Low, Money High, Money Committed, Money PerDay, IReadOnlyList<ExpectedDay> Ahead)
{
    /// <summary>By how much a team's level of spend changes from the days that are over to those ahead, as a standard deviation.</summary>
    private const decimal Wander = 0.08m;

    private const double EightyPercent = 1.2816; // standard deviations to each side that hold four of five

    /// <param name="spent">Until now, today included.</param>
    /// <param name="fullDays">Days that are over, the latest last, also from before the period; those since spending began.</param>
    /// <param name="ahead">To the end of the period, the rest of today first; empty: there is no end.</param>
    /// <returns>Null with less than <see cref="SpendPattern.LeastDays"/>.</returns>
    public static SpendForecast? Of(Money spent, IReadOnlyList<SpendDay> fullDays, IReadOnlyList<Commitment> commitments, IReadOnlyList<DayAhead> ahead)
    {
        if (SpendPattern.Of(fullDays) is not { } lately)
        {
            return null;
        }

        var expected = new List<ExpectedDay>();
        var (open, guessed, committed, low) = (0m, 0m, 0m, 0m); // days of the pattern alone and their cost, money on its way, and the least of that
        foreach (var day in ahead)
        {
            var length = (decimal)((day.Until - day.From) / TimeSpan.FromDays(1));
            var sure = commitments.Sum(c => c.Amount.Usd * (decimal)c.Share(day.From, day.Until));
            var pattern = lately.Usual(day.Day.DayOfWeek) * length;
            (committed, low) = (committed + sure, low + commitments.Sum(c => c.Low.Usd * (decimal)c.Share(day.From, day.Until)));
            open += pattern <= 0 ? length : length * Math.Max(0, 1 - (sure / pattern));
            guessed += Math.Max(0, pattern - sure);
            expected.Add(new ExpectedDay(day, Money.FromUsd(Math.Max(pattern, sure))));
        }

        // Of a guess: the days to come, the mean they were guessed from, and the level. What was spent stays exact.
        var variance = (lately.Variance * (open + (open * open / lately.Days))) + (Wander * Wander * guessed * guessed);
        var spread = Money.FromUsd((decimal)(EightyPercent * Math.Sqrt((double)variance)));
        var total = expected.Aggregate(spent, (sum, day) => sum + day.Expected);
        var least = spent + Money.FromUsd(low);
        return new SpendForecast(spent, total, total - spread < least ? least : total - spread, total + spread, Money.FromUsd(committed), Money.FromUsd(lately.Mean), expected);
    }

    /// <summary>When about so much will have been spent; null: not before the end.</summary>
    public DateTimeOffset? Reaches(Money limit)
    {
        var sum = Spent;
        foreach (var (when, expected) in Ahead)
        {
            if (sum + expected >= limit && expected > Money.Zero)
            {
                return when.From + ((when.Until - when.From) * Math.Max(0, (double)(limit - sum).Micros / expected.Micros));
            }

            sum += expected;
        }

        return null;
    }

    /// <summary>What will have been spent at the end of a day.</summary>
    public Money By(DateOnly day) => Ahead.Where(d => d.When.Day <= day).Aggregate(Spent, (sum, d) => sum + d.Expected);

    /// <summary>What a day ahead costs; zero for days that are not ahead.</summary>
    public Money Of(DateOnly day) => Ahead.FirstOrDefault(d => d.When.Day == day)?.Expected ?? Money.Zero;
}
