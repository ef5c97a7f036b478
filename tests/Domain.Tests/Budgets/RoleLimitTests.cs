using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;

namespace Dashboard.Domain.Tests.Budgets;

public sealed class RoleLimitTests
{
    private static readonly JobLimits NoLimits = new(null, null, null);

    [Theory]
    [InlineData(25.00, 1.5, 0d, "")] // at the limit nobody is asked
    [InlineData(25.01, 1.5, 0d, "≈ $25.01 is above the $25.00 a job of members")]
    [InlineData(10d, 2.000, 0d, "")]
    [InlineData(10d, 2.001, 0d, "$2.001/h is above the $2.000/h of members")]
    [InlineData(10d, 1.5, 90d, "")]
    [InlineData(10.01, 1.5, 90d, "≈ $100.01 this month, with this job, is above the $100.00 a month of members")]
    [InlineData(null, null, 99.99, "")] // nobody can say what it costs: its own limits hold it
    [InlineData(null, null, 100d, "≈ $100.00 this month, with this job, is above the $100.00 a month of members")] // nothing is left of the month
    [InlineData(41.80, 3.2, 90d, "≈ $41.80 is above the $25.00 a job of members; $3.200/h is above the $2.000/h of members; ≈ $131.80 this month, with this job, is above the $100.00 a month of members")]
    public void A_job_asks_for_what_passes_a_limit_of_its_role(double? total, double? rate, double month, string words) => Assert.Equal(
        words, string.Join("; ", RoleLimitRules.Passed(Limit(25, 2, 100), Spend(total, rate, month)).Select(p => RoleLimitRules.Words(p, Role.Member))));

    [Fact]
    public void Without_a_limit_nobody_is_asked_and_nothing_is_bounded()
    {
        Assert.Empty(RoleLimitRules.Passed(null, Spend(1e6, 100, 1e6)));
        Assert.Empty(RoleLimitRules.Passed(Limit(null, null, null), Spend(1e6, 100, 1e6)));
        Assert.Equal(NoLimits, RoleLimitRules.Bound(null, NoLimits, Spend(1, 1, 0), [], null));
        Assert.Equal(NoLimits, RoleLimitRules.Bound(Limit(null, null, null), NoLimits, Spend(1, 1, 0), [], null));
    }

    [Theory]
    [InlineData(null, null, 0d, 25d, 2d)] // nothing was typed: the role's limits hold the job
    [InlineData(4.5, 0.8, 0d, 4.5, 0.8)] // less was typed
    [InlineData(60d, 9d, 0d, 25d, 2d)] // more was typed than one may spend without asking
    [InlineData(null, null, 90d, 10d, 2d)] // what is left of the month
    public void What_is_not_asked_for_ends_at_the_role_s_limit(double? maxCost, double? maxRate, double month, double cost, double rate)
    {
        var asked = new JobLimits(Usd(maxCost), Rate(maxRate), null);
        var bound = RoleLimitRules.Bound(Limit(25, 2, 100), asked, Spend(5, 0.5, month), [], Money.FromUsd(7));
        Assert.Equal((Usd(cost), Rate(rate)), (bound.MaxCost, bound.MaxRate));
    }

    [Theory]
    [InlineData(41.8, 1.5, null, null, 47.2, 2d)] // the total alone: up to what was shown, and the rate as for everybody
    [InlineData(41.8, 1.5, 45d, null, 45d, 2d)]
    [InlineData(5d, 3d, null, null, 25d, 3.3)] // the rate alone: a tenth more for the next best offer
    [InlineData(5d, 3d, null, 3.1, 25d, 3.1)]
    public void What_is_asked_for_is_bounded_by_what_was_shown(double total, double rate, double? maxCost, double? maxRate, double cost, double most)
    {
        var (limit, spend) = (Limit(25, 2, null), Spend(total, rate, 0));
        var bound = RoleLimitRules.Bound(limit, new JobLimits(Usd(maxCost), Rate(maxRate), null), spend, RoleLimitRules.Passed(limit, spend), Money.FromUsd(47.2m));
        Assert.Equal((Usd(cost), Rate(most)), (bound.MaxCost, bound.MaxRate));
    }

    [Fact]
    public void Whoever_asks_reads_of_their_own_limit()
    {
        var ask = new ApprovalAsk(Role.Member, Money.FromUsd(41.80m), HourlyRate.FromUsd(1.5m), RoleLimitRules.Passed(Limit(25, 2, null), Spend(41.80, 1.5, 0)));
        Assert.Equal("≈ $41.80 is above your $25.00 a job.", ask.Words(own: true));
        Assert.Equal("≈ $41.80 is above the $25.00 a job of members.", ask.Words(own: false));
        Assert.Equal("≈ $41.80", ask.Figure);
        Assert.Equal("$1.500/h", (ask with { Total = null }).Figure);
    }

    private static RoleLimit Limit(double? job, double? hour, double? month) => new() { TeamId = default, Role = Role.Member, PerJob = Usd(job), PerHour = Rate(hour), PerMonth = Usd(month) };

    private static RoleSpend Spend(double? total, double? rate, double month) => new(Usd(total), Rate(rate), Money.FromUsd((decimal)month));

    private static Money? Usd(double? usd) => usd is { } known ? Money.FromUsd((decimal)known) : null;

    private static HourlyRate? Rate(double? usd) => usd is { } known ? HourlyRate.FromUsd((decimal)known) : null;
}
