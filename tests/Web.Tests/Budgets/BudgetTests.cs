using Bunit;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Web.Features.Budgets;
using Dashboard.Web.Features.Home;
using Dashboard.Web.Tests.Costs;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Budgets;

public sealed class BudgetTests : PageTest
{
    private static readonly NewBudget Month = new(BudgetScope.Team, "", BudgetPeriod.Month, Money.FromUsd(300), AtLimit.SaveAndStop);

    private ChangeBudgets Change => Services.GetRequiredService<ChangeBudgets>();

    [Fact]
    public async Task A_budget_set_in_the_middle_of_a_month_counts_what_was_spent_before()
    {
        await SeedAsync(LedgerSeed.Month);

        Assert.IsType<BudgetResult.Saved>(await Change.AddAsync(Member, Month, default));

        await using var db = await Database.ForSystemAsync(default);
        Assert.Equal(Money.FromUsd(3.94m), (await db.Budgets.SingleAsync()).Accrued);
    }

    [Fact]
    public async Task A_project_budget_counts_its_project_alone_and_a_stranger_of_a_project_is_refused()
    {
        await SeedAsync(LedgerSeed.Month);
        await using var db = await Database.ForSystemAsync(default);
        var project = await db.Projects.SingleAsync(p => p.Name == "legal-summaries");

        await Change.AddAsync(Member, Month with { Scope = BudgetScope.Project, Subject = project.Id.ToString() }, default);
        var stranger = await Change.AddAsync(Member, Month with { Scope = BudgetScope.Project, Subject = Guid.NewGuid().ToString() }, default);

        Assert.Equal(Money.FromUsd(1.12m), (await db.Budgets.SingleAsync()).Accrued);
        Assert.Equal("Choose a project of this team.", Assert.Single(Assert.IsType<BudgetResult.Invalid>(stranger).Problems).Message);
    }

    [Fact]
    public async Task Two_limits_for_the_same_are_refused_and_so_is_whoever_may_not_set_one()
    {
        await Change.AddAsync(Member, Month, default);
        Assert.IsType<BudgetResult.Invalid>(await Change.AddAsync(Member, Month with { Limit = Money.FromUsd(10) }, default));

        ReadAs(Role.Member);
        await Assert.ThrowsAsync<PermissionDeniedException>(() => Change.AddAsync(Member, Month with { Period = BudgetPeriod.Week }, default));
        Assert.Empty(Show<BudgetsPage>().FindAll("button"));
    }

    [Fact]
    public async Task A_raised_limit_settles_its_inbox_line_and_lets_paused_jobs_look_again()
    {
        var budget = Assert.IsType<BudgetResult.Saved>(await Change.AddAsync(Member, Month, default)).Id;
        await SeedAsync(seed => seed.Job(seed.Connection(TeamSeed.VastAi), "legal-sum", JobStatus.Paused, reason: StopReason.BudgetExhausted).PausedAtRate = HourlyRate.FromUsd(1));
        await using (var db = await Database.ForSystemAsync(default))
        {
            db.Inbox.Add(new InboxItem { TeamId = Team.Id, Kind = InboxKinds.Budget, Key = $"budget/{budget}", Title = "x", Detail = "x", At = Time.GetUtcNow() });
            await db.SaveChangesAsync();
        }

        await Change.ChangeAsync(Member, budget, Money.FromUsd(400), AtLimit.Tell, BudgetSteps.Usual, default);

        await using var read = await Database.ForSystemAsync(default);
        Assert.NotNull((await read.Inbox.SingleAsync()).ResolvedAt);
        Assert.Equal(Time.GetUtcNow(), (await read.Jobs.SingleAsync()).NextStepAt);
    }

    [Fact]
    public async Task The_card_says_what_is_spent_set_aside_and_left_and_that_it_is_passed()
    {
        await SeedAsync(LedgerSeed.Month);
        await Change.AddAsync(Member, Month with { Limit = Money.FromUsd(3) }, default);

        var page = Show<BudgetsPage>();

        Assert.Equal("passed", page.Find(".chip").TextContent.Trim());
        Assert.Contains("$3.94", page.Find(".figure-2").TextContent, StringComparison.Ordinal);
        Assert.Contains("at 100%: save, stop, tell", page.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_form_sets_a_budget_and_keeps_what_it_cannot_read()
    {
        var page = Show<BudgetsPage>();
        await page.Find("button.btn-primary").ClickAsync(new());
        await page.Find("input[inputmode=decimal]").InputAsync(new() { Value = "lots" });
        await page.Find("form").SubmitAsync();
        Assert.Contains("Enter dollars above $0.00", page.Find("[role=alert]").TextContent, StringComparison.Ordinal);

        await page.Find("input[inputmode=decimal]").InputAsync(new() { Value = "$300" });
        await page.Find("form").SubmitAsync();

        page.WaitForAssertion(() => Assert.Equal("on track", page.Find(".chip").TextContent.Trim()));
    }

    [Fact]
    public async Task Home_shows_the_month_against_its_budget_and_offers_one_where_none_is()
    {
        await SeedAsync(LedgerSeed.Month);
        Assert.Equal("Set a budget", Show<MonthCard>().Find("a[href$='/budgets']").TextContent);

        await Change.AddAsync(Member, Month, default);

        var card = Show<MonthCard>();
        Assert.Contains("$300.00", card.Find("a[href$='/budgets']").TextContent, StringComparison.Ordinal);
        Assert.Equal("on track", card.Find(".chip").TextContent.Trim());
    }

    [Theory]
    [InlineData(100, 0, null, BudgetState.Passed)]
    [InlineData(60, 40, null, BudgetState.WillPass)]
    [InlineData(60, 0, 9, BudgetState.WillPass)] // 40 left at 9 a day, seven days to go
    [InlineData(60, 0, 5, BudgetState.OnTrack)]
    [InlineData(60, 0, null, BudgetState.OnTrack)]
    public void A_budget_is_on_track_will_pass_or_is_passed(int accrued, int held, int? perDay, BudgetState state)
    {
        var now = new DateTimeOffset(2026, 11, 24, 0, 0, 0, TimeSpan.Zero);
        Assert.Equal(state, BudgetOutlook.Of(Money.FromUsd(100), Money.FromUsd(accrued), Money.FromUsd(held), perDay is { } d ? Money.FromUsd(d) : null, now, now.AddDays(7)).State);
    }
}
