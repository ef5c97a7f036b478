using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Features.Budgets;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Jobs;

/// <summary>Whether a person may let a job cost more than it was submitted with. What is above a role's limit is for those who may decide, and is logged as their decision.</summary>
/// <param name="Refusal">Why not, with who can; null: they may.</param>
/// <param name="Decides">The limit they pass knowingly; null: none is passed.</param>
internal sealed record RaiseCheck(string? Refusal, PassedLimit? Decides)
{
    /// <param name="total">What the job may cost in all from now on; null: that is not raised.</param>
    /// <param name="rate">What its machine may cost an hour, disk included; null: that is not raised.</param>
    /// <param name="unchanged">What a refusal leaves as it is, as a sentence with its cost.</param>
    public static async Task<RaiseCheck> OfAsync(AppDbContext db, TeamContext team, Job job, Money? total, HourlyRate? rate, string unchanged, DateTimeOffset now, CancellationToken ct)
    {
        var simulated = await db.Connections.AsNoTracking().Where(c => c.Id == job.ConnectionId).Select(c => c.Market.Simulated).SingleAsync(ct);
        var standing = await RoleLimitBook.StandingAsync(db, team.TeamId, job.CreatedBy, team.Role, now, ct);
        var month = Money.Zero;
        if (total is not null)
        {
            // What it has cost is counted among the month's already.
            month = standing.Month - new Money(await db.Ledger.AsNoTracking().Where(e => e.JobId == job.Id).SumAsync(e => e.Amount.Micros, ct));
        }

        var spend = new RoleSpend(total, rate, month);
        IReadOnlyList<PassedLimit> passed = RoleLimitRules.Passed(standing.For(simulated), spend);
        if (passed.Count == 0 && job.CreatedBy != team.UserId && await OwnersAsync(db, team, job, ct) is { } owners)
        {
            passed = RoleLimitRules.Passed((standing with { Limit = owners }).For(simulated), spend);
        }

        if (passed.Count == 0)
        {
            return new RaiseCheck(null, null);
        }

        return team.MayDecide(job.CreatedBy)
            ? new RaiseCheck(null, passed[0])
            : new RaiseCheck(ApprovalWords.Refusal(passed[0], await RoleLimitBook.DecidersAsync(db, team.TeamId, job.CreatedBy, ct), unchanged), null);
    }

    /// <summary>The limit of whose job it is.</summary>
    private static async Task<RoleLimit?> OwnersAsync(AppDbContext db, TeamContext team, Job job, CancellationToken ct) =>
        await db.Memberships.AsNoTracking().Where(m => m.TeamId == team.TeamId && m.UserId == job.CreatedBy).Select(m => (Role?)m.Role).SingleOrDefaultAsync(ct) is { } role
            ? await RoleLimitBook.OfAsync(db, team.TeamId, role, ct)
            : null;
}
