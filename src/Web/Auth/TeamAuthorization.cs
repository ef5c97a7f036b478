using System.Security.Claims;
using Dashboard.Domain;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Auth;

/// <summary>Decides who acts for which team. The only place a <see cref="TeamContext"/> is made.</summary>
public sealed class TeamAuthorization(AppDatabase database)
{
    /// <summary>The claim of an API token that names its one team.</summary>
    internal const string TeamClaim = "dashboard:team";

    /// <returns>Null when the person is not a member. A team that does not exist answers alike.</returns>
    public async Task<TeamContext?> ForAsync(ClaimsPrincipal person, string slug, CancellationToken ct)
    {
        if (IdOf(person) is not { } user)
        {
            return null;
        }

        await using var db = await database.ForSystemAsync(ct);
        var found = await (from team in db.Teams.AsNoTracking()
                           join membership in db.Memberships.AsNoTracking() on team.Id equals membership.TeamId
                           where team.Slug == slug && membership.UserId == user
                           select new { team, membership }).SingleOrDefaultAsync(ct);
        return found is null ? null : TeamContext.Of(found.team, found.membership);
    }

    /// <summary>The team of an API token, with the role its person has now. Null when the person has left the team.</summary>
    public async Task<TeamContext?> ForTokenAsync(ClaimsPrincipal caller, CancellationToken ct)
    {
        if (IdOf(caller) is not { } user || !Guid.TryParse(caller.FindFirstValue(TeamClaim), out var id))
        {
            return null;
        }

        var teamId = new TeamId(id);
        await using var db = await database.ForSystemAsync(ct);
        var found = await (from team in db.Teams.AsNoTracking()
                           join membership in db.Memberships.AsNoTracking() on team.Id equals membership.TeamId
                           where team.Id == teamId && membership.UserId == user
                           select new { team, membership }).SingleOrDefaultAsync(ct);
        return found is null ? null : TeamContext.Of(found.team, found.membership);
    }

    /// <summary>Teams of a person, the one last looked at first.</summary>
    public async Task<IReadOnlyList<MyTeam>> TeamsOfAsync(ClaimsPrincipal person, CancellationToken ct)
    {
        if (IdOf(person) is not { } user)
        {
            return [];
        }

        await using var db = await database.ForSystemAsync(ct);
        var last = await db.Users.AsNoTracking().Where(u => u.Id == user.Value).Select(u => u.LastTeam).SingleOrDefaultAsync(ct);
        var teams = await (from team in db.Teams.AsNoTracking()
                           join membership in db.Memberships.AsNoTracking() on team.Id equals membership.TeamId
                           where membership.UserId == user
                           orderby team.Name
                           select new MyTeam(team.Slug, team.Name)).ToListAsync(ct);
        return [.. teams.OrderByDescending(t => t.Slug == last)];
    }

    /// <summary>Remembers where <c>/</c> leads next time.</summary>
    public async Task RememberAsync(TeamContext team, CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        await db.Users.Where(u => u.Id == team.UserId.Value && u.LastTeam != team.Slug)
            .ExecuteUpdateAsync(set => set.SetProperty(u => u.LastTeam, team.Slug), ct);
    }

    internal static UserId? IdOf(ClaimsPrincipal person) =>
        person.Identity?.IsAuthenticated == true && Guid.TryParse(person.FindFirstValue(ClaimTypes.NameIdentifier), out var id) ? new UserId(id) : null;
}

/// <summary>A team somebody is a member of.</summary>
public sealed record MyTeam(string Slug, string Name);
