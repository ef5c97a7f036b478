using Dashboard.Domain.Costs;
using Dashboard.Web.Components;
using Dashboard.Web.Features.Costs;

namespace Dashboard.Web.Tests.Costs;

public sealed class SpendForecastTests
{
    [Fact]
    public void Days_that_are_all_alike_leave_no_doubt()
    {
        var forecast = SpendForecast.Of(Money.FromUsd(20m), Days(2m, 2m, 2m, 2m), 5.5m);

        Assert.Equal(new SpendForecast(Money.FromUsd(31m), Money.FromUsd(31m), Money.FromUsd(31m), Money.FromUsd(2m)), forecast);
    }

    [Fact]
    public void Days_that_differ_widen_the_range_to_both_sides_of_the_mean()
    {
        var forecast = SpendForecast.Of(Money.FromUsd(100m), Days(1m, 3m, 2m), 4m)!;

        Assert.Equal(Money.FromUsd(108m), forecast.Expected);
        Assert.Equal(Money.FromUsd(2.5632m), forecast.High - forecast.Expected); // 1.2816 × a deviation of 1 × √4
        Assert.Equal(forecast.High - forecast.Expected, forecast.Expected - forecast.Low);
    }

    [Fact]
    public void What_is_spent_is_never_taken_back() =>
        Assert.Equal(Money.FromUsd(9m), SpendForecast.Of(Money.FromUsd(9m), Days(0m, 0m, 9m), 1m)!.Low);

    [Fact]
    public void Only_the_last_two_weeks_count() =>
        Assert.Equal(Money.FromUsd(1m), SpendForecast.Of(Money.FromUsd(500m), Days([100m, 100m, .. Enumerable.Repeat(1m, 14)]), 1m)!.PerDay);

    [Fact]
    public void Two_days_say_nothing() => Assert.Null(SpendForecast.Of(Money.FromUsd(2m), Days(1m, 1m), 20m));

    [Fact]
    public void A_bar_twice_as_high_as_the_usual_one_is_marked_and_a_few_bars_are_nothing_usual()
    {
        Assert.Equal(3, SpendChart.TwiceTheUsual([1, 1.2m, 0.9m, 2.5m, 1.1m, 1, 0]));
        Assert.Null(SpendChart.TwiceTheUsual([1, 1.2m, 0.9m, 1.9m, 1.1m, 1, 0]));
        Assert.Null(SpendChart.TwiceTheUsual([1, 1, 5]));
    }

    [Theory]
    [InlineData(43.2, 60, "$0 $15 $30 $45 $60")]
    [InlineData(400, 400, "$0 $100 $200 $300 $400")]
    [InlineData(5.1, 6, "$0.00 $1.50 $3.00 $4.50 $6.00")]
    [InlineData(0.0037, 0.004, "$0.000 $0.001 $0.002 $0.003 $0.004")]
    [InlineData(0, 0.0004, "$0.0000 $0.0001 $0.0002 $0.0003 $0.0004")]
    [InlineData(2500, 3200, "$0 $800 $1,600 $2,400 $3,200")]
    public void An_axis_ends_a_little_above_its_highest_bar_on_round_quarters(double highest, double top, string labels)
    {
        Assert.Equal((decimal)top, AxisScale.Above((decimal)highest));
        Assert.Equal(labels, string.Join(' ', Enumerable.Range(0, 5).Select(line => AxisScale.Label((decimal)top * line / 4, (decimal)top))));
    }

    private static List<Money> Days(params decimal[] usd) => [.. usd.Select(Money.FromUsd)];
}
