using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Budgets;

/// <summary>Spend of a day that is over; an idle day is a zero.</summary>
public sealed record SpendDay(DateOnly Day, Money Spent);

/// <summary>What days have cost lately, by weekday.</summary>
public sealed class SpendPattern
{
    /// <summary>Fewer full days say nothing about the next ones.</summary>
    public const int LeastDays = 3;

    /// <summary>Older days say little about what is trained now.</summary>
    public const int MostDays = 28;

    /// <summary>Every weekday twice; with less a weekday is a day like any other.</summary>
    private const int DaysForWeekdays = 14;

    /// <summary>So many days of no particular weekday are mixed into each weekday's mean.</summary>
    private const decimal Shrinking = 2;

    /// <summary>Before so many days nothing can be called unusual.</summary>
    private const int DaysForUnusual = 7;

    private static readonly Money LeastUnusual = Money.FromUsd(1m);

    private readonly Dictionary<DayOfWeek, decimal> _usual;

    private SpendPattern(List<SpendDay> days)
    {
        Mean = days.Average(d => d.Spent.Usd);
        Days = days.Count;
        _usual = Enum.GetValues<DayOfWeek>().ToDictionary(day => day, day => Usual(days, day, Mean));
        Variance = days.Sum(d => (d.Spent.Usd - _usual[d.Day.DayOfWeek]) * (d.Spent.Usd - _usual[d.Day.DayOfWeek])) / (days.Count - 1);
    }

    /// <summary>USD a day, of any weekday.</summary>
    public decimal Mean { get; }

    /// <summary>Of a day around its weekday's mean, USD squared.</summary>
    public decimal Variance { get; }

    /// <summary>It rests on so many.</summary>
    public int Days { get; }

    /// <param name="fullDays">Those since spending began, the latest last.</param>
    /// <returns>Null with less than <see cref="LeastDays"/>.</returns>
    public static SpendPattern? Of(IReadOnlyList<SpendDay> fullDays) => fullDays.Count < LeastDays ? null : new SpendPattern([.. fullDays.Skip(fullDays.Count - MostDays)]);

    /// <summary>USD that such a weekday costs.</summary>
    public decimal Usual(DayOfWeek day) => _usual[day];

    /// <summary>What a day may cost at most before it is out of the pattern: twice the usual, and further off than days are.</summary>
    public Money? Bound(DayOfWeek day)
    {
        if (Days < DaysForUnusual)
        {
            return null;
        }

        var bound = Money.FromUsd(Math.Max(2 * Usual(day), Usual(day) + (3 * (decimal)Math.Sqrt((double)Variance))));
        return bound > LeastUnusual ? bound : LeastUnusual;
    }

    private static decimal Usual(List<SpendDay> days, DayOfWeek weekday, decimal mean)
    {
        if (days.Count < DaysForWeekdays)
        {
            return mean;
        }

        var like = days.Where(d => d.Day.DayOfWeek == weekday).ToList();
        return (like.Sum(d => d.Spent.Usd) + (Shrinking * mean)) / (like.Count + Shrinking);
    }
}
