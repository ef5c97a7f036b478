using Dashboard.Domain;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Budgets;
using Dashboard.Infrastructure.Costs;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Features.Costs;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Budgets;

/// <summary>What a person may spend without asking, and who may be asked.</summary>
/// <param name="Limit">Null: there is none.</param>
/// <param name="Simulated">Whether it limits play money: only while a team has nothing else.</param>
/// <param name="Month">What the person's jobs have cost this month, and will still.</param>
/// <param name="Deciders">Names.</param>
public sealed record RoleStanding(RoleLimit? Limit, bool Simulated, Money Month, IReadOnlyList<string> Deciders)
{
    /// <summary>The limit as it is for a market.</summary>
    public RoleLimit? For(bool simulated) => simulated == Simulated ? Limit : null;
}

/// <summary>Reads the limits of roles in the caller's context, so that a submission and its check are one transaction.</summary>
internal static class RoleLimitBook
{
    /// <summary>Where a person stands.</summary>
    /// <param name="role">Theirs.</param>
    public static async Task<RoleStanding> StandingAsync(AppDbContext db, TeamId team, UserId person, Role role, DateTimeOffset now, CancellationToken ct)
    {
        var simulated = await CostQueries.OnlySimulatedAsync(db, ct);
        var limit = await OfAsync(db, team, role, ct);
        var month = limit?.PerMonth is null ? Money.Zero : await MonthAsync(db, team, person, simulated, now, ct);
        return new RoleStanding(limit, simulated, month, limit is null ? [] : await DecidersAsync(db, team, person, ct));
    }

    public static Task<RoleLimit?> OfAsync(AppDbContext db, TeamId team, Role role, CancellationToken ct) =>
        db.RoleLimits.AsNoTracking().SingleOrDefaultAsync(l => l.TeamId == team && l.Role == role, ct);

    /// <summary>Names of those who may say yes to a job of <paramref name="asker"/>, in the order of the alphabet.</summary>
    public static async Task<IReadOnlyList<string>> DecidersAsync(AppDbContext db, TeamId team, UserId asker, CancellationToken ct)
    {
        var members = await db.Memberships.AsNoTracking().Where(m => m.TeamId == team).ToListAsync(ct);
        var may = members.Where(m => RolePermissions.Allows(m.Role, m.UserId == asker ? Permission.ApproveOwnJobs : Permission.ApproveJobs)).Select(m => m.UserId.Value).ToList();
        return await db.Users.AsNoTracking().Where(u => may.Contains(u.Id)).OrderBy(u => u.DisplayName).Select(u => u.DisplayName).ToListAsync(ct);
    }

    private static async Task<Money> MonthAsync(AppDbContext db, TeamId team, UserId person, bool simulated, DateTimeOffset now, CancellationToken ct)
    {
        var first = BudgetRules.PeriodStart(BudgetPeriod.Month, now).ToUnixTimeMilliseconds() / SpendStep.Length;
        var posted = await db.SpendSteps.AsNoTracking().Where(s => s.TeamId == team && s.Step >= first && s.PersonId == person && s.Simulated == simulated).SumAsync(s => s.Micros, ct);
        var committed = (await CommittedSpend.OfAsync(db, team, simulated, now, ct)).Where(c => c.Job.CreatedBy == person).Sum(c => c.Spend.Amount.Micros);
        return new Money(posted + committed);
    }
}
