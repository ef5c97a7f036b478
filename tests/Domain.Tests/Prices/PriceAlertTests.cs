using CsCheck;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Prices;

namespace Dashboard.Domain.Tests.Prices;

public sealed class PriceAlertTests
{
    private static readonly HourlyRate Threshold = HourlyRate.FromUsd(0.36m);
    private static readonly TimeSpan Ten = TimeSpan.FromMinutes(10);

    private static List<(DateTimeOffset At, AlertTurn Turn)> Turns(IEnumerable<(int Minute, decimal? Usd)> points, TimeSpan holdFor)
    {
        var (standing, turns) = (new AlertStanding(AlertState.Normal, DateTimeOffset.MinValue), new List<(DateTimeOffset, AlertTurn)>());
        foreach (var (minute, usd) in points)
        {
            var at = DateTimeOffset.UnixEpoch.AddMinutes(minute);
            (standing, var turn) = PriceAlertRules.Next(standing, usd is { } price ? HourlyRate.FromUsd(price) : null, Threshold, holdFor, at);
            if (turn != AlertTurn.None)
            {
                turns.Add((at, turn));
            }
        }

        return turns;
    }

    [Fact]
    public void It_fires_once_it_has_been_under_the_threshold_long_enough_and_resolves_clearly_above_it() => Assert.Equal(
        [(DateTimeOffset.UnixEpoch.AddMinutes(15), AlertTurn.Fired), (DateTimeOffset.UnixEpoch.AddMinutes(30), AlertTurn.Resolved)],
        Turns([(0, 0.40m), (5, 0.35m), (10, 0.35m), (15, 0.34m), (20, 0.365m), (25, null), (30, 0.38m)], Ten));

    [Fact]
    public void A_dip_that_is_too_short_says_nothing() => Assert.Empty(Turns([(0, 0.40m), (5, 0.30m), (10, 0.40m), (15, 0.30m), (20, 0.40m)], Ten));

    [Fact]
    public void A_price_that_trembles_around_the_threshold_fires_once() =>
        Gen.Double[0.355, 0.369].List[1, 200].Sample(prices => Turns(prices.Select((p, n) => (n, (decimal?)p)), TimeSpan.Zero).Count <= 1);

    [Fact]
    public void It_never_fires_early_and_never_twice_in_a_row() =>
        Gen.Select(Gen.Double[0.30, 0.45].List[1, 200], Gen.Int[0, 30]).Sample((prices, hold) =>
        {
            var points = prices.Select((p, n) => (Minute: n, Usd: Math.Round((decimal)p, 6))).ToList();
            var turns = Turns(points.Select(p => (p.Minute, (decimal?)p.Usd)), TimeSpan.FromMinutes(hold));
            return turns.Zip(turns.Skip(1)).All(pair => pair.First.Turn != pair.Second.Turn)
                && turns.Where(t => t.Turn == AlertTurn.Fired).All(fired =>
                {
                    var minute = (int)(fired.At - DateTimeOffset.UnixEpoch).TotalMinutes;
                    return minute >= hold && points[(minute - hold)..(minute + 1)].All(p => p.Usd <= 0.36m);
                });
        });

    [Fact]
    public void What_would_have_fired_is_counted_over_a_history() =>
        Assert.Equal(2, PriceAlertRules.WouldHaveFired(new[] { 0.40m, 0.35m, 0.35m, 0.40m, 0.35m, 0.40m, 0.34m, 0.33m }.Select((p, n) => new HourPrice(DateTimeOffset.UnixEpoch.AddHours(n), HourlyRate.FromUsd(p))), Threshold, TimeSpan.FromHours(1)));
}
