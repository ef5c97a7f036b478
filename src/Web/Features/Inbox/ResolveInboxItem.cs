using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Inbox;

/// <summary>Somebody has seen to it. An item whose cause lasts comes back by itself.</summary>
public sealed class ResolveInboxItem(AppDatabase database, ChangeFeed feed, TimeProvider time)
{
    /// <returns>False when it was not there or not open: somebody else was quicker.</returns>
    public async Task<bool> RunAsync(TeamContext team, long id, CancellationToken ct)
    {
        team.Require(Permission.StopJobs);
        await using var db = await database.ForTeamAsync(team, ct);
        var now = time.GetUtcNow();
        var resolved = await db.Inbox.Where(i => i.Id == id && i.ResolvedAt == null).ExecuteUpdateAsync(set => set.SetProperty(i => i.ResolvedAt, now), ct);
        feed.Publish(team.TeamId);
        return resolved == 1;
    }
}
