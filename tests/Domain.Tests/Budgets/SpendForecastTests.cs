using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Tests.Budgets;

public sealed class SpendForecastTests(ITestOutputHelper output)
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero); // a Tuesday

    [Fact]
    public void At_mid_month_the_end_of_the_month_is_known_to_a_tenth()
    {
        var (errors, last, held) = (new List<double>(), new List<double>(), 0);
        for (var month = 0; month < 200; month++)
        {
            var first = new DateTimeOffset(2024 + (month / 100), (month % 12) + 1, 1, 0, 0, 0, TimeSpan.Zero);
            var (begin, end, now) = (first.AddDays(-40), first.AddMonths(1), first.AddDays(15).AddHours(month % 24));
            var team = new SimulatedSpending(month, begin, (end - begin).Days);
            var truth = team.Spent(first, end);
            var forecast = SpendForecast.Of(team.Spent(first, now), FullDays(team, now), team.Running(now), Ahead(now, end))!;

            errors.Add(Math.Abs((double)(forecast.Expected - truth).Micros / truth.Micros));
            held += forecast.Low <= truth && truth <= forecast.High ? 1 : 0;

            // A straight line through the month so far, for comparison.
            last.Add(Math.Abs(((double)team.Spent(first, now).Micros / truth.Micros * ((end - first) / (now - first))) - 1));
        }

        Printed.Line(output, $"Spend of a month at its middle, 200 simulated months: mean error {errors.Average():P1}, a straight line through the month so far {last.Average():P1}; the likely range (four of five) holds {held / 200d:P1}");
        Assert.True(errors.Average() <= 0.10, $"mean error {errors.Average():P1}");
        Assert.True(errors.Average() < last.Average(), "a straight line does better");
        Assert.InRange(held, 150, 190);
    }

    [Fact]
    public void Days_that_are_all_alike_go_on_alike()
    {
        var forecast = SpendForecast.Of(Money.FromUsd(20m), Days(2m, 2m, 2m, 2m), [], Ahead(Noon, Noon.AddDays(5.5)))!;
        Assert.Equal((Money.FromUsd(31m), Money.FromUsd(2m)), (forecast.Expected, forecast.PerDay));
        Assert.Equal(Money.FromUsd(1.127808m), forecast.High - forecast.Expected); // 1.2816 × 8% of eleven dollars
    }

    [Fact]
    public void What_runs_is_counted_as_what_it_will_cost_where_that_is_more_than_the_day_usually_is()
    {
        // Three dollars a day until tomorrow midnight; the usual day costs two.
        var job = new Commitment(Money.FromUsd(4.50m), Money.FromUsd(4m), Noon, Noon.AddDays(1.5));
        var forecast = SpendForecast.Of(Money.FromUsd(20m), Days(2m, 2m, 2m, 2m), [job], Ahead(Noon, Noon.AddDays(5.5)))!;
        Assert.Equal((Money.FromUsd(32.5m), Money.FromUsd(4.5m)), (forecast.Expected, forecast.Committed));
    }

    [Fact]
    public void A_job_that_ends_after_the_period_counts_only_up_to_its_end()
    {
        var job = new Commitment(Money.FromUsd(40m), Money.FromUsd(40m), Noon, Noon.AddDays(4));
        var forecast = SpendForecast.Of(Money.Zero, Days(0m, 0m, 0m), [job], Ahead(Noon, Noon.AddDays(0.5)))!;
        Assert.Equal(Money.FromUsd(5m), forecast.Expected);
    }

    [Fact]
    public void Idle_weekends_stay_idle()
    {
        // Four weeks, working days at ten dollars.
        var days = Enumerable.Range(1, 28).Select(back => DateOnly.FromDateTime(Noon.UtcDateTime).AddDays(back - 29)).Select(d => new SpendDay(d, IsWeekend(d) ? Money.Zero : Money.FromUsd(10m))).ToList();
        var forecast = SpendForecast.Of(Money.Zero, days, [], Ahead(Noon, Noon.AddDays(5.5)))!;
        var saturday = forecast.Of(new DateOnly(2026, 11, 28));
        Assert.True(saturday < Money.FromUsd(3m) && saturday < forecast.Of(new DateOnly(2026, 11, 27)), $"Saturday costs {saturday}");
    }

    [Fact]
    public void It_says_when_a_limit_is_reached()
    {
        var forecast = SpendForecast.Of(Money.FromUsd(20m), Days(2m, 2m, 2m, 2m), [], Ahead(Noon, Noon.AddDays(5.5)))!;
        Assert.Equal(Noon.AddDays(2), forecast.Reaches(Money.FromUsd(24m)));
        Assert.Equal(Noon, forecast.Reaches(Money.FromUsd(19m)));
        Assert.Null(forecast.Reaches(Money.FromUsd(32m)));
    }

    [Fact]
    public void Days_that_differ_make_a_range_that_never_falls_below_what_was_spent_or_is_on_its_way()
    {
        var forecast = SpendForecast.Of(Money.FromUsd(100m), Days(1m, 3m, 2m), [], Ahead(Noon, Noon.AddDays(4)))!;
        Assert.Equal(Money.FromUsd(108m), forecast.Expected);
        Assert.True(forecast.High - forecast.Expected > Money.FromUsd(2.56m)); // of the days alone: 1.2816 × a deviation of 1 × √4

        var sure = new Commitment(Money.FromUsd(0.5m), Money.FromUsd(0.4m), Noon, Noon.AddHours(1));
        Assert.Equal(Money.FromUsd(9.4m), SpendForecast.Of(Money.FromUsd(9m), Days(0m, 0m, 9m), [sure], Ahead(Noon, Noon.AddDays(0.5)))!.Low);
    }

    [Fact]
    public void Days_of_long_ago_do_not_count() =>
        Assert.Equal(Money.FromUsd(1m), SpendForecast.Of(Money.FromUsd(500m), Days([100m, 100m, .. Enumerable.Repeat(1m, SpendPattern.MostDays)]), [], [])!.PerDay);

    [Fact]
    public void Two_days_say_nothing() => Assert.Null(SpendForecast.Of(Money.FromUsd(2m), Days(1m, 1m), [], []));

    private static bool IsWeekend(DateOnly day) => day.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday;

    private static List<SpendDay> Days(params decimal[] usd) => [.. usd.Select((spent, at) => new SpendDay(DateOnly.FromDateTime(Noon.UtcDateTime).AddDays(at - usd.Length), Money.FromUsd(spent)))];

    private static List<SpendDay> FullDays(SimulatedSpending team, DateTimeOffset now)
    {
        var today = new DateTimeOffset(now.Date, TimeSpan.Zero);
        return [.. Enumerable.Range(1, SpendPattern.MostDays).Reverse().Select(back => today.AddDays(-back)).Select(d => new SpendDay(DateOnly.FromDateTime(d.UtcDateTime), team.Spent(d, d.AddDays(1))))];
    }

    private static List<DayAhead> Ahead(DateTimeOffset now, DateTimeOffset end)
    {
        var ahead = new List<DayAhead>();
        for (var from = now; from < end;)
        {
            var midnight = new DateTimeOffset(from.Date, TimeSpan.Zero).AddDays(1);
            var until = midnight < end ? midnight : end;
            ahead.Add(new DayAhead(DateOnly.FromDateTime(from.UtcDateTime), from, until));
            from = until;
        }

        return ahead;
    }
}
