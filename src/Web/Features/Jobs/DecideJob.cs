using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Budgets;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Features.Budgets;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Dashboard.Web.Features.Jobs;

/// <summary>The answer to a decision.</summary>
public abstract record DecideResult
{
    private DecideResult() { }

    public sealed record Decided : DecideResult;

    public sealed record NotFound : DecideResult;

    /// <param name="Message">Why nothing was decided, in a sentence.</param>
    public sealed record Refused(string Message) : DecideResult;
}

/// <summary>Somebody says yes or no to a job that is above its person's money limit. One decision is made, whoever else decides at the same time.</summary>
public sealed class DecideJob(AppDatabase database, LifecycleSignal signal, ChangeFeed changes, IOptions<BudgetOptions> budgets, TimeProvider time)
{
    public const int LongestReason = 200;

    /// <summary>It goes on as if it had been within its limits, up to what was shown. Budgets are asked now: nothing was set aside for it while it waited.</summary>
    public Task<DecideResult> ApproveAsync(TeamContext team, int number, CancellationToken ct) => DecideAsync(team, number, async (db, job, now) =>
    {
        var simulated = await db.Connections.AsNoTracking().Where(c => c.Id == job.ConnectionId).Select(c => c.Market.Simulated).SingleAsync(ct);
        if (Admission.Ask(db, job, job.Ask!.Rate, simulated, budgets.Value.Terms, now) is { } over)
        {
            var left = over.Budget.Free < Money.Zero ? Money.Zero : over.Budget.Free;
            return $"It may cost up to {over.Needed.Words()}; {over.Name} has {left.Words()} left of {over.Budget.Limit.Words()}. It was not approved, $0.00. Raise that budget first, or decline it.";
        }

        job.MoveTo(JobStatus.Submitted, now);
        job.NextStepAt = now;
        Approvals.Decided(db, job, team.UserId, DecisionOutcome.Approved, reason: null, now);
        return null;
    }, ct);

    /// <summary>It ends; it has cost nothing.</summary>
    /// <param name="reason">In their own words; may be empty.</param>
    public Task<DecideResult> DeclineAsync(TeamContext team, int number, string? reason, CancellationToken ct) => DecideAsync(team, number, async (db, job, now) =>
    {
        var why = reason?.Trim().TrimEnd('.') is { Length: > 0 } said ? said[..Math.Min(said.Length, LongestReason)] : null;
        var person = team.UserId.Value;
        var who = await db.Users.AsNoTracking().Where(u => u.Id == person).Select(u => u.DisplayName).SingleOrDefaultAsync(ct) ?? "somebody";
        job.MoveTo(JobStatus.Cancelled, now);
        (job.StopReason, job.NextStepAt, job.Message) = (StopReason.Declined, null, Endings.Message(StopReason.Declined, $"{who} declined " + Said.Money(job.Ask!.Figure, "it") + (why is null ? "." : $": {why}."), Money.Zero));
        Approvals.Decided(db, job, team.UserId, DecisionOutcome.Declined, why, now);
        return null;
    }, ct);

    private async Task<DecideResult> DecideAsync(TeamContext team, int number, Func<AppDbContext, Job, DateTimeOffset, Task<string?>> decide, CancellationToken ct)
    {
        team.Require(Permission.ApproveJobs);
        var now = time.GetUtcNow();
        await using var db = await database.ForTeamAsync(team, ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct); // immediate: whoever comes second reads what the first has decided
        if (await db.Jobs.SingleOrDefaultAsync(j => j.TeamId == team.TeamId && j.Number == number, ct) is not { } job)
        {
            return new DecideResult.NotFound();
        }

        if (job is not { Status: JobStatus.AwaitingApproval, Cancel: null })
        {
            return new DecideResult.Refused(await NotWaitingAsync(db, job, ct));
        }

        if (!team.MayDecide(job.CreatedBy))
        {
            return new DecideResult.Refused($"This job is your own. {ApprovalWords.Names(await RoleLimitBook.DecidersAsync(db, team.TeamId, job.CreatedBy, ct))} can decide about it.");
        }

        if (await decide(db, job, now) is { } refusal)
        {
            return new DecideResult.Refused(refusal);
        }

        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None); // all is written: giving up now would only lose it
        signal.Wake();
        changes.Publish(team.TeamId, job.Id);
        return new DecideResult.Decided();
    }

    private static async Task<string> NotWaitingAsync(AppDbContext db, Job job, CancellationToken ct)
    {
        if (job.Ask is null || await db.Decisions.AsNoTracking().Where(d => d.JobId == job.Id).OrderBy(d => d.Id).FirstOrDefaultAsync(ct) is not { } earlier)
        {
            return job.Cancel is null ? "It waits for no approval." : "It was stopped meanwhile.";
        }

        var person = earlier.DecidedBy.Value;
        var who = await db.Users.AsNoTracking().Where(u => u.Id == person).Select(u => u.DisplayName).SingleOrDefaultAsync(ct) ?? "Somebody";
        return $"{who} has {(earlier.Outcome == DecisionOutcome.Approved ? "approved" : "declined")} it already.";
    }
}
