using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Features.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Budgets;

/// <summary>A role's limits as people see and set them. A part that is null has no limit.</summary>
public sealed record RoleLimitRow(Role Role, Money? PerJob, HourlyRate? PerHour, Money? PerMonth);

/// <summary>What each role may spend without asking. Raised or lowered, they hold for what is submitted from then on; what waits is decided by a person.</summary>
public sealed class RoleLimits(AppDatabase database, ChangeFeed changes)
{
    private const decimal MostUsd = 1_000_000;

    /// <summary>Those that start jobs.</summary>
    public static IReadOnlyList<Role> Roles { get; } = [.. Enum.GetValues<Role>().Where(role => RolePermissions.Allows(role, Permission.StartJobs))];

    /// <summary>Whether a person may set a role's limits: those of one's own role are for an owner.</summary>
    public static bool MaySet(TeamContext team, Role role)
    {
        ArgumentNullException.ThrowIfNull(team);
        return team.May(Permission.ManageBudgets) && (role != team.Role || team.May(Permission.ApproveOwnJobs));
    }

    /// <summary>One row a role that starts jobs.</summary>
    public async Task<IReadOnlyList<RoleLimitRow>> ListAsync(TeamContext team, CancellationToken ct)
    {
        team.Require(Permission.SeeMoney);
        await using var db = await database.ForTeamAsync(team, ct);
        var set = await db.RoleLimits.AsNoTracking().Where(l => l.TeamId == team.TeamId).ToListAsync(ct);
        return [.. Roles.Select(role => set.Find(l => l.Role == role) is { } limit ? new RoleLimitRow(role, limit.PerJob, limit.PerHour, limit.PerMonth) : new RoleLimitRow(role, null, null, null))];
    }

    /// <returns>What is wrong, by field: <c>Member.PerJob</c>. Empty: all is set; with a problem nothing is.</returns>
    public async Task<IReadOnlyList<FieldProblem>> SetAsync(TeamContext team, IReadOnlyList<RoleLimitRow> wanted, CancellationToken ct)
    {
        team.Require(Permission.ManageBudgets);
        await using var db = await database.ForTeamAsync(team, ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var set = await db.RoleLimits.Where(l => l.TeamId == team.TeamId).ToListAsync(ct);
        var problems = new List<FieldProblem>();
        foreach (var row in wanted)
        {
            var limit = set.Find(l => l.Role == row.Role);
            if ((limit?.PerJob, limit?.PerHour, limit?.PerMonth) == (row.PerJob, row.PerHour, row.PerMonth))
            {
                continue;
            }

            problems.AddRange(Problems(team, row));
            if (limit is null)
            {
                limit = new RoleLimit { TeamId = team.TeamId, Role = row.Role };
                db.RoleLimits.Add(limit);
            }

            (limit.PerJob, limit.PerHour, limit.PerMonth) = (row.PerJob, row.PerHour, row.PerMonth);
        }

        if (problems.Count > 0)
        {
            return problems;
        }

        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None); // all is written: giving up now would only lose it
        changes.Publish(team.TeamId);
        return [];
    }

    private static IEnumerable<FieldProblem> Problems(TeamContext team, RoleLimitRow row)
    {
        if (!Roles.Contains(row.Role))
        {
            yield return new FieldProblem($"{row.Role}.PerJob", "This role starts no jobs.");
        }
        else if (!MaySet(team, row.Role))
        {
            yield return new FieldProblem($"{row.Role}.PerJob", "The limits of your own role are set by an owner.");
        }

        foreach (var (field, usd) in new[] { (nameof(row.PerJob), row.PerJob?.Usd), (nameof(row.PerHour), row.PerHour?.Usd), (nameof(row.PerMonth), row.PerMonth?.Usd) })
        {
            if (usd is <= 0 or > MostUsd)
            {
                yield return new FieldProblem($"{row.Role}.{field}", "Enter dollars above $0.00, or leave it empty.");
            }
        }
    }
}
