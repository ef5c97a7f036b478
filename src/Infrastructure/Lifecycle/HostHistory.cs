using Dashboard.Domain;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>What a team's own runs say of the machines of a market. Read from the rows themselves, by machine: there is nothing to keep up to date.</summary>
public static class HostHistory
{
    /// <param name="machines">The provider's ids of physical machines, such as those of one page of offers.</param>
    /// <returns>Scorecards by machine; one that the team never rented has none.</returns>
    public static async Task<IReadOnlyDictionary<string, HostScorecard>> ReadAsync(AppDbContext db, TeamId team, Market market, IReadOnlyCollection<string> machines, DateTimeOffset now, CancellationToken ct)
    {
        var since = now - HostScorecard.Reach;
        var asked = machines.Distinct().ToList();
        var rows = await (from i in db.Instances.AsNoTracking()
                          join c in db.Connections.AsNoTracking() on i.ConnectionId equals c.Id
                          join a in db.Attempts.AsNoTracking() on i.AttemptId equals a.Id
                          where i.TeamId == team && asked.Contains(i.MachineId) && i.ContractId != null && i.CreatedAt > since && c.Market.BaseUrl == market.BaseUrl
                          select new { i.MachineId, i.CreatedAt, i.ReadyAt, i.EndReason, a.DownloadMbps, a.Speed }).ToListAsync(ct);
        return rows.GroupBy(r => r.MachineId)
            .Select(g => (Machine: g.Key, Score: HostScorecard.Of(g.Select(r => new HostRun(r.CreatedAt, r.ReadyAt - r.CreatedAt, r.EndReason, r.DownloadMbps, r.Speed)), now)))
            .Where(g => g.Score is not null)
            .ToDictionary(g => g.Machine, g => g.Score!, StringComparer.Ordinal);
    }
}
