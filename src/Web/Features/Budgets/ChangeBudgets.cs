using Dashboard.Domain;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Features.Costs;
using Dashboard.Web.Features.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Budgets;

/// <param name="Subject">Id of the project or person, or the tag; empty for the team.</param>
public sealed record NewBudget(BudgetScope Scope, string Subject, BudgetPeriod Period, Money Limit, AtLimit AtLimit)
{
    /// <summary>Shares of the limit, in percent, at which people are told.</summary>
    public IReadOnlyList<int> TellAt { get; init; } = BudgetSteps.Usual;
}

/// <summary>The answer to a change of budgets.</summary>
public abstract record BudgetResult
{
    private BudgetResult() { }

    public sealed record Saved(BudgetId Id) : BudgetResult;

    public sealed record Invalid(IReadOnlyList<FieldProblem> Problems) : BudgetResult;

    public sealed record NotFound : BudgetResult;
}

/// <summary>Sets, changes and ends limits on spending. What was spent in the period so far counts at once, and what runs is held for within seconds.</summary>
public sealed class ChangeBudgets(AppDatabase database, LifecycleSignal signal, ChangeFeed changes, TimeProvider time)
{
    private const decimal MostUsd = 1_000_000;

    public async Task<BudgetResult> AddAsync(TeamContext team, NewBudget wanted, CancellationToken ct)
    {
        team.Require(Permission.ManageBudgets);
        var now = time.GetUtcNow();
        await using var db = await database.ForTeamAsync(team, ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct); // no charge may be posted between the sum and the row
        var subject = wanted.Scope == BudgetScope.Team ? "" : wanted.Subject.Trim();
        var simulated = await CostQueries.OnlySimulatedAsync(db, ct);
        if (await ProblemAsync(db, team, wanted with { Subject = subject }, simulated, ct) is { } problem)
        {
            return new BudgetResult.Invalid([problem]);
        }

        var budget = new Budget
        {
            Id = new BudgetId(Guid.CreateVersion7(now)),
            TeamId = team.TeamId,
            Scope = wanted.Scope,
            Subject = subject,
            Simulated = simulated,
            Period = wanted.Period,
            Limit = wanted.Limit,
            AtLimit = wanted.AtLimit,
            TellAt = wanted.TellAt,
            CreatedAt = now,
            CreatedBy = team.UserId,
            PeriodStart = BudgetRules.PeriodStart(wanted.Period, now),
        };
        var entries = BudgetQueries.OfScope(db, budget, budget.PeriodStart);
        budget.Accrued = wanted.Scope == BudgetScope.Tag
            ? new Money((await entries.Select(e => new { e.Tags, e.Amount.Micros }).ToListAsync(ct)).Where(e => e.Tags.Contains(subject, StringComparer.OrdinalIgnoreCase)).Sum(e => e.Micros))
            : new Money(await entries.SumAsync(e => e.Amount.Micros, ct));
        budget.ToldPercent = BudgetSteps.Reached(budget.TellAt, budget.Accrued, budget.Limit); // whoever sets it sees what is spent
        db.Budgets.Add(budget);
        await db.SaveChangesAsync(ct);
        await LookAgainAsync(db, team, now, ct);
        await transaction.CommitAsync(CancellationToken.None); // all is written: giving up now would only lose it
        Tell(team);
        return new BudgetResult.Saved(budget.Id);
    }

    public async Task<BudgetResult> ChangeAsync(TeamContext team, BudgetId id, Money limit, AtLimit atLimit, IReadOnlyList<int> tellAt, CancellationToken ct)
    {
        team.Require(Permission.ManageBudgets);
        if (LimitProblem(limit) is { } problem)
        {
            return new BudgetResult.Invalid([problem]);
        }

        var now = time.GetUtcNow();
        await using var db = await database.ForTeamAsync(team, ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.Budgets.AsNoTracking().SingleOrDefaultAsync(b => b.TeamId == team.TeamId && b.Id == id && b.EndedAt == null && b.Scope != BudgetScope.Job, ct) is not { } budget)
        {
            return new BudgetResult.NotFound();
        }

        var told = BudgetSteps.Reached(tellAt, budget.Accrued, limit); // what is reached by a person's own change is no news
        await db.Budgets.Where(b => b.Id == id).ExecuteUpdateAsync(
            set => set.SetProperty(b => b.Limit.Micros, limit.Micros).SetProperty(b => b.AtLimit, atLimit).SetProperty(b => b.TellAt, tellAt).SetProperty(b => b.ToldPercent, told), ct);

        await SettleInboxAsync(db, team, id, now, ct);
        await LookAgainAsync(db, team, now, ct);
        await transaction.CommitAsync(CancellationToken.None);
        Tell(team);
        return new BudgetResult.Saved(id);
    }

