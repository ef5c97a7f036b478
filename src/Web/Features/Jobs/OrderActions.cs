using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Budgets;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Features.Budgets;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Jobs;

/// <summary>A person decides about a job that waits for its price. Both may spend money, so they ask for the right to start jobs.</summary>
public sealed class OrderActions(AppDatabase database, LifecycleSignal signal, ChangeFeed changes, TimeProvider time)
{
    private const string NotWaiting = "It does not wait for its price any more.";

    /// <summary>Starts at the price there is.</summary>
    /// <returns>Null when it was done, else why not, as a sentence.</returns>
    public Task<string?> StartNowAsync(TeamContext team, int number, CancellationToken ct) => ChangeAsync(team, number, async (db, job, now) =>
    {
        if (await RaiseAsync(db, team, job, job.Order!.Lowest, "It waits on, $0.00.", now, ct) is { } refusal)
        {
            return (refusal, "");
        }

        // Nobody knows what it will be rented at: the role's limit holds from now on.
        if (job is { Ask: null, Limits.MaxRate: null } && !team.MayDecide(job.CreatedBy)
            && (await RoleLimitBook.StandingAsync(db, team.TeamId, team.UserId, team.Role, now, ct)).For(await SimulatedAsync(db, job, ct))?.PerHour is { } most)
        {
            db.Entry(job).Property(j => j.Limits).CurrentValue = job.Limits with { MaxRate = most };
        }

        job.Order = null;
        if (job.Status == JobStatus.WaitingForPrice)
        {
            job.MoveTo(JobStatus.Submitted, now);
        }

        return (null, "Started at whatever the price is.");
    }, ct);

    /// <summary>Waits for another price, as long as it was said.</summary>
    /// <returns>Null when it was done, else why not, as a sentence.</returns>
    public Task<string?> ChangeLimitAsync(TeamContext team, int number, HourlyRate limit, CancellationToken ct) => ChangeAsync(team, number, async (db, job, now) =>
    {
        if (limit <= HourlyRate.Zero || job.Limits.MaxRate < limit)
        {
            return (job.Limits.MaxRate is { } most ? $"Enter more than $0.000/h and at most {most.Words()}, which the job may cost." : "Enter more than $0.000/h.", "");
        }

        if (await RaiseAsync(db, team, job, limit, $"It waits on for {job.Order!.Limit.Words()}, $0.00.", now, ct) is { } refusal)
        {
            return (refusal, "");
        }

        var before = job.Order.Limit;
        job.Order = job.Order with { Limit = limit };
        return (null, Said.Money($"Waits for {limit.Words()} or less, before {before.Words()}.", "Waits for another price."));
    }, ct);

    /// <returns>Why the price may not be paid; null: it may.</returns>
    private static async Task<string?> RaiseAsync(AppDbContext db, TeamContext team, Job job, HourlyRate? rate, string unchanged, DateTimeOffset now, CancellationToken ct)
    {
        if (rate is null || rate <= job.Limits.MaxRate)
        {
            return null; // as it was submitted, or approved
        }

        var check = await RaiseCheck.OfAsync(db, team, job, total: null, rate, unchanged, now, ct);
        if (check.Decides is { } passed)
        {
            Approvals.Raised(db, job, team.UserId, passed, "raised the price it waits for", now);
        }

        return check.Refusal;
    }

    private static Task<bool> SimulatedAsync(AppDbContext db, Job job, CancellationToken ct) => db.Connections.AsNoTracking().Where(c => c.Id == job.ConnectionId).Select(c => c.Market.Simulated).SingleAsync(ct);

    private async Task<string?> ChangeAsync(TeamContext team, int number, Func<AppDbContext, Job, DateTimeOffset, Task<(string? Problem, Said Text)>> change, CancellationToken ct)
    {
        team.Require(Permission.StartJobs);
        var now = time.GetUtcNow();
        await using var db = await database.ForTeamAsync(team, ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.Jobs.SingleOrDefaultAsync(j => j.TeamId == team.TeamId && j.Number == number, ct) is not { Status: JobStatus.Submitted or JobStatus.WaitingForPrice, Cancel: null } job || !PriceOrderRules.Waits(job))
        {
            return NotWaiting;
        }

        var (problem, said) = await change(db, job, now);
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
