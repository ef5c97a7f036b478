using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Budgets;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Jobs;

/// <summary>A person decides about a machine that was outbid. It spends money, so it asks for the right to start jobs.</summary>
public sealed class OutbidActions(AppDatabase database, OutbidMachines machines, TimeProvider time)
{
    private static readonly HourlyRate Highest = HourlyRate.FromUsd(128);

    /// <returns>Null when it was done, else why not, as a sentence.</returns>
    public async Task<string?> RaiseAsync(TeamContext team, int number, HourlyRate bid, CancellationToken ct)
    {
        team.Require(Permission.StartJobs);
        if (await FindAsync(team, number, ct) is not { } job)
        {
            return "This job does not exist any more.";
        }

        if (bid <= HourlyRate.Zero || bid > Highest)
        {
            return "Bid more than $0.000/h and at most $128.00/h.";
        }

        if (PriceOrderRules.Limits(job).MaxRate is { } most && bid > most)
        {
            return $"The job may cost at most {most.Words()}.";
        }

        var check = await CheckAsync(team, job, bid, ct);
        if (check.Refusal is { } refusal)
        {
            return refusal;
        }

        await LogAsync(team, job, check, ct); // before it costs anything: a crash loses no decision that was acted on
        try
        {
            return await machines.RaiseAsync(job.Id, team.UserId, bid, ct) ? null : "Its machine is not there any more.";
        }
        catch (MarketplaceException fault)
        {
            return $"The provider did not take the bid: {fault.Message}";
        }
    }

    /// <returns>Null when it was done, else why not, as a sentence.</returns>
    public async Task<string?> WaitAsync(TeamContext team, int number, CancellationToken ct)
    {
        team.Require(Permission.StartJobs);
        return await FindAsync(team, number, ct) is not { } job ? "This job does not exist any more."
            : await machines.WaitAsync(job.Id, team.UserId, ct) ? null
            : "The machine has come back or is given up already.";
    }

    /// <summary>Whether the bid, with disk, is above a role's limit.</summary>
    private async Task<RaiseCheck> CheckAsync(TeamContext team, Job job, HourlyRate bid, CancellationToken ct)
    {
        await using var db = await database.ForTeamAsync(team, ct);
        var disk = await db.Instances.AsNoTracking().Where(i => i.JobId == job.Id).OrderByDescending(i => i.CreatedAt).Select(i => i.DiskRate).FirstOrDefaultAsync(ct);
        return bid + disk <= PriceOrderRules.Limits(job).MaxRate
            ? new RaiseCheck(null, null)
            : await RaiseCheck.OfAsync(db, team, job, total: null, bid + disk, "The bid stays as it is.", time.GetUtcNow(), ct);
    }

    private async Task LogAsync(TeamContext team, Job job, RaiseCheck check, CancellationToken ct)
    {
        if (check.Decides is { } passed)
        {
            await using var db = await database.ForTeamAsync(team, ct);
            Approvals.Raised(db, job, team.UserId, passed, "to raise the bid", time.GetUtcNow());
            await db.SaveChangesAsync(ct);
        }
    }

    private async Task<Job?> FindAsync(TeamContext team, int number, CancellationToken ct)
    {
        await using var db = await database.ForTeamAsync(team, ct);
        return await db.Jobs.AsNoTracking().SingleOrDefaultAsync(j => j.TeamId == team.TeamId && j.Number == number, ct);
    }
}
