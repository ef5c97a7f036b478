using CsCheck;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;

namespace Dashboard.Domain.Tests.Budgets;

public sealed class BudgetRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 9, 0, 0, TimeSpan.Zero);
    private static readonly HoldTerms Terms = new();
    private static readonly TeamId Halden = new(Guid.NewGuid());
    private static readonly ProjectId Summaries = new(Guid.NewGuid());
    private static readonly UserId Priya = new(Guid.NewGuid());
    private static readonly JobId Job = new(Guid.NewGuid());
    private static readonly Spender Spender = new(Halden, Summaries, Priya, ["nightly"], Job, Simulated: false);

    [Fact]
    public void A_job_falls_under_the_budgets_of_its_team_project_person_tags_and_its_own()
    {
        Budget[] all =
        [
            Of(BudgetScope.Team), Of(BudgetScope.Project, Summaries.ToString()), Of(BudgetScope.Person, Priya.ToString()), Of(BudgetScope.Tag, "Nightly"), Of(BudgetScope.Job, Job.ToString()),
        ];
        Budget[] foreign =
        [
            Of(BudgetScope.Project, Guid.NewGuid().ToString()), Of(BudgetScope.Person, Guid.NewGuid().ToString()), Of(BudgetScope.Tag, "weekly"), Of(BudgetScope.Job, Guid.NewGuid().ToString()),
        ];

        Assert.All(all, b => Assert.True(BudgetRules.Concerns(b, Spender), $"{b.Scope}"));
        Assert.All(foreign, b => Assert.False(BudgetRules.Concerns(b, Spender), $"{b.Scope}"));
        Assert.All(all, b => Assert.False(BudgetRules.Concerns(b, Spender with { Team = new TeamId(Guid.NewGuid()) })));
    }

    [Fact]
    public void Play_money_never_counts_against_a_real_limit_nor_real_money_against_a_simulated_one()
    {
        Assert.False(BudgetRules.Concerns(Of(BudgetScope.Team), Spender with { Simulated = true }));
        Assert.False(BudgetRules.Concerns(Of(BudgetScope.Team, simulated: true), Spender));
    }

    [Fact]
    public void An_ended_budget_limits_nothing()
    {
        var budget = Of(BudgetScope.Team);
        budget.EndedAt = Now;
        Assert.False(BudgetRules.Concerns(budget, Spender));
    }

    [Theory]
    [InlineData("2026-11-23T00:00:00Z", BudgetPeriod.Week, "2026-11-23", "2026-11-30")] // a Monday
    [InlineData("2026-11-29T23:59:59Z", BudgetPeriod.Week, "2026-11-23", "2026-11-30")]
    [InlineData("2026-12-31T23:30:00-05:00", BudgetPeriod.Month, "2027-01-01", "2027-02-01")] // already January in UTC
    [InlineData("2028-02-29T12:00:00Z", BudgetPeriod.Month, "2028-02-01", "2028-03-01")]
    public void Months_and_weeks_begin_and_end_at_midnight_utc(string at, BudgetPeriod period, string start, string end)
    {
        var instant = DateTimeOffset.Parse(at, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(start, BudgetRules.PeriodStart(period, instant).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(end, BudgetRules.PeriodEnd(period, instant)!.Value.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture));
        Assert.Null(BudgetRules.PeriodEnd(BudgetPeriod.Total, instant));
    }

    [Fact]
    public void A_job_fits_when_its_upper_end_and_the_way_out_are_left_on_every_budget()
    {
        var estimate = new CostEstimate(Usd(2), Usd(3), Usd(4.50m), TimeSpan.FromHours(8));
        var needed = BudgetRules.Needed(estimate, HourlyRate.FromUsd(0.6m), ownLimit: null, Terms);
        Assert.Equal(Usd(4.60m), needed);

        Budget[] budgets = [Of(BudgetScope.Team, free: Usd(100)), Of(BudgetScope.Project, free: Usd(4.60m))];
        Assert.Null(BudgetRules.InTheWay(budgets, needed));

        budgets[1].Accrued += new Money(1);
        Assert.Equal(budgets[1], BudgetRules.InTheWay(budgets, needed));
        Assert.Equal(Usd(2), BudgetRules.Needed(estimate, HourlyRate.FromUsd(0.6m), ownLimit: Usd(2), Terms)); // it stops itself before
    }

    [Fact]
    public void Only_a_limit_that_stops_jobs_lets_one_start_that_may_not_reach_its_end()
    {
        var budget = Of(BudgetScope.Team, free: Usd(1));
        Assert.True(BudgetRules.MayPauseUnder([budget], Usd(2)));

        budget.AtLimit = AtLimit.StartNothingNew;
        Assert.False(BudgetRules.MayPauseUnder([budget], Usd(2)));

        budget.AtLimit = AtLimit.Tell;
        Assert.Null(BudgetRules.InTheWay([budget], Usd(2)));
    }

    [Fact]
    public void Held_is_an_hour_or_what_is_left_and_ten_minutes_to_destroy_at_the_rate_with_disk_and_traffic()
    {
        var meter = new MachineMeter(HourlyRate.FromUsd(0.4m), HourlyRate.FromUsd(0.02m), Now, Now, Usd(0.10m));
        Money Held(TimeSpan wanted) => meter.Until(BudgetRules.Decide(meter, [Room(Usd(100))], wanted, Now, Terms).Until);

        Assert.Equal(Usd((0.42m * 70 / 60) + 0.10m), Held(BudgetRules.TimeToHold(TimeSpan.FromHours(5), null, Terms)));
        Assert.Equal(Usd((0.42m * 40 / 60) + 0.10m), Held(BudgetRules.TimeToHold(TimeSpan.FromMinutes(30), null, Terms)));
        Assert.Equal(Usd((0.42m * 15 / 60) + 0.10m), Held(BudgetRules.TimeToHold(TimeSpan.FromHours(5), allowed: TimeSpan.FromMinutes(5), Terms)));
        Assert.Equal(TimeSpan.FromHours(1), BudgetRules.TimeToHold(left: null, allowed: null, Terms));
    }

    [Fact]
    public void A_budget_that_reaches_less_far_shortens_the_hold_and_one_that_does_not_reach_a_minute_refuses_it()
    {
        var meter = Meter(0.6m);
        var shorter = BudgetRules.Decide(meter, [Room(Usd(10)), Room(Usd(0.3m))], TimeSpan.FromHours(1), Now, Terms);
        Assert.Null(shorter.Refused);
        Assert.Equal(Now.AddMinutes(30), shorter.Until, TimeSpan.FromMilliseconds(6)); // a micro-dollar is six milliseconds

        var poor = Room(Usd(0.109m)); // eleven minutes cost $0.11
        Assert.Equal(poor.Id, BudgetRules.Decide(meter, [Room(Usd(10)), poor], TimeSpan.FromHours(1), Now, Terms).Refused);
    }

    [Fact]
    public void A_refused_renewal_leaves_the_time_that_is_held_already()
    {
        var decision = BudgetRules.Decide(Meter(0.6m), [Room(Money.Zero, mine: Usd(0.105m))], TimeSpan.FromHours(1), Now, Terms);

        Assert.NotNull(decision.Refused);
        Assert.Equal(Now.AddMinutes(10.5), decision.Until, TimeSpan.FromMilliseconds(6));
    }

    [Fact]
    public void A_budget_that_is_passed_gives_nothing_more_promised_or_not() =>
        Assert.NotNull(BudgetRules.Decide(Meter(0.6m), [Room(new Money(-1), mine: Usd(1), promised: Usd(100))], TimeSpan.FromHours(1), Now, Terms).Refused);

    [Fact]
    public void What_was_promised_is_reached_for_although_nothing_is_free() =>
        Assert.Null(BudgetRules.Decide(Meter(0.6m), [Room(Money.Zero, promised: Usd(5))], TimeSpan.FromHours(1), Now, Terms).Refused);

    [Fact]
    public void Granted_holds_never_pass_a_limit_and_the_covered_time_is_what_the_held_money_pays_for() =>
        Gen.Select(Gen.Long[1, 5_000_000], Gen.Long[0, 500_000], Gen.Int[0, 900], Gen.Int[0, 900], Gen.Long[0, 3_000_000], Gen.Select(Gen.Long[-100_000, 9_000_000], Gen.Long[0, 2_000_000], Gen.Long[0, 5_000_000]).Array[1, 4])
            .Sample((gpu, disk, gpuAge, diskAge, traffic, rooms) =>
            {
                var meter = new MachineMeter(new HourlyRate(gpu), new HourlyRate(disk), Now.AddSeconds(-gpuAge), Now.AddSeconds(-diskAge), new Money(traffic));
                var budgets = rooms.Select(r => Room(new Money(r.Item1), new Money(r.Item2), new Money(r.Item3))).ToList();
                var decision = BudgetRules.Decide(meter, budgets, TimeSpan.FromHours(1), Now, Terms);
                if (decision.Refused is not null)
                {
                    Assert.All(budgets, b => Assert.True(decision.Until <= meter.CoveredUntil(b.Mine)));
                    return;
                }

                var amount = meter.Until(decision.Until);
                foreach (var b in budgets)
                {
                    var more = amount > b.Mine ? amount - b.Mine : Money.Zero;
                    Assert.True((more > b.Promised ? more - b.Promised : Money.Zero) <= b.Free);
                }

                Assert.True(decision.Until >= Now + Terms.Least + Terms.ToDestroy && decision.Until <= Now + Terms.Longest + Terms.ToDestroy);
            });

    [Fact]
    public void Held_money_covers_time_to_the_millisecond_and_never_more_than_it_pays_for() =>
        Gen.Select(Gen.Long[1_000, 40_000_000], Gen.Long[0, 900_000], Gen.Int[-3600, 3600], Gen.Long[0, 80_000_000]).Sample((gpu, disk, apart, held) =>
        {
            var meter = new MachineMeter(new HourlyRate(gpu), new HourlyRate(disk), Now, Now.AddSeconds(apart), Money.Zero);
            var until = meter.CoveredUntil(new Money(held));
            Assert.True(meter.Until(until) <= new Money(held));
            Assert.True(meter.Until(until.AddMilliseconds(2)) > new Money(held) || until > Now.AddDays(365) || meter.Until(until.AddMilliseconds(2)) == meter.Until(until));
        });

    private static Money Usd(decimal usd) => Money.FromUsd(usd);

    private static MachineMeter Meter(decimal usdPerHour) => new(HourlyRate.FromUsd(usdPerHour), HourlyRate.Zero, Now, Now, Money.Zero);

    private static BudgetRoom Room(Money free, Money mine = default, Money promised = default) => new(new BudgetId(Guid.NewGuid()), Limits: true, free, mine, promised);

    private static Budget Of(BudgetScope scope, string subject = "", Money? free = null, bool simulated = false) => new()
    {
        Id = new BudgetId(Guid.NewGuid()), TeamId = Halden, Scope = scope, Subject = subject, Simulated = simulated, Period = BudgetPeriod.Month,
        Limit = free ?? Usd(10), AtLimit = AtLimit.SaveAndStop, CreatedAt = Now, PeriodStart = BudgetRules.PeriodStart(BudgetPeriod.Month, Now),
    };
}
