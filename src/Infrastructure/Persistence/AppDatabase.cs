using Dashboard.Domain.Teams;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Persistence;

/// <summary>Opens the database for a team or for background work. The caller disposes what it gets, soon.</summary>
public sealed class AppDatabase(IDbContextFactory<AppDbContext> contexts)
{
    /// <summary>Sees the rows of this team alone.</summary>
    public async Task<AppDbContext> ForTeamAsync(TeamContext team, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(team);
        var db = await contexts.CreateDbContextAsync(ct);
        db.TeamScope = team.TeamId;
        return db;
    }

    /// <summary>Sees every team's rows. For the reconciler, the meter, the authorisation service and health; never for a page or an endpoint.</summary>
    public Task<AppDbContext> ForSystemAsync(CancellationToken ct) => contexts.CreateDbContextAsync(ct);
}
