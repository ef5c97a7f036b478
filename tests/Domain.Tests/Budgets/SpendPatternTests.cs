using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Tests.Budgets;

public sealed class SpendPatternTests
{
    private static readonly DateOnly Tuesday = new(2026, 11, 24);

    [Fact]
    public void A_day_is_out_of_the_pattern_at_twice_the_usual_where_days_are_alike() =>
        Assert.Equal(Money.FromUsd(20m), Of(Enumerable.Repeat(10m, 21)).Bound(DayOfWeek.Tuesday));

    [Fact]
    public void Where_days_differ_much_it_takes_more() =>
        Assert.True(Of(Enumerable.Range(0, 28).Select(d => d % 4 == 0 ? 40m : 0m)).Bound(DayOfWeek.Tuesday) > Money.FromUsd(50m));

    [Fact]
    public void A_working_day_is_unusual_on_a_sunday()
    {
        var pattern = Of(Enumerable.Range(1, 28).Reverse().Select(back => Tuesday.AddDays(-back).DayOfWeek is DayOfWeek.Sunday or DayOfWeek.Saturday ? 0m : 10m));
        Assert.True(pattern.Bound(DayOfWeek.Sunday) < Money.FromUsd(10m) && pattern.Bound(DayOfWeek.Tuesday) > Money.FromUsd(15m));
    }

    [Fact]
    public void Less_than_a_week_calls_nothing_unusual_and_pennies_never_are()
    {
        Assert.Null(Of(Enumerable.Repeat(10m, 6)).Bound(DayOfWeek.Tuesday));
        Assert.Equal(Money.FromUsd(1m), Of(Enumerable.Repeat(0.01m, 21)).Bound(DayOfWeek.Tuesday));
    }

    private static SpendPattern Of(IEnumerable<decimal> usd) => usd.ToList() is var all ? SpendPattern.Of([.. all.Select((spent, at) => new SpendDay(Tuesday.AddDays(at - all.Count), Money.FromUsd(spent)))])! : null!;
}
