using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Jobs;

/// <summary>A person decides about a job that waits for its price. Both may spend money, so they ask for the right to start jobs.</summary>
public sealed class OrderActions(AppDatabase database, LifecycleSignal signal, ChangeFeed changes, TimeProvider time)
{
    private const string NotWaiting = "It does not wait for its price any more.";

    /// <summary>Starts at the price there is.</summary>
    /// <returns>Null when it was done, else why not, as a sentence.</returns>
    public Task<string?> StartNowAsync(TeamContext team, int number, CancellationToken ct) => ChangeAsync(team, number, (job, now) =>
    {
        job.Order = null;
        if (job.Status == JobStatus.WaitingForPrice)
        {
            job.MoveTo(JobStatus.Submitted, now);
        }

        return (null, "Started at whatever the price is.");
    }, ct);

    /// <summary>Waits for another price, as long as it was said.</summary>
    /// <returns>Null when it was done, else why not, as a sentence.</returns>
    public Task<string?> ChangeLimitAsync(TeamContext team, int number, HourlyRate limit, CancellationToken ct) => ChangeAsync(team, number, (job, _) =>
    {
        if (limit <= HourlyRate.Zero || job.Limits.MaxRate < limit)
        {
            return (job.Limits.MaxRate is { } most ? $"Enter more than $0.000/h and at most {most.Words()}, which the job may cost." : "Enter more than $0.000/h.", "");
        }

        var before = job.Order!.Limit;
        job.Order = job.Order with { Limit = limit };
        return (null, $"Waits for {limit.Words()} or less, before {before.Words()}.");
    }, ct);

    private async Task<string?> ChangeAsync(TeamContext team, int number, Func<Job, DateTimeOffset, (string? Problem, string Said)> change, CancellationToken ct)
    {
        team.Require(Permission.StartJobs);
        var now = time.GetUtcNow();
        await using var db = await database.ForTeamAsync(team, ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.Jobs.SingleOrDefaultAsync(j => j.TeamId == team.TeamId && j.Number == number, ct) is not { Status: JobStatus.Submitted or JobStatus.WaitingForPrice, Cancel: null } job || !PriceOrderRules.Waits(job))
        {
            return NotWaiting;
        }

        var (problem, said) = change(job, now);
        if (problem is not null)
        {
            return problem;
        }

        job.NextStepAt = now;
        db.JobEvents.Add(new JobEvent { TeamId = team.TeamId, JobId = job.Id, At = now, Kind = "price-order", Text = said, PersonId = team.UserId });
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None); // all is written: giving up now would only lose it
        signal.Wake();
        changes.Publish(team.TeamId, job.Id);
        return null;
    }
}
