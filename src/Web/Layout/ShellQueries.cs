using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Features.Inbox;
using Dashboard.Web.Features.Machines;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Layout;

/// <param name="ActiveJobs">Running and waiting.</param>
/// <param name="Machines">Ours that may bill; the number in the burn chip.</param>
/// <param name="Simulated">Connections that spend no money.</param>
/// <param name="Members">People in the team.</param>
/// <param name="Person">The reader's name.</param>
/// <param name="Administrator">Whether the reader is a site administrator, whom the rail leads to <c>/system</c>.</param>
public sealed record RailFigures(int ActiveJobs, int Machines, int Connections, int Simulated, int Members, string Person, bool Administrator);

/// <param name="Open">What needs a person now.</param>
/// <param name="Critical">Of these, where money or work is being lost.</param>
/// <param name="News">Notices this person has not seen.</param>
public sealed record InboxCount(int Open, int Critical, int News);

/// <summary>What the frame around every page shows.</summary>
public sealed class ShellQueries(AppDatabase database, MachineQueries machines, TimeProvider time)
{
    public async Task<RailFigures> RailAsync(TeamContext team, CancellationToken ct)
    {
        team.Require(Permission.See);
        var burn = await machines.BurnAsync(team, ct);
        await using var db = await database.ForTeamAsync(team, ct);
        var active = await db.Jobs.CountAsync(j => j.Status != JobStatus.Succeeded && j.Status != JobStatus.Failed && j.Status != JobStatus.Cancelled && j.Status != JobStatus.Paused, ct);
        var connections = await db.Connections.AsNoTracking().Where(c => c.Status != ConnectionStatus.Removed).Select(c => c.Market.Simulated).ToListAsync(ct);
        var person = await db.Users.Where(u => u.Id == team.UserId.Value).Select(u => new { u.DisplayName, u.IsSiteAdministrator }).SingleOrDefaultAsync(ct);
        var members = await db.Memberships.CountAsync(m => m.TeamId == team.TeamId, ct);
        return new RailFigures(active, burn.Machines, connections.Count, connections.Count(simulated => simulated), members, person?.DisplayName ?? "", person is { IsSiteAdministrator: true });
    }

    public async Task<InboxCount> InboxAsync(TeamContext team, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var now = time.GetUtcNow();
        var open = await db.Inbox.ReadableBy(team).Where(i => i.ResolvedAt == null && (i.SnoozedUntil == null || i.SnoozedUntil <= now)).Select(i => i.Critical).ToListAsync(ct);
        return new InboxCount(open.Count, open.Count(critical => critical), await SeenNews.UnseenAsync(db, team, ct));
    }
}
