using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Tests.Costs;

public sealed class RunwayTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(48, 2, RunwayState.Lasts, 24)]
    [InlineData(47, 2, RunwayState.EndsSoon, 23.5)]
    [InlineData(7, 2, RunwayState.Critical, 3.5)]
    [InlineData(0, 2, RunwayState.Ended, 0)]
    [InlineData(-1, 2, RunwayState.Ended, 0)]
    public void Credit_lasts_as_long_as_it_pays_for_what_bills(int usd, int perHour, RunwayState state, double hours) =>
        Assert.Equal(new Runway(state, TimeSpan.FromHours(hours)), Runway.Of(Money.FromUsd(usd), HourlyRate.FromUsd(perHour), Noon, Noon));

    [Fact]
    public void What_burned_since_the_provider_was_asked_is_gone() =>
        Assert.Equal(TimeSpan.FromHours(4), Runway.Of(Money.FromUsd(10), HourlyRate.FromUsd(2), Noon.AddHours(-1), Noon).Left);

    [Fact]
    public void Where_nothing_bills_or_the_bill_comes_afterwards_nothing_ends()
    {
        Assert.Equal(new Runway(RunwayState.Open, null), Runway.Of(Money.FromUsd(10), HourlyRate.Zero, Noon, Noon));
        Assert.Equal(new Runway(RunwayState.Open, null), Runway.Of(null, HourlyRate.FromUsd(2), Noon, Noon));
    }

    [Fact]
    public void Pennies_an_hour_make_no_figure_beyond_ten_years() =>
        Assert.Equal(TimeSpan.FromDays(3650), Runway.Of(Money.FromUsd(1_000_000), new HourlyRate(1), Noon, Noon).Left);
}
