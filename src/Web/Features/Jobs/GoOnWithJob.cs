using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Budgets;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Dashboard.Web.Features.Jobs;

/// <summary>A person lets a paused job go on, with a higher limit of its own if they say so. A budget that does not reach to its end pauses it there again.</summary>
public sealed class GoOnWithJob(AppDatabase database, LifecycleSignal signal, ChangeFeed changes, IOptions<BudgetOptions> budgets, TimeProvider time)
{
    /// <param name="limit">The job's own limit from now on, in all; null leaves it as it is.</param>
    /// <returns>Null: it goes on. Else why not, in one sentence.</returns>
    public async Task<string?> RunAsync(TeamContext team, int number, Money? limit, CancellationToken ct)
    {
        team.Require(Permission.StartJobs);
        var now = time.GetUtcNow();
        await using var db = await database.ForTeamAsync(team, ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.Jobs.SingleOrDefaultAsync(j => j.TeamId == team.TeamId && j.Number == number, ct) is not { Status: JobStatus.Paused } job)
        {
            return "It is not paused any more.";
        }

        var subject = job.Id.ToString();
        if (limit is { } raised)
        {
            if (await db.Budgets.AsNoTracking().SingleOrDefaultAsync(b => b.TeamId == team.TeamId && b.Scope == BudgetScope.Job && b.Subject == subject, ct) is { } own && raised <= own.Accrued)
            {
                return $"{own.Accrued.Words()} is spent already. Enter more than that.";
            }

            if (!(raised <= job.Limits.MaxCost))
            {
                var check = await RaiseCheck.OfAsync(db, team, job, raised, rate: null, "It stays paused, $0.00.", now, ct);
                if (check.Refusal is { } refusal)
                {
                    return refusal;
                }

                if (check.Decides is { } passed)
                {
                    Approvals.Raised(db, job, team.UserId, passed, "raised the job's own limit", now);
                }
            }

            db.Entry(job).Property(j => j.Limits).CurrentValue = job.Limits with { MaxCost = raised };
            await db.Budgets.Where(b => b.TeamId == team.TeamId && b.Scope == BudgetScope.Job && b.Subject == subject).ExecuteUpdateAsync(set => set.SetProperty(b => b.Limit.Micros, raised.Micros), ct);
        }

        var market = await db.Connections.AsNoTracking().Where(c => c.Id == job.ConnectionId).Select(c => c.Market).SingleAsync(ct);
        if (Admission.Ask(db, job, job.PausedAtRate, market.Simulated, budgets.Value.Terms, now) is { } over)
        {
            if (!over.MayPause)
            {
                return $"It may cost up to {over.Needed.Words()}; {over.Name} has {(over.Budget.Free < Money.Zero ? Money.Zero : over.Budget.Free).Words()} left of {over.Budget.Limit.Words()}. It stays paused, $0.00.";
            }

            job.MayPause = true; // they have read what is left
        }

        job.MoveTo(JobStatus.Submitted, now);
        (job.StopReason, job.Message, job.PausedAtRate, job.NextStepAt) = (null, null, null, now);
        var key = $"job/{job.Id}";
        await db.Inbox.Where(i => i.TeamId == team.TeamId && i.Key == key && i.ResolvedAt == null).ExecuteUpdateAsync(set => set.SetProperty(i => i.ResolvedAt, now).SetProperty(i => i.ResolvedBy, team.UserId), ct);
        db.JobEvents.Add(new JobEvent { TeamId = team.TeamId, JobId = job.Id, At = now, Kind = "resumed", Text = "Goes on" + Said.Money(limit is { } said ? $", with a limit of {said.Words()} in all." : ".", "."), PersonId = team.UserId });
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None); // all is written: giving up now would only lose it
        signal.Wake();
        changes.Publish(team.TeamId, job.Id);
        return null;
    }
}
