using Dashboard.Domain;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Features.Budgets;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Jobs;

/// <param name="Works">Whether it may rent now; one whose key is refused is listed so that its message can say so.</param>
public sealed record ConnectionChoice(ConnectionId Id, string Name, string MarketName, bool Simulated, bool Works);

public sealed record ProjectChoice(ProjectId Id, string Name);

/// <param name="NextNumber">The number the job will get if nobody is faster: for proposing a name.</param>
/// <param name="Standing">What the person may spend without asking.</param>
/// <param name="LastNumber">The newest job, to be cloned; null: there is none.</param>
public sealed record NewJobChoices(IReadOnlyList<ConnectionChoice> Connections, IReadOnlyList<ProjectChoice> Projects, int NextNumber, RoleStanding Standing, int? LastNumber, string? LastName);

/// <summary>What the New job form offers to choose from.</summary>
public sealed class NewJobQueries(AppDatabase database, TimeProvider time)
{
    public async Task<NewJobChoices> ChoicesAsync(TeamContext team, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var connections = await db.Connections.AsNoTracking()
            .Where(c => c.TeamId == team.TeamId && !c.PricesOnly && (c.Status == ConnectionStatus.Works || c.Status == ConnectionStatus.Broken))
            .OrderBy(c => c.CreatedAt).Select(c => new { c.Id, c.Name, c.Market, c.Status }).ToListAsync(ct);
        var projects = await db.Projects.AsNoTracking().Where(p => p.TeamId == team.TeamId).OrderBy(p => p.CreatedAt).Select(p => new ProjectChoice(p.Id, p.Name)).ToListAsync(ct);
        var next = await db.Teams.AsNoTracking().Where(t => t.Id == team.TeamId).Select(t => t.NextJobNumber).SingleAsync(ct);
        var last = await db.Jobs.AsNoTracking().Where(j => j.TeamId == team.TeamId).OrderByDescending(j => j.Number).Select(j => new { j.Number, j.Name }).FirstOrDefaultAsync(ct);

        // Real ones first: who has connected an account means to use it.
        return new(
            [.. connections.OrderBy(c => c.Market.Simulated).ThenByDescending(c => c.Status == ConnectionStatus.Works)
                .Select(c => new ConnectionChoice(c.Id, c.Name, c.Market.Name, c.Market.Simulated, c.Status == ConnectionStatus.Works))],
            projects,
            next,
            await RoleLimitBook.StandingAsync(db, team.TeamId, team.UserId, team.Role, time.GetUtcNow(), ct),
            last?.Number,
            last?.Name);
    }
}
