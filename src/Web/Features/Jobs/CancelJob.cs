using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Jobs;

/// <summary>A person stops a job. The wish is durable; the reconciler carries it out in whatever state the job is.</summary>
public sealed class CancelJob(AppDatabase database, LifecycleSignal signal, ChangeFeed changes, TimeProvider time)
{
    public async Task<CancelResult> RunAsync(TeamContext team, int number, CancelMode mode, CancellationToken ct)
    {
        team.Require(Permission.StopJobs);
        var now = time.GetUtcNow();
        await using var db = await database.ForTeamAsync(team, ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);

        var job = await db.Jobs.SingleOrDefaultAsync(j => j.TeamId == team.TeamId && j.Number == number, ct);
        if (job is null)
        {
            return CancelResult.NotFound;
        }

        if (!JobRules.MayCancel(job.Status))
        {
            return CancelResult.NothingToStop;
        }

        // A second press may only be more urgent, never less.
        job.Cancel = job.Cancel == CancelMode.DestroyNow ? CancelMode.DestroyNow : mode;
        job.CancelledAt ??= now;
        job.CancelledBy ??= team.UserId;
        job.NextStepAt = now;
        var text = mode == CancelMode.DestroyNow ? "Stop asked for: destroy now." : "Stop asked for: save, then destroy.";
        db.JobEvents.Add(new JobEvent { TeamId = team.TeamId, JobId = job.Id, At = now, Kind = "cancel", Text = text, PersonId = team.UserId });
        await db.SaveChangesAsync(ct);
        await db.Instances.Where(i => i.JobId == job.Id && i.NextStepAt != null).ExecuteUpdateAsync(set => set.SetProperty(i => i.NextStepAt, now), ct);
        await transaction.CommitAsync(CancellationToken.None); // all is written: giving up now would only lose it

        signal.Wake();
        changes.Publish(team.TeamId, job.Id);
        return CancelResult.Accepted;
    }
}