    public async Task<BudgetResult> EndAsync(TeamContext team, BudgetId id, CancellationToken ct)
    {
        team.Require(Permission.ManageBudgets);
        var now = time.GetUtcNow();
        await using var db = await database.ForTeamAsync(team, ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var ended = await db.Budgets.Where(b => b.TeamId == team.TeamId && b.Id == id && b.EndedAt == null && b.Scope != BudgetScope.Job)
            .ExecuteUpdateAsync(set => set.SetProperty(b => b.EndedAt, now).SetProperty(b => b.Held.Micros, 0L), ct);
        if (ended == 0)
        {
            return new BudgetResult.NotFound();
        }

        await db.BudgetHolds.Where(h => h.BudgetId == id).ExecuteDeleteAsync(ct);
        await SettleInboxAsync(db, team, id, now, ct);
        await LookAgainAsync(db, team, now, ct);
        await transaction.CommitAsync(CancellationToken.None);
        Tell(team);
        return new BudgetResult.Saved(id);
    }

    private static async Task<FieldProblem?> ProblemAsync(AppDbContext db, TeamContext team, NewBudget wanted, bool simulated, CancellationToken ct)
    {
        if (LimitProblem(wanted.Limit) is { } problem)
        {
            return problem;
        }

        var (known, what) = wanted.Scope switch
        {
            BudgetScope.Team => (true, ""),
            BudgetScope.Project => (Guid.TryParse(wanted.Subject, out var p) && await db.Projects.AnyAsync(x => x.TeamId == team.TeamId && x.Id == new ProjectId(p), ct), "Choose a project of this team."),
            BudgetScope.Person => (Guid.TryParse(wanted.Subject, out var u) && await db.Memberships.AnyAsync(x => x.TeamId == team.TeamId && x.UserId == new UserId(u), ct), "Choose a member of this team."),
            BudgetScope.Tag => (wanted.Subject.Length is > 0 and <= 40, "Name a tag of 1 to 40 characters."),
            BudgetScope.Job => (false, "A job's own limit is set with the job."),
        };
        if (!known)
        {
            return new FieldProblem("Subject", what);
        }

        return await db.Budgets.AnyAsync(b => b.TeamId == team.TeamId && b.Scope == wanted.Scope && b.Subject == wanted.Subject && b.Period == wanted.Period && b.Simulated == simulated && b.EndedAt == null, ct)
            ? new FieldProblem("Subject", "There is a budget of this kind already. Change that one.")
            : null;
    }

    private static FieldProblem? LimitProblem(Money limit) =>
        limit <= Money.Zero || limit.Usd > MostUsd ? new FieldProblem("Limit", "Enter dollars above $0.00, for example 300.") : null;

    /// <summary>Machines that run renew their holds at their next step, and paused jobs see whether they can go on.</summary>
    private static async Task LookAgainAsync(AppDbContext db, TeamContext team, DateTimeOffset now, CancellationToken ct)
    {
        await db.Instances.Where(i => i.TeamId == team.TeamId && i.NextStepAt != null).ExecuteUpdateAsync(set => set.SetProperty(i => i.RenewHoldAt, (DateTimeOffset?)null), ct);
        await db.Jobs.Where(j => j.TeamId == team.TeamId && j.Status == JobStatus.Paused && j.PausedAtRate != null).ExecuteUpdateAsync(set => set.SetProperty(j => j.NextStepAt, now), ct);
    }

    private static Task<int> SettleInboxAsync(AppDbContext db, TeamContext team, BudgetId id, DateTimeOffset now, CancellationToken ct)
    {
        var key = $"budget/{id}";
        return db.Inbox.Where(i => i.TeamId == team.TeamId && i.Key == key && i.ResolvedAt == null).ExecuteUpdateAsync(set => set.SetProperty(i => i.ResolvedAt, now), ct);
    }

    private void Tell(TeamContext team)
    {
        signal.Wake();
        changes.Publish(team.TeamId);
    }
}
