using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Web.Features.Inbox;
using Dashboard.Web.Features.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Tests.Approvals;

/// <summary>What waits for somebody's yes, who is told, and what it may cost meanwhile and afterwards.</summary>
public sealed class AskingTests : IDisposable
{
    private readonly ApprovalTown _town = new();

    [Fact]
    public async Task A_job_above_the_limit_waits_with_its_figures_and_nothing_is_set_aside_for_it()
    {
        _town.Limit(Role.Member, perJob: 1);
        AddBudget(100);

        var accepted = await _town.SubmitAsync(_town.Priya);

        var job = _town.Job(accepted.Number);
        Assert.Equal((JobStatus.AwaitingApproval, null), (job.Status, job.NextStepAt));
        Assert.Equal(RoleLimitKind.Job, Assert.Single(job.Ask!.Passed).Kind);
        Assert.Equal((accepted.Ask!.Total, Money.FromUsd(1)), (job.Ask.Total, job.Ask.Passed[0].Limit));
        Assert.True(job.Limits.MaxCost > job.Ask.Total, "once approved it may cost the upper end");
        Assert.StartsWith("Asks for approval: ≈ $2.", _town.Events(1)[1], StringComparison.Ordinal);
        using var db = _town.Open();
        Assert.Equal((0, Money.Zero, 0), (db.BudgetHolds.Count(), db.Budgets.Single().Held, db.Instances.Count()));
        Assert.Equal(["job.submitted", OutboxKinds.ApprovalAsked], db.Outbox.OrderBy(m => m.Id).Select(m => m.Kind));
    }

    [Fact]
    public async Task Whoever_decides_and_whoever_asked_read_of_it_and_others_do_not()
    {
        _town.Limit(Role.Member, perJob: 1);
        await _town.SubmitAsync(_town.Priya);

        var inbox = _town.Get<InboxQueries>();
        var line = Assert.Single((await inbox.ListAsync(_town.Tomas, InboxState.Open, 5, default)).Rows);
        Assert.StartsWith("Priya Nair asks for support-bot-v9 #1, ≈ $2.", line.Title, StringComparison.Ordinal);
        Assert.Equal(("/jobs/1", "Decide"), (line.Link, line.Action));
        Assert.Single((await inbox.ListAsync(_town.Mira, InboxState.Open, 5, default)).Rows);
        Assert.Single((await inbox.ListAsync(_town.Priya, InboxState.Open, 5, default)).Rows);
        Assert.Empty((await inbox.ListAsync(_town.Jonas, InboxState.Open, 5, default)).Rows);
        Assert.False(await _town.Get<SettleInboxItem>().SnoozeAsync(_town.Priya, line.Id, TimeSpan.FromHours(1), default));
        Assert.False(await _town.Get<SettleInboxItem>().ResolveAsync(_town.Tomas, line.Id, "later", default)); // it is decided, not called done
    }

    [Fact]
    public async Task Within_the_limit_it_is_submitted_and_held_to_the_role_s_limits()
    {
        _town.Limit(Role.Member, perJob: 25, perHour: 2);

        await _town.SubmitAsync(_town.Priya);

        var job = _town.Job(1);
        Assert.Equal((JobStatus.Submitted, null), (job.Status, job.Ask));
        Assert.Equal((Money.FromUsd(25), HourlyRate.FromUsd(2)), (job.Limits.MaxCost, job.Limits.MaxRate));
        Assert.Equal(["Submitted. Without approval it may cost at most $25.00 in all and $2.000/h."], _town.Events(1));
    }

    [Fact]
    public async Task Roles_without_a_limit_are_asked_nothing_and_bounded_by_nothing()
    {
        _town.Limit(Role.Member, perJob: 1, perHour: 0.1m);

        await _town.SubmitAsync(_town.Tomas);

        Assert.Equal((JobStatus.Submitted, null, null), (_town.Job(1).Status, _town.Job(1).Limits.MaxCost, _town.Job(1).Limits.MaxRate));
    }

