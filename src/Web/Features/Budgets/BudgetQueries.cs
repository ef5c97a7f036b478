using Dashboard.Domain;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Budgets;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Features.Costs;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Budgets;

/// <summary>A budget as people see it.</summary>
/// <param name="Whose">The team, a project, a person or a tag, in words.</param>
/// <param name="Held">Set aside for machines and for jobs that were promised to fit.</param>
/// <param name="Jobs">Jobs that something is set aside for.</param>
/// <param name="Expected">By the end of the period; null: too few days to tell, or no end.</param>
/// <param name="Ends">End of the period, UTC; null: never.</param>
public sealed record BudgetView(
    BudgetId Id, BudgetScope Scope, string Whose, bool Simulated, BudgetPeriod Period, Money Limit, AtLimit AtLimit, IReadOnlyList<int> TellAt, Money Accrued, Money Held, int Jobs, Money? Expected, BudgetOutlook Outlook, DateTimeOffset? Ends)
{
    /// <summary>False: too few days to tell what comes.</summary>
    public bool Foretold { get; init; }

    public Money Left => Accrued + Held < Limit ? Limit - Accrued - Held : Money.Zero;
}

/// <summary>Whose budget may be set: what the form offers.</summary>
public sealed record BudgetSubjects(string Team, IReadOnlyList<(string Id, string Name)> Projects, IReadOnlyList<(string Id, string Name)> People);

/// <param name="Simulated">The team has no real connection: its budgets count play money.</param>
/// <param name="LastMonth">What the month before came to, a first proposal for a limit; zero: nothing.</param>
public sealed record BudgetsView(IReadOnlyList<BudgetView> Rows, BudgetSubjects Subjects, bool Simulated, Money LastMonth);

/// <summary>Budgets in force. A job's own limit is shown with the job.</summary>
public sealed class BudgetQueries(AppDatabase database, TimeProvider time)
{
    public async Task<BudgetsView> ListAsync(TeamContext team, CancellationToken ct)
    {
        team.Require(Permission.SeeMoney);
        var now = time.GetUtcNow();
        await using var db = await database.ForTeamAsync(team, ct);
        var budgets = await db.Budgets.AsNoTracking().Where(b => b.EndedAt == null && b.Scope != BudgetScope.Job).ToListAsync(ct);
        var projects = await db.Projects.AsNoTracking().OrderBy(p => p.CreatedAt).Select(p => new { p.Id, p.Name }).ToListAsync(ct);
        var members = (await db.Memberships.AsNoTracking().Where(m => m.TeamId == team.TeamId).Select(m => m.UserId).ToListAsync(ct)).ConvertAll(id => id.Value);
        var people = await db.Users.AsNoTracking().Where(u => members.Contains(u.Id)).OrderBy(u => u.DisplayName).Select(u => new { u.Id, u.DisplayName }).ToListAsync(ct);
        var subjects = new BudgetSubjects(team.TeamName, [.. projects.Select(p => (p.Id.ToString(), p.Name))], [.. people.Select(p => (p.Id.ToString(), p.DisplayName))]);

        var rows = new List<BudgetView>();
        foreach (var budget in budgets)
        {
            rows.Add(await ViewAsync(db, budget, subjects, now, ct));
        }

        var simulated = await CostQueries.OnlySimulatedAsync(db, ct);
        var month = BudgetRules.PeriodStart(BudgetPeriod.Month, now);
        var before = month.AddMonths(-1);
        var last = await db.Ledger.Where(e => e.Market.Simulated == simulated && e.PeriodStart >= before && e.PeriodStart < month).SumAsync(e => e.Amount.Micros, ct);
        return new BudgetsView([.. rows.OrderBy(r => r.Simulated).ThenBy(r => r.Scope).ThenBy(r => r.Whose, StringComparer.OrdinalIgnoreCase)], subjects, simulated, new Money(last));
    }

    /// <summary>The team's own budget of this month, for its Home; null: none is set.</summary>
    public async Task<BudgetView?> OfMonthAsync(TeamContext team, CancellationToken ct)
    {
        team.Require(Permission.SeeMoney);
        await using var db = await database.ForTeamAsync(team, ct);
        var simulated = await CostQueries.OnlySimulatedAsync(db, ct);
        var budget = await db.Budgets.AsNoTracking()
            .SingleOrDefaultAsync(b => b.EndedAt == null && b.Scope == BudgetScope.Team && b.Period == BudgetPeriod.Month && b.Simulated == simulated, ct);
        return budget is null ? null : await ViewAsync(db, budget, new BudgetSubjects(team.TeamName, [], []), time.GetUtcNow(), ct);
    }

    private static async Task<BudgetView> ViewAsync(AppDbContext db, Budget budget, BudgetSubjects subjects, DateTimeOffset now, CancellationToken ct)
    {
        var accrued = BudgetForecast.Accrued(budget, now);
        var ends = BudgetRules.PeriodEnd(budget.Period, now);
        var forecast = await BudgetForecast.OfBudgetAsync(db, budget, now, ct);
        var jobs = await db.BudgetHolds.Where(h => h.BudgetId == budget.Id && h.Amount.Micros > 0).Select(h => h.JobId).Distinct().CountAsync(ct);
        return new BudgetView(
            budget.Id, budget.Scope, Whose(budget, subjects), budget.Simulated, budget.Period, budget.Limit, budget.AtLimit, budget.TellAt, accrued, budget.Held, jobs, ends is null ? null : forecast?.Expected,
            BudgetOutlook.Of(budget.Limit, accrued, budget.Held, forecast), ends) { Foretold = forecast is not null };
    }

    /// <summary>Entries that count against a budget, tags excepted: SQL does not look into them.</summary>
    internal static IQueryable<LedgerEntry> OfScope(AppDbContext db, Budget budget, DateTimeOffset from)
    {
        var entries = db.Ledger.AsNoTracking().Where(e => e.TeamId == budget.TeamId && e.Market.Simulated == budget.Simulated && e.PeriodStart >= from);
        return budget.Scope switch
        {
            BudgetScope.Team or BudgetScope.Tag => entries,
            BudgetScope.Project => entries.Where(e => e.ProjectId == new ProjectId(Guid.Parse(budget.Subject))),
            BudgetScope.Person => entries.Where(e => e.PersonId == new UserId(Guid.Parse(budget.Subject))),
            BudgetScope.Job => entries.Where(e => e.JobId == new JobId(Guid.Parse(budget.Subject))),
        };
    }

    private static string Whose(Budget budget, BudgetSubjects subjects) => budget.Scope switch
    {
        BudgetScope.Team => subjects.Team,
        BudgetScope.Project => subjects.Projects.FirstOrDefault(p => p.Id == budget.Subject).Name ?? "a project",
        BudgetScope.Person => subjects.People.FirstOrDefault(p => p.Id == budget.Subject).Name ?? "a former member",
        BudgetScope.Tag => budget.Subject,
        BudgetScope.Job => "a job",
    };
}
