using Dashboard.Web.Components;
using Dashboard.Web.Features.Costs;

namespace Dashboard.Web.Tests.Costs;

public sealed class CostPeriodTests
{
    private static readonly DateOnly Today = new(2026, 11, 23);

    [Theory]
    [InlineData("2026-11", null, null, "November 2026")]
    [InlineData(null, "2026-11-01", "2026-11-30", "November 2026")]
    [InlineData(null, "2026-11-17", "2026-11-17", "17 Nov 2026")]
    [InlineData(null, "2026-11-01", "2026-11-23", "1 to 23 Nov 2026")]
    [InlineData(null, "2026-10-28", "2026-11-03", "28 Oct to 3 Nov 2026")]
    [InlineData(null, "2025-12-28", "2026-01-03", "28 Dec 2025 to 3 Jan 2026")]
    public void It_is_called_what_people_call_it(string? month, string? from, string? to, string words) =>
        Assert.Equal(words, CostPeriod.Read(month, from, to, ReaderZone.Utc)!.Words);

    [Theory]
    [InlineData("2026-13", null, null)]
    [InlineData("9999-12", null, null)]
    [InlineData(null, "2026-11-02", "2026-11-01")]
    [InlineData(null, "2024-01-01", "2026-01-01")]
    [InlineData(null, "2026-11-01", null)]
    [InlineData(null, "yesterday", "today")]
    [InlineData(null, null, null)]
    public void What_cannot_be_is_no_period(string? month, string? from, string? to) => Assert.Null(CostPeriod.Read(month, from, to, ReaderZone.Utc));

    [Theory]
    [InlineData("2026-11-01", "2026-11-30", "2026-10-01", "2026-10-23")] // this month: the same days
    [InlineData("2026-10-01", "2026-10-31", "2026-09-01", "2026-09-30")] // a month that is over: the whole one
    [InlineData("2026-11-17", "2026-11-23", "2026-11-10", "2026-11-16")] // days: as many just before
    public void It_is_compared_with_days_that_are_like_it(string from, string to, string beforeFrom, string beforeTo) =>
        Assert.Equal(CostPeriod.Read(null, beforeFrom, beforeTo, ReaderZone.Utc), CostPeriod.Read(null, from, to, ReaderZone.Utc)!.Before(Today));

    [Fact]
    public void A_year_is_shown_by_the_week_and_every_day_has_its_bar()
    {
        var year = CostPeriod.Read(null, "2026-01-01", "2026-12-31", ReaderZone.Utc)!;

        Assert.True(year.Bars <= CostPeriod.MostBars);
        Assert.Equal(year.Bars - 1, year.BarOf(year.To));
        Assert.Equal(year.To, year.LastOf(year.Bars - 1));
    }

    [Theory]
    [InlineData(CostGrain.Day)]
    [InlineData(CostGrain.Week)]
    [InlineData(CostGrain.Month)]
    public void Every_day_of_a_period_is_in_one_bar_whatever_their_length(CostGrain grain)
    {
        var period = CostPeriod.Read(null, "2026-09-17", "2026-11-03", ReaderZone.Utc)! with { Asked = grain };

        for (var day = period.From; day <= period.To; day = day.AddDays(1))
        {
            Assert.InRange(day, period.FirstOf(period.BarOf(day)), period.LastOf(period.BarOf(day)));
        }

        Assert.Equal((period.From, period.To, period.Bars - 1), (period.FirstOf(0), period.LastOf(period.Bars - 1), period.BarOf(period.To)));
    }

    [Fact]
    public void A_year_by_the_month_has_a_bar_for_each() =>
        Assert.Equal(12, (CostPeriod.Read(null, "2026-01-01", "2026-12-31", ReaderZone.Utc)! with { Asked = CostGrain.Month }).Bars);

    [Fact]
    public void Days_on_which_the_clocks_change_are_stretches_of_their_own()
    {
        var stretches = CostPeriod.Read(null, "2026-03-01", "2026-10-31", ReaderZone.Named("Europe/Oslo"))!.Stretches().ToList();

        Assert.Equal([24, 23, 24, 25, 24], stretches.Select(s => s.Length.TotalHours));
        Assert.All(stretches.Zip(stretches.Skip(1)), pair => Assert.Equal(pair.First.End, pair.Second.Start));
    }

    [Fact]
    public void A_day_on_which_the_clocks_change_is_as_long_as_it_is() =>
        Assert.Equal(TimeSpan.FromHours(25), CostPeriod.Read(null, "2026-10-25", "2026-10-25", ReaderZone.Named("Europe/Oslo")) is { } day ? day.End - day.Start : default);
}
