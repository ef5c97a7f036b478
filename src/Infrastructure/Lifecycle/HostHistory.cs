using Dashboard.Domain;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>What a team's own runs say of the machines of a market. Read from the rows themselves: there is nothing to keep up to date.</summary>
public static class HostHistory
{
    private const int Newest = 500; // more of them change no factor by a percent

    /// <param name="machines">The provider's ids of physical machines, such as those of one page of offers.</param>
    public static async Task<OwnRuns> ReadAsync(AppDbContext db, TeamId team, Market market, IReadOnlyCollection<string> machines, DateTimeOffset now, CancellationToken ct)
    {
        var since = now - HostScorecard.Reach;
        var asked = machines.Distinct().ToList();
        var rows = await (from i in db.Instances.AsNoTracking()
                          join c in db.Connections.AsNoTracking() on i.ConnectionId equals c.Id
                          join a in db.Attempts.AsNoTracking() on i.AttemptId equals a.Id
                          where i.TeamId == team && asked.Contains(i.MachineId) && i.ContractId != null && i.CreatedAt > since && c.Market.BaseUrl == market.BaseUrl
                          select new { i.MachineId, i.CreatedAt, i.ReadyAt, i.EndReason, a.DownloadMbps, a.Speed }).ToListAsync(ct);
        var hosts = rows.GroupBy(r => r.MachineId)
            .Select(g => (Machine: g.Key, Score: HostScorecard.Of(g.Select(r => new HostRun(r.CreatedAt, r.ReadyAt - r.CreatedAt, r.EndReason, r.DownloadMbps, r.Speed)), now)))
            .Where(g => g.Score is not null)
            .ToDictionary(g => g.Machine, g => g.Score!, StringComparer.Ordinal);
        return new OwnRuns(hosts, await PacesAsync(db, team, market, now, ct), now);
    }

    // Whole runs of a program that was estimated: one that went on from a checkpoint or waited for its machine says nothing of its pace.
    private static async Task<IReadOnlyCollection<PaceRun>> PacesAsync(AppDbContext db, TeamId team, Market market, DateTimeOffset now, CancellationToken ct)
    {
        var since = now - OwnRuns.Reach;
        return await (from a in db.Attempts.AsNoTracking()
                      join i in db.Instances.AsNoTracking() on a.Id equals i.AttemptId
                      join c in db.Connections.AsNoTracking() on i.ConnectionId equals c.Id
                      where a.TeamId == team && a.Speed != null && a.ResumedFrom == null && a.CreatedAt > since && i.ContractId != null && c.Market.BaseUrl == market.BaseUrl
                      orderby a.CreatedAt descending
                      select new PaceRun(i.MachineId, i.GpuName, a.CreatedAt, a.Speed!.Value)).Take(Newest).ToListAsync(ct);
    }
}
