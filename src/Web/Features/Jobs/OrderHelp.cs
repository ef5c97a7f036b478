using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Features.Prices;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Jobs;

/// <summary>What the price history says of a limit.</summary>
public sealed class OrderHelp(AppDatabase database, TimeProvider time)
{
    private readonly PriceShares _shares = new(time);

    /// <summary>In what share of the last 30 days' hours the cheapest machine like <paramref name="offer"/>, with its disk, cost at most <paramref name="limit"/>; null while too little is known.</summary>
    public async Task<decimal?> ReachedAsync(TeamContext team, ConnectionId connection, Offer offer, HourlyRate limit, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        if (limit <= offer.DiskRate || await db.Connections.AsNoTracking().Where(c => c.TeamId == team.TeamId && c.Id == connection).Select(c => c.Market).SingleOrDefaultAsync(ct) is not { } market)
        {
            return null;
        }

        var atLimit = offer with { GpuRate = new HourlyRate(limit.MicrosPerHour - offer.DiskRate.MicrosPerHour) };
        var dearer = await _shares.ReadAsync(db, [(market, atLimit)], ct);
        return 1 - dearer(market, atLimit);
    }
}
