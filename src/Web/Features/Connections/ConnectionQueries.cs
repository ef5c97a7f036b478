using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Connections;

/// <summary>A connection as people see it: nothing secret in it.</summary>
/// <param name="Credit">Null where unknown, or not for this person's eyes.</param>
/// <param name="Machines">Ours that may bill.</param>
/// <param name="Rate">What they cost an hour.</param>
/// <param name="Runway">How long the credit lasts at what bills there.</param>
/// <param name="Rights">What the key was seen to be allowed when it was last tried.</param>
/// <param name="PricesOnly">Nothing is rented with it.</param>
public sealed record ConnectionView(
    ConnectionId Id, string Name, Market Market, string KeyEnding, string AccountName, ConnectionStatus Status, string? StatusMessage,
    Money? Credit, DateTimeOffset? CheckedAt, int Machines, HourlyRate Rate, int ForeignCount, HourlyRate ForeignRate, KeyProbe Rights, bool PricesOnly, Runway Runway);

public sealed class ConnectionQueries(AppDatabase database, TimeProvider time)
{
    /// <summary>Real ones first, oldest first.</summary>
    public async Task<IReadOnlyList<ConnectionView>> ListAsync(TeamContext team, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var rows = await db.Connections.AsNoTracking().Where(c => c.TeamId == team.TeamId && c.Status != ConnectionStatus.Removed).OrderBy(c => c.CreatedAt).ToListAsync(ct);
        var machines = (await db.Instances.AsNoTracking()
            .Where(i => i.TeamId == team.TeamId && i.Status != InstanceStatus.Intent && i.Status != InstanceStatus.Rejected && i.Status != InstanceStatus.Gone)
            .ToListAsync(ct)).ToLookup(i => i.ConnectionId);
        var mayCount = team.May(Permission.SeeMoney);
        return
        [
            .. from c in rows
               orderby c.Market.Simulated
               let rate = machines[c.Id].Aggregate(HourlyRate.Zero, (sum, i) => sum + i.BurnRate)
               let credit = mayCount ? c.Credit : null
               select new ConnectionView(
                   c.Id, c.Name, c.Market, c.KeyEnding, c.AccountName, c.Status, c.StatusMessage, credit, c.CheckedAt, machines[c.Id].Count(), rate, c.ForeignCount, c.ForeignRate,
                   new KeyProbe(c.Granted, c.Refused), c.PricesOnly, Runway.Of(credit, rate + c.ForeignRate, c.CheckedAt, time.GetUtcNow())),
        ];
    }
}
