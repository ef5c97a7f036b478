using System.Text.Json;
using Dashboard.Domain;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Infrastructure.Costs;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Budgets;

/// <summary>The forecast of Costs, for the periods that end at midnight UTC: of a budget, and of a team's month. Pages and alerts read the same.</summary>
public static class BudgetForecast
{
    /// <summary>How far a limit without a period is looked ahead for the day it will be reached.</summary>
    public static readonly TimeSpan Horizon = TimeSpan.FromDays(90);

    private const long DayMs = 86_400_000;
    private const long StepsOfDay = DayMs / SpendStep.Length;

    /// <summary>Of a budget's own entries and jobs.</summary>
    /// <returns>Null: too few days to tell.</returns>
    public static async Task<SpendForecast?> OfBudgetAsync(AppDbContext db, Budget budget, DateTimeOffset now, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(db);
        ArgumentNullException.ThrowIfNull(budget);
        var days = (await OfScope(db, budget, FirstStep(now)).GroupBy(s => new { s.TagsKey, Day = s.Step / StepsOfDay }).Select(g => new { g.Key.TagsKey, g.Key.Day, Micros = g.Sum(s => s.Micros) }).ToListAsync(ct))
            .Where(s => budget.Scope != BudgetScope.Tag || JsonSerializer.Deserialize<string[]>(s.TagsKey)!.Contains(budget.Subject, StringComparer.OrdinalIgnoreCase))
            .GroupBy(s => s.Day).ToDictionary(g => g.Key, g => new Money(g.Sum(s => s.Micros)));
        return await OfAsync(
            db, budget.TeamId, budget.Simulated, Accrued(budget, now), days, BudgetRules.PeriodEnd(budget.Period, now),
            job => BudgetRules.Concerns(budget, new Spender(job.Job.TeamId, job.Job.ProjectId, job.Job.CreatedBy, job.Job.Tags, job.Job.Id, budget.Simulated)), now, ct);
    }

    /// <summary>Of everything a team spends in this month.</summary>
    /// <returns>Null: too few days to tell.</returns>
    public static async Task<SpendForecast?> OfMonthAsync(AppDbContext db, TeamId team, bool simulated, DateTimeOffset now, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(db);
        var month = BudgetRules.PeriodStart(BudgetPeriod.Month, now).ToUnixTimeMilliseconds() / SpendStep.Length;
        var from = Math.Min(month, FirstStep(now));
        var days = await db.SpendSteps.AsNoTracking().Where(s => s.TeamId == team && s.Simulated == simulated && s.Step >= from)
            .GroupBy(s => s.Step / StepsOfDay).Select(g => new { g.Key, Micros = g.Sum(s => s.Micros) }).ToDictionaryAsync(g => g.Key, g => new Money(g.Micros), ct);
        var spent = days.Where(d => d.Key >= month / StepsOfDay).Aggregate(Money.Zero, (sum, day) => sum + day.Value);
        return await OfAsync(db, team, simulated, spent, days, BudgetRules.PeriodEnd(BudgetPeriod.Month, now), _ => true, now, ct);
    }

    /// <summary>What is spent of it in its present period.</summary>
    public static Money Accrued(Budget budget, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(budget);
        return budget.PeriodStart < BudgetRules.PeriodStart(budget.Period, now) ? Money.Zero : budget.Accrued; // the first charge of a period turns it
    }

    private static async Task<SpendForecast?> OfAsync(
        AppDbContext db, TeamId team, bool simulated, Money spent, Dictionary<long, Money> days, DateTimeOffset? ends, Func<CommittedJob, bool> concerns, DateTimeOffset now, CancellationToken ct)
    {
        if (days.Count == 0)
        {
            return null;
        }

        var (today, first) = (now.ToUnixTimeMilliseconds() / DayMs, Math.Max(days.Keys.Min(), FirstStep(now) / StepsOfDay));
        var full = Enumerable.Range(0, (int)Math.Max(0, today - first)).Select(d => new SpendDay(Date(first + d), days.GetValueOrDefault(first + d))).ToList();
        var committed = (await CommittedSpend.OfAsync(db, team, simulated, now, ct)).Where(concerns).Select(c => c.Spend).ToList();
        return SpendForecast.Of(spent, full, committed, Ahead(now, ends ?? now + Horizon));
    }

    private static List<DayAhead> Ahead(DateTimeOffset now, DateTimeOffset ends)
    {
        var ahead = new List<DayAhead>();
        for (var day = now.ToUnixTimeMilliseconds() / DayMs; Midnight(day) < ends; day++)
        {
            ahead.Add(new DayAhead(Date(day), ahead.Count == 0 ? now : Midnight(day), Midnight(day + 1)));
        }

        return ahead;
    }

    /// <summary>What counts against a budget, tags excepted: SQL does not look into them.</summary>
    private static IQueryable<SpendStep> OfScope(AppDbContext db, Budget budget, long from)
    {
        var steps = db.SpendSteps.AsNoTracking().Where(s => s.TeamId == budget.TeamId && s.Simulated == budget.Simulated && s.Step >= from);
        return budget.Scope switch
        {
            BudgetScope.Team or BudgetScope.Tag => steps,
            BudgetScope.Project => steps.Where(s => s.ProjectId == new ProjectId(Guid.Parse(budget.Subject))),
            BudgetScope.Person => steps.Where(s => s.PersonId == new UserId(Guid.Parse(budget.Subject))),
            BudgetScope.Job => steps.Where(s => s.JobId == new JobId(Guid.Parse(budget.Subject))),
        };
    }

    private static long FirstStep(DateTimeOffset now) => ((now.ToUnixTimeMilliseconds() / DayMs) - SpendPattern.MostDays) * StepsOfDay;

    private static DateTimeOffset Midnight(long day) => DateTimeOffset.FromUnixTimeMilliseconds(day * DayMs);

    private static DateOnly Date(long day) => DateOnly.FromDateTime(Midnight(day).UtcDateTime);
}
