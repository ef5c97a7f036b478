using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Prices;

/// <summary>A person stars a series for the team, or takes the star away. What is watched is polled often.</summary>
public sealed class WatchPrices(AppDatabase database, ChangeFeed changes, TimeProvider time)
{
    /// <returns>False: no such series in a market of this team.</returns>
    public async Task<bool> RunAsync(TeamContext team, int seriesId, bool watch, CancellationToken ct)
    {
        team.Require(Permission.StartJobs);
        var now = time.GetUtcNow();
        await using var db = await database.ForTeamAsync(team, ct);
        var there = await db.PriceWatches.SingleOrDefaultAsync(w => w.SeriesId == seriesId, ct);
        if (!watch)
        {
            if (there is not null)
            {
                db.Remove(there);
            }
        }
        else if (there is null)
        {
            var series = await db.PriceSeries.SingleOrDefaultAsync(s => s.Id == seriesId, ct);
            if (series is null || !await db.Connections.AnyAsync(c => c.Status != ConnectionStatus.Removed && c.Market.Provider == series.Provider && c.Market.BaseUrl == series.BaseUrl, ct))
            {
                return false;
            }

            series.NextFloorAt = now < series.NextFloorAt ? now : series.NextFloorAt; // whoever stars it wants to see it
            db.Add(new PriceWatch { TeamId = team.TeamId, SeriesId = seriesId, By = team.UserId, Since = now });
        }

        await db.SaveChangesAsync(ct);
        changes.Publish(team.TeamId);
        return true;
    }
}