    [Fact]
    public async Task A_rate_above_the_limit_of_an_hour_asks_too_also_one_that_is_only_waited_for()
    {
        _town.Limit(Role.Member, perHour: 0.2m);

        Assert.Equal(RoleLimitKind.Hour, Assert.Single((await _town.SubmitAsync(_town.Priya)).Ask!.Passed).Kind);
        var order = await _town.SubmitAsync(_town.Priya, _town.TenHours with { Order = new OrderRequest(HourlyRate.FromUsd(0.22m), null, null, OrderEnding.Cancel) });
        Assert.Equal(HourlyRate.FromUsd(0.22m), order.Ask!.Rate);
        Assert.Null((await _town.SubmitAsync(_town.Priya, _town.TenHours with { Order = new OrderRequest(HourlyRate.FromUsd(0.2m), null, null, OrderEnding.Cancel) })).Ask);
    }

    [Fact]
    public async Task A_month_counts_what_a_person_s_jobs_will_still_cost_and_nobody_else_s()
    {
        _town.Limit(Role.Member, perMonth: 6);

        Assert.Null((await _town.SubmitAsync(_town.Jonas)).Ask);
        Assert.Null((await _town.SubmitAsync(_town.Priya)).Ask);
        Assert.Null((await _town.SubmitAsync(_town.Priya)).Ask);
        var third = await _town.SubmitAsync(_town.Priya);

        Assert.Equal(RoleLimitKind.Month, Assert.Single(third.Ask!.Passed).Kind);
        Assert.True(third.Ask.Passed[0].Asked > Money.FromUsd(6));
    }

    [Fact]
    public async Task A_month_counts_what_was_charged_in_it_and_nothing_before()
    {
        _town.Limit(Role.Member, perMonth: 10);
        using (var db = _town.Open())
        {
            var seed = new TeamSeed(db, _town.Team, _town.Priya.UserId.Value, _town.Time.GetUtcNow());
            var job = seed.Job(db.Connections.Single(), "earlier", JobStatus.Succeeded);
            var attempt = seed.Attempt(job);
            var machine = seed.Instance(job, attempt, InstanceStatus.Gone);
            seed.Charge(job, attempt, machine, TeamSeed.VastAi, 50, _town.Time.GetUtcNow().AddMonths(-1));
            seed.Charge(job, attempt, machine, TeamSeed.VastAi, 8.5m, _town.Time.GetUtcNow().AddDays(-3));
            db.SaveChanges();
        }

        var passed = Assert.Single((await _town.SubmitAsync(_town.Priya)).Ask!.Passed);

        Assert.Equal(RoleLimitKind.Month, passed.Kind);
        Assert.InRange(passed.Asked.Usd, 10.5m, 12m);
        Assert.Null((await _town.SubmitAsync(_town.Jonas)).Ask);
    }

    [Fact]
    public async Task The_same_key_asks_once()
    {
        _town.Limit(Role.Member, perJob: 1);
        var request = _town.TenHours with { IdempotencyKey = "one" };

        var first = await _town.SubmitAsync(_town.Priya, request);
        var again = await _town.SubmitAsync(_town.Priya, request);

        Assert.Equal((first.Number, true), (again.Number, again.Ask is not null));
        using var db = _town.Open();
        Assert.Equal(1, db.Inbox.Count());
    }

    public void Dispose() => _town.Dispose();

    private void AddBudget(decimal usd)
    {
        using var db = _town.Open();
        db.Budgets.Add(new Budget
        {
            Id = new Domain.BudgetId(Guid.NewGuid()), TeamId = _town.Team.Id, Scope = BudgetScope.Team, Subject = "", Simulated = false, Period = BudgetPeriod.Month, Limit = Money.FromUsd(usd),
            AtLimit = AtLimit.SaveAndStop, CreatedAt = _town.Time.GetUtcNow(), PeriodStart = BudgetRules.PeriodStart(BudgetPeriod.Month, _town.Time.GetUtcNow()),
        });
        db.SaveChanges();
    }
}
