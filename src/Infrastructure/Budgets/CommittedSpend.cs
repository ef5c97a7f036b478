using Dashboard.Domain;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Budgets;

/// <summary>A job that runs or waits in the queue, and what it will cost from now on.</summary>
/// <param name="Gpu">Of its latest machine; null before there is one.</param>
public sealed record CommittedJob(Job Job, string? Gpu, Provider Provider, Commitment Spend);

/// <summary>What runs and waits now, for every forecast alike.</summary>
public static class CommittedSpend
{
    private static readonly JobStatus[] Counted = [JobStatus.Submitted, JobStatus.WaitingForPrice, JobStatus.Provisioning, JobStatus.Starting, JobStatus.Running];

    public static async Task<IReadOnlyList<CommittedJob>> OfAsync(AppDbContext db, TeamId team, bool simulated, DateTimeOffset now, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(db);
        var jobs = await db.Jobs.AsNoTracking().Where(j => j.TeamId == team && Counted.Contains(j.Status)).ToListAsync(ct);
        var markets = (await db.Connections.AsNoTracking().Where(c => c.TeamId == team && c.Market.Simulated == simulated).Select(c => new { c.Id, c.Market.Provider }).ToListAsync(ct)).ToDictionary(c => c.Id, c => c.Provider);
        jobs.RemoveAll(j => !markets.ContainsKey(j.ConnectionId));
        if (jobs.Count == 0)
        {
            return [];
        }

        var ids = jobs.ConvertAll(j => j.Id);
        var attempts = (await db.Attempts.AsNoTracking().Where(a => ids.Contains(a.JobId)).ToListAsync(ct)).ToLookup(a => a.JobId);
        var machines = (await db.Instances.AsNoTracking().Where(i => ids.Contains(i.JobId)).ToListAsync(ct)).ToLookup(i => i.JobId);
        return
        [
            .. from job in jobs
               let machine = machines[job.Id].MaxBy(i => i.AttemptNumber)
               let unposted = machines[job.Id].Aggregate(Money.Zero, (sum, i) => sum + i.Unposted(now))
               let rest = CostToComplete.Of(RunSoFar.Of(job, attempts[job.Id].MaxBy(a => a.Number), unposted, machine is null ? HourlyRate.Zero : machine.GpuRate + machine.DiskRate), now)
               where rest is not null
               select new CommittedJob(job, machine?.GpuName, markets[job.ConnectionId], new Commitment(rest.Expected, rest.Low, now, now + rest.Left)),
        ];
    }
}
