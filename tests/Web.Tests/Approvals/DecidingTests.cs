using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Web.Features.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Tests.Approvals;

/// <summary>Who says yes or no, that it is said once, and what is written of it.</summary>
public sealed class DecidingTests : IDisposable
{
    private readonly ApprovalTown _town = new();

    private DecideJob Decide => _town.Get<DecideJob>();

    public DecidingTests() => _town.Limit(Role.Member, perJob: 1);

    [Fact]
    public async Task Approved_it_goes_on_and_the_decision_is_written_down_for_ever()
    {
        await _town.SubmitAsync(_town.Priya);

        Assert.IsType<DecideResult.Decided>(await Decide.ApproveAsync(_town.Tomas, 1, default));

        var job = _town.Job(1);
        Assert.Equal((JobStatus.Submitted, _town.Time.GetUtcNow()), (job.Status, job.NextStepAt));
        var decision = Assert.Single(_town.Decisions());
        Assert.Equal(
            (_town.Priya.UserId, _town.Tomas.UserId, DecisionOutcome.Approved, RoleLimitKind.Job, job.Ask!.Total!.Value, Money.FromUsd(1), null),
            (decision.AskedBy, decision.DecidedBy, decision.Outcome, decision.Kind, decision.Amount, decision.Limit, decision.Reason));
        Assert.EndsWith(", the limit was $1.00 a job.", _town.Events(1)[^1], StringComparison.Ordinal);
        using var db = _town.Open();
        var item = db.Inbox.Single();
        Assert.Equal((_town.Tomas.UserId, "Approved"), (item.ResolvedBy, item.Resolution));
        Assert.Contains(OutboxKinds.ApprovalDecided, db.Outbox.Select(m => m.Kind));
        Assert.Contains("only ever added to", Assert.ThrowsAny<Exception>(() => db.Decisions.ExecuteDelete()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Declined_it_ends_with_the_reason_in_words_and_has_cost_nothing()
    {
        await _town.SubmitAsync(_town.Priya);

        Assert.IsType<DecideResult.Decided>(await Decide.DeclineAsync(_town.Mira, 1, " wait for the cheaper one. ", default));

        var job = _town.Job(1);
        Assert.Equal((JobStatus.Cancelled, StopReason.Declined, null), (job.Status, job.StopReason, job.NextStepAt));
        Assert.Matches(@"^Mira Okafor declined ≈ \$2\.\d\d: wait for the cheaper one\. It cost \$0\.00\. ", job.Message?.Full);
        Assert.Equal("wait for the cheaper one", Assert.Single(_town.Decisions()).Reason);
        Assert.IsType<DecideResult.Refused>(await Decide.ApproveAsync(_town.Tomas, 1, default));
    }

    [Fact]
    public async Task Of_two_who_decide_at_once_one_decides_and_the_other_is_told()
    {
        for (var n = 1; n <= 8; n++)
        {
            var (number, gate) = (n, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            await _town.SubmitAsync(_town.Priya);
            var yes = Task.Run(async () => { await gate.Task; return await Decide.ApproveAsync(_town.Tomas, number, default); });
            var no = Task.Run(async () => { await gate.Task; return await Decide.DeclineAsync(_town.Mira, number, null, default); });
            gate.SetResult();

            var results = await Task.WhenAll(yes, no);

            Assert.Single(results, r => r is DecideResult.Decided);
            Assert.EndsWith("it already.", Assert.IsType<DecideResult.Refused>(Assert.Single(results, r => r is not DecideResult.Decided)).Message, StringComparison.Ordinal);
            Assert.Equal(n, _town.Decisions().Count);
            Assert.Equal(results[0] is DecideResult.Decided ? JobStatus.Submitted : JobStatus.Cancelled, _town.Job(number).Status);
        }
    }

    [Fact]
    public async Task Members_do_not_decide_and_nobody_decides_about_their_own_job_but_an_owner()
    {
        _town.Limit(Role.Admin, perJob: 1);
        _town.Limit(Role.Owner, perJob: 1);
        await _town.SubmitAsync(_town.Priya);
        await _town.SubmitAsync(_town.Tomas);
        await _town.SubmitAsync(_town.Mira);

        await Assert.ThrowsAsync<PermissionDeniedException>(() => Decide.ApproveAsync(_town.Jonas, 1, default));
        await Assert.ThrowsAsync<PermissionDeniedException>(() => Decide.DeclineAsync(_town.Priya, 1, null, default));
        Assert.Equal("This job is your own. Mira Okafor can decide about it.", Assert.IsType<DecideResult.Refused>(await Decide.ApproveAsync(_town.Tomas, 2, default)).Message);
        Assert.IsType<DecideResult.Decided>(await Decide.ApproveAsync(_town.Mira, 3, default));
        Assert.Equal((JobStatus.AwaitingApproval, JobStatus.AwaitingApproval, JobStatus.Submitted), (_town.Job(1).Status, _town.Job(2).Status, _town.Job(3).Status));
    }

    [Fact]
    public async Task A_job_that_was_stopped_cannot_be_approved()
    {
        await _town.SubmitAsync(_town.Priya);
        await _town.Get<CancelJob>().RunAsync(_town.Priya, 1, CancelMode.SaveThenDestroy, default);

        Assert.Equal("It was stopped meanwhile.", Assert.IsType<DecideResult.Refused>(await Decide.ApproveAsync(_town.Mira, 1, default)).Message);
        Assert.Empty(_town.Decisions());
    }

    [Fact]
    public async Task A_budget_that_does_not_reach_is_said_before_it_is_approved()
    {
        using (var db = _town.Open())
        {
            db.Budgets.Add(new Budget
            {
                Id = new Domain.BudgetId(Guid.NewGuid()), TeamId = _town.Team.Id, Scope = BudgetScope.Team, Subject = "", Simulated = false, Period = BudgetPeriod.Month, Limit = Money.FromUsd(1.5m),
                AtLimit = AtLimit.StartNothingNew, CreatedAt = _town.Time.GetUtcNow(), PeriodStart = BudgetRules.PeriodStart(BudgetPeriod.Month, _town.Time.GetUtcNow()),
            });
            db.SaveChanges();
        }

        await _town.SubmitAsync(_town.Priya);

        Assert.Contains("Halden Lab has $1.50 left of $1.50. It was not approved, $0.00.", Assert.IsType<DecideResult.Refused>(await Decide.ApproveAsync(_town.Tomas, 1, default)).Message, StringComparison.Ordinal);
        Assert.Equal(JobStatus.AwaitingApproval, _town.Job(1).Status);
        Assert.Empty(_town.Decisions());
    }

    public void Dispose() => _town.Dispose();
}
