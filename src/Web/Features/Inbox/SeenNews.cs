using System.Globalization;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Inbox;

/// <summary>How far a person has read a team's news: one number among Identity's named values of the person.</summary>
public sealed class SeenNews(AppDatabase database)
{
    private const string Store = "Dashboard";

    /// <summary>Notices newer than what the person has seen.</summary>
    public static async Task<int> UnseenAsync(AppDbContext db, TeamContext team, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(db);
        var seen = await SeenAsync(db, team, ct);
        return await db.Notices.ReadableBy(team).CountAsync(n => n.Id > seen, ct);
    }

    /// <summary>The last notice the person has seen; zero: none.</summary>
    public static async Task<long> SeenAsync(AppDbContext db, TeamContext team, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(db);
        var (user, name) = (team.UserId.Value, NameOf(team));
        var value = await db.UserTokens.Where(t => t.UserId == user && t.LoginProvider == Store && t.Name == name).Select(t => t.Value).SingleOrDefaultAsync(ct);
        return long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0;
    }

    /// <summary>The person looks at the news up to here.</summary>
    public async Task RunAsync(TeamContext team, long id, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var (user, name) = (team.UserId.Value, NameOf(team));
        var token = await db.UserTokens.SingleOrDefaultAsync(t => t.UserId == user && t.LoginProvider == Store && t.Name == name, ct)
            ?? db.UserTokens.Add(new IdentityUserToken<Guid> { UserId = user, LoginProvider = Store, Name = name }).Entity;
        token.Value = id.ToString(CultureInfo.InvariantCulture);
        await db.SaveChangesAsync(ct);
    }

    private static string NameOf(TeamContext team) => $"news-seen:{team.TeamId.Value:N}";
}
