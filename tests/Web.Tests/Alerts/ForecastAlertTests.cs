using Bunit;
using Dashboard.Domain;
using Dashboard.Domain.Alerts;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Alerts;
using Dashboard.Infrastructure.Notifications;
using Dashboard.Web.Components;
using Dashboard.Web.Features.Alerts;
using Dashboard.Web.Features.Budgets;
using Dashboard.Web.Features.Costs;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dashboard.Web.Tests.Alerts;

/// <summary>Rules on what will have been spent. It is the evening of Monday 23 November; a week of the month is to come.</summary>
public sealed class ForecastAlertTests : PageTest
{
    private static readonly DateOnly Today = new(2026, 11, 23);

    private AlertDesk Desk => Services.GetRequiredService<AlertDesk>();

    [Fact]
    public async Task A_month_that_will_cost_too_much_fires_once_it_held_and_resolves_when_days_stay_idle()
    {
        await SpendAsync(days: 10, usd: 10);
        await Desk.CreateAsync(Member, new WantedRule(AlertMetric.MonthForecast, 150, TimeSpan.FromMinutes(10), NoData.Keep), default);

        await LookAsync(TimeSpan.FromMinutes(1));
        await LookAsync(TimeSpan.FromMinutes(9));
        Assert.Empty(await NewsAsync());
        await LookAsync(TimeSpan.FromMinutes(1));
        Assert.Equal("Forecast of the month: ≈ $172.39", Assert.Single(await NewsAsync())); // $100 and 7 days and a quarter at $10
        Assert.Equal("Forecast of the month at least $150.00 for 10 min", (await RuleAsync()).Sentence);

        await LookAsync(TimeSpan.FromDays(6));

        Assert.Equal(RuleState.Resolved, (await RuleAsync()).State);
        Assert.StartsWith("Forecast of the month: over, ≈ $1", (await NewsAsync())[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_the_forecast_that_costs_and_budgets_show()
    {
        await SpendAsync(days: 10, usd: 10);
        var budget = await BudgetAsync(BudgetScope.Team, "", 200, accrued: 100);

        var costs = await Services.GetRequiredService<CostQueries>().ExploreAsync(Member, new CostsQuestion(CostPeriod.Month(Today, ReaderZone.Utc), new CostScope(), CostSplit.Project, null, Today), default);
        var shown = Assert.Single((await Services.GetRequiredService<BudgetQueries>().ListAsync(Member, default)).Rows);

        var month = await Desk.NowAsync(Member, AlertMetric.MonthForecast, default);
        Assert.Equal((costs.Forecast!.Expected.Usd, shown.Expected!.Value.Usd), (month, month));
        Assert.Equal(month / 2, await Desk.NowAsync(Member, AlertMetric.BudgetForecast, default, budget));
    }

    [Theory]
    [InlineData(NoData.Keep, RuleState.Normal)]
    [InlineData(NoData.Calm, RuleState.Normal)]
    [InlineData(NoData.Alarm, RuleState.Firing)]
    public async Task Two_days_of_spending_foretell_nothing_and_the_rule_says_what_that_means(NoData noData, RuleState state)
    {
        await SpendAsync(days: 2, usd: 500);
        await Desk.CreateAsync(Member, new WantedRule(AlertMetric.MonthForecast, 150, TimeSpan.Zero, noData), default);

        await LookAsync(TimeSpan.FromMinutes(1));

        Assert.Equal((state, null), ((await RuleAsync()).State, (await RuleAsync()).Value));
        var page = Show<AlertsPage>();
        await page.Find("select[aria-label=Metric]").ChangeAsync(new() { Value = "MonthForecast" });
        page.WaitForAssertion(() => Assert.Contains("Forecast of the month now: —, too few days of spending to tell.", page.Find("[role=status]").TextContent, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_project_s_budget_is_made_a_rule_on_the_page_and_counts_its_own_spending_alone()
    {
        var project = await SpendAsync(days: 10, usd: 10);
        await SpendAsync(days: 10, usd: 90, project: "legal-summaries", skip: 5);
        await BudgetAsync(BudgetScope.Project, project.ToString(), 150, accrued: 100);
        var page = Show<AlertsPage>();
        await page.Find("select[aria-label=Metric]").ChangeAsync(new() { Value = "BudgetForecast" });
        page.WaitForAssertion(() => Assert.Equal("support-bot, a month", page.Find("select[aria-label=Budget] option").TextContent));
        Assert.Contains("Forecast of the budget of support-bot, a month now: ≈ 115%.", page.Find("[role=status]").TextContent, StringComparison.Ordinal);
        await page.Find(".figure-box").ChangeAsync(new() { Value = "100" });
        await page.Find("form").SubmitAsync();

        page.WaitForAssertion(() => Assert.Contains("Forecast of the budget of support-bot, a month at least 100% of its limit for 10 min", page.Find(".rules .card-row").TextContent, StringComparison.Ordinal));
        await LookAsync(TimeSpan.FromMinutes(1));
        await LookAsync(TimeSpan.FromMinutes(10));
        Assert.Equal(["Forecast of the budget of support-bot, a month: ≈ 114.9%"], await NewsAsync());
    }

    [Fact]
    public async Task A_budget_that_has_ended_foretells_nothing_and_a_stranger_s_is_no_choice()
    {
        await SpendAsync(days: 10, usd: 10);
        var budget = await BudgetAsync(BudgetScope.Team, "", 150, accrued: 100);
        Assert.Equal("Choose a budget of this team that is in force and has an end.", await Desk.CreateAsync(Member, new WantedRule(AlertMetric.BudgetForecast, 90, TimeSpan.Zero, NoData.Keep, new BudgetId(Guid.NewGuid())), default));
        Assert.Null(await Desk.CreateAsync(Member, new WantedRule(AlertMetric.BudgetForecast, 120, TimeSpan.Zero, NoData.Keep, budget), default));
        await using (var db = await Database.ForSystemAsync(default))
        {
            await db.Budgets.ExecuteUpdateAsync(set => set.SetProperty(b => b.EndedAt, Time.GetUtcNow()), Xunit.TestContext.Current.CancellationToken);
        }

        await LookAsync(TimeSpan.FromMinutes(1));

        var rule = await RuleAsync();
        Assert.Equal((null, "Forecast of a budget that has ended at least 120% of its limit"), (rule.Value, rule.Sentence));
    }

    [Fact]
    public void Roles_that_see_no_money_are_offered_no_forecast()
    {
        ReadAs(Role.Viewer);
        Assert.DoesNotContain(AlertDesk.MetricsFor(Member), AlertRules.IsForecast);
    }

    private async Task LookAsync(TimeSpan after)
    {
        Time.Advance(after);
        await new EvaluateAlerts(Database, Feed, Time).RunAsync(default);
    }

    private async Task<AlertRuleView> RuleAsync() => Assert.Single((await Desk.ListAsync(Member, default)).Rules);

    private async Task<IReadOnlyList<string>> NewsAsync()
    {
        await new OutboxDispatcher(Database, Feed, Time, NullLogger<OutboxDispatcher>.Instance).RunAsync(default);
        await using var db = await Database.ForSystemAsync(default);
        return await db.Notices.AsNoTracking().OrderBy(n => n.Id).Select(n => n.Title).ToListAsync();
    }

    /// <summary>The same on each of the days before today.</summary>
    private async Task<ProjectId> SpendAsync(int days, decimal usd, string? project = null, int skip = 0)
    {
        ProjectId of = default;
        await SeedAsync(seed =>
        {
            var job = seed.Job(seed.Connection(TeamSeed.VastAi, name: $"Vast.ai {skip}"), "paid", JobStatus.Succeeded, project: project is null ? null : seed.Project(project), skip: skip);
            var attempt = seed.Attempt(job);
            var machine = seed.Instance(job, attempt, InstanceStatus.Gone);
            for (var day = 1; day <= days; day++)
            {
                seed.Charge(job, attempt, machine, TeamSeed.VastAi, usd, new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero).AddDays(-day));
            }

            of = job.ProjectId;
        });
        return of;
    }

    private async Task<BudgetId> BudgetAsync(BudgetScope scope, string subject, decimal usd, decimal accrued)
    {
        var id = new BudgetId(Guid.NewGuid());
        await SeedAsync(seed => seed.Add(new Budget
        {
            Id = id, TeamId = Team.Id, Scope = scope, Subject = subject, Simulated = false, Period = BudgetPeriod.Month, Limit = Money.FromUsd(usd), AtLimit = AtLimit.Tell, Accrued = Money.FromUsd(accrued),
            PeriodStart = new DateTimeOffset(2026, 11, 1, 0, 0, 0, TimeSpan.Zero), CreatedAt = Time.GetUtcNow(), CreatedBy = new UserId(Person),
        }));
        return id;
    }
}
