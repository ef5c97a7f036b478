using CsCheck;
using Dashboard.Domain.Alerts;

namespace Dashboard.Domain.Tests.Alerts;

public sealed class AlertRulesTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 10, 9, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan TenMinutes = TimeSpan.FromMinutes(10);

    private static RuleStanding Next(RuleState state, decimal? value, int minutes = 0, NoData noData = NoData.Keep, TimeSpan? holdFor = null) =>
        AlertRules.Next(new RuleStanding(state, Start), AlertMetric.BurnRate, 5, holdFor ?? TenMinutes, noData, value, Start.AddMinutes(minutes));

    [Theory]
    [InlineData(RuleState.Normal, 4.99, 0, RuleState.Normal)]
    [InlineData(RuleState.Normal, 5, 0, RuleState.Pending)]
    [InlineData(RuleState.Pending, 5, 9, RuleState.Pending)]
    [InlineData(RuleState.Pending, 5, 10, RuleState.Firing)]
    [InlineData(RuleState.Pending, 4.99, 9, RuleState.Normal)] // it did not hold
    [InlineData(RuleState.Firing, 4.99, 1, RuleState.Firing)] // trembles
    [InlineData(RuleState.Firing, 4.7, 1, RuleState.Resolved)]
    [InlineData(RuleState.Resolved, 4.7, 14, RuleState.Resolved)]
    [InlineData(RuleState.Resolved, 4.7, 15, RuleState.Normal)]
    [InlineData(RuleState.Resolved, 5, 1, RuleState.Pending)]
    public void A_rule_moves_by_its_figure_and_its_time(RuleState from, double value, int minutes, RuleState to) =>
        Assert.Equal(to, Next(from, (decimal)value, minutes).State);

    [Theory]
    [InlineData(RuleState.Normal)]
    [InlineData(RuleState.Resolved)]
    public void One_that_need_not_hold_fires_at_once(RuleState from) => Assert.Equal(RuleState.Firing, Next(from, 5, holdFor: TimeSpan.Zero).State);

    [Theory]
    [InlineData(RuleState.Firing, NoData.Keep, RuleState.Firing)]
    [InlineData(RuleState.Pending, NoData.Keep, RuleState.Pending)]
    [InlineData(RuleState.Firing, NoData.Calm, RuleState.Resolved)]
    [InlineData(RuleState.Pending, NoData.Calm, RuleState.Normal)]
    [InlineData(RuleState.Normal, NoData.Alarm, RuleState.Pending)]
    [InlineData(RuleState.Pending, NoData.Alarm, RuleState.Firing)]
    [InlineData(RuleState.Normal, NoData.Calm, RuleState.Normal)]
    public void What_an_unknown_figure_means_is_the_rules_own_choice(RuleState from, NoData noData, RuleState to) => Assert.Equal(to, Next(from, null, 30, noData).State);

    [Fact]
    public void Credit_alarms_when_it_is_little()
    {
        var low = AlertRules.Next(new RuleStanding(RuleState.Normal, Start), AlertMetric.BalanceHours, 4, TimeSpan.Zero, NoData.Keep, 3.9m, Start);
        Assert.Equal(RuleState.Firing, low.State);
        Assert.Equal(RuleState.Firing, AlertRules.Next(low, AlertMetric.BalanceHours, 4, TimeSpan.Zero, NoData.Keep, 4.1m, Start).State);
        Assert.Equal(RuleState.Resolved, AlertRules.Next(low, AlertMetric.BalanceHours, 4, TimeSpan.Zero, NoData.Keep, 5, Start).State);
    }

    [Fact]
    public void Whatever_a_figure_does_it_fires_only_after_it_held_and_is_over_only_after_it_fired() =>
        Gen.Select(Gen.Int[0, 100], Gen.Int[1, 7]).List[1, 200].Sample(steps =>
        {
            var (standing, now, heldSince) = (new RuleStanding(RuleState.Normal, Start), Start, (DateTimeOffset?)null);
            foreach (var (value, minutes) in steps)
            {
                now += TimeSpan.FromMinutes(minutes);
                heldSince = value >= 50 ? heldSince ?? now : null;
                var next = AlertRules.Next(standing, AlertMetric.JobsWaiting, 50, TenMinutes, NoData.Keep, value, now);
                if ((next.State == RuleState.Firing && standing.State != RuleState.Firing && (standing.State != RuleState.Pending || now - heldSince < TenMinutes))
                    || (next.State == RuleState.Resolved && standing.State is not (RuleState.Firing or RuleState.Resolved)))
                {
                    return false;
                }

                standing = next;
            }

            return true;
        });

    [Fact]
    public void A_rule_is_a_sentence() => Assert.Equal(
        ["Spend today at least $40.00", "Burn rate at least $5.000/h for 10 min", "Credit left at most 4 h", "Idle machines at least 1 machine", "Jobs waiting at least 3 jobs",
            "Forecast of the month at least $900.00 for 10 min", "Forecast of the budget of legal-summaries, a month at least 90% of its limit"],
        [AlertRules.Sentence(AlertMetric.SpendToday, 40, TimeSpan.Zero), AlertRules.Sentence(AlertMetric.BurnRate, 5, TenMinutes), AlertRules.Sentence(AlertMetric.BalanceHours, 4, TimeSpan.Zero), AlertRules.Sentence(AlertMetric.IdleMachines, 1, TimeSpan.Zero), AlertRules.Sentence(AlertMetric.JobsWaiting, 3, TimeSpan.Zero),
            AlertRules.Sentence(AlertMetric.MonthForecast, 900, TenMinutes), AlertRules.Sentence(AlertMetric.BudgetForecast, 90, TimeSpan.Zero, "legal-summaries, a month")]);
}
