using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Inbox;

/// <param name="Link">Address below the team's; null when there is nothing to open.</param>
public sealed record InboxRow(long Id, string Kind, string Title, string Detail, string? Link, string? Action, DateTimeOffset At, DateTimeOffset? ResolvedAt);

public sealed record InboxView(IReadOnlyList<InboxRow> Rows, int Open);

/// <summary>What needs a person.</summary>
public sealed class InboxQueries(AppDatabase database)
{
    /// <summary>Newest first, at most <paramref name="most"/>.</summary>
    public async Task<InboxView> ListAsync(TeamContext team, bool done, int most, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var rows = await db.Inbox.AsNoTracking().Where(i => done == (i.ResolvedAt != null)).OrderByDescending(i => i.At).Take(most)
            .Select(i => new InboxRow(i.Id, i.Kind, i.Title, i.Detail, i.Link, i.Action, i.At, i.ResolvedAt)).ToListAsync(ct);
        return new InboxView(rows, await db.Inbox.CountAsync(i => i.ResolvedAt == null, ct));
    }
}
