using Dashboard.Domain;
using Dashboard.Domain.Alerts;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Alerts;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Components;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Alerts;

/// <summary>What a person wants to be told of.</summary>
/// <param name="Threshold">In the metric's own unit.</param>
/// <param name="Budget">Which, where the metric is of a budget.</param>
public sealed record WantedRule(AlertMetric Metric, decimal Threshold, TimeSpan HoldFor, NoData NoData, BudgetId? Budget = null);

/// <param name="Value">The figure when it was last looked at; null: it was not known.</param>
/// <param name="Fired">Times in the last 30 days.</param>
public sealed record AlertRuleView(AlertRuleId Id, AlertMetric Metric, string Sentence, NoData NoData, RuleState State, DateTimeOffset Since, decimal? Value, DateTimeOffset? SeenAt, int Fired, DateTimeOffset? MutedUntil)
{
    public StatusFace Face => State switch
    {
        RuleState.Normal => new("off", Glyphs.Check, "Normal"),
        RuleState.Pending => new("wait", Glyphs.Pending, "Pending"),
        RuleState.Firing => new("warn", Glyphs.Bell, "Firing"),
        RuleState.Resolved => new("ok", Glyphs.CheckCircle, "Resolved"),
    };
}

public sealed record AlertRuleList(IReadOnlyList<AlertRuleView> Rules);

/// <param name="Moves">The newest first.</param>
public sealed record AlertHistory(AlertRuleView Rule, IReadOnlyList<AlertMove> Moves);

/// <summary>Alert rules of a team: seeing, making, muting and taking them away. Rules on money are for roles that see it.</summary>
public sealed class AlertDesk(AppDatabase database, ChangeFeed changes, TimeProvider time)
{
    public const int Most = 50;

    private const int MostMoves = 100;
    private static readonly TimeSpan Month = TimeSpan.FromDays(30);

    /// <summary>Metrics that the person may see.</summary>
    public static IEnumerable<AlertMetric> MetricsFor(TeamContext team)
    {
        ArgumentNullException.ThrowIfNull(team);
        return Enum.GetValues<AlertMetric>().Where(m => team.May(AlertRules.Needs(m)));
    }

    public async Task<AlertRuleList> ListAsync(TeamContext team, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var rules = (await db.AlertRules.AsNoTracking().ToListAsync(ct)).Where(r => team.May(AlertRules.Needs(r.Metric))).ToList();
        var fired = await FiredAsync(db, ct);
        var budgets = await WhoseAsync(db, team, ct);
        return new AlertRuleList([.. rules.OrderBy(r => r.State == RuleState.Normal).ThenBy(r => r.CreatedAt).Select(r => View(r, fired.GetValueOrDefault(r.Id), budgets))]);
    }

    /// <returns>Null: there is no such rule, or the role may not see its figure.</returns>
    public async Task<AlertHistory?> HistoryAsync(TeamContext team, AlertRuleId id, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        if (await db.AlertRules.AsNoTracking().SingleOrDefaultAsync(r => r.Id == id, ct) is not { } rule || !team.May(AlertRules.Needs(rule.Metric)))
        {
            return null;
        }

        var moves = await db.AlertMoves.AsNoTracking().Where(m => m.RuleId == id).OrderByDescending(m => m.Number).Take(MostMoves).ToListAsync(ct);
        return new AlertHistory(View(rule, (await FiredAsync(db, ct)).GetValueOrDefault(id), await WhoseAsync(db, team, ct)), moves);
    }

    /// <summary>Budgets that a rule can be about.</summary>
    public async Task<IReadOnlyList<(BudgetId Id, string Whose)>> BudgetsAsync(TeamContext team, CancellationToken ct)
    {
        team.Require(AlertRules.Needs(AlertMetric.BudgetForecast));
        await using var db = await database.ForTeamAsync(team, ct);
        return await AlertFigures.BudgetsAsync(db, team.TeamId, ct);
    }

    /// <summary>The figure now; null: not known.</summary>
    public async Task<decimal?> NowAsync(TeamContext team, AlertMetric metric, CancellationToken ct, BudgetId? budget = null)
    {
        team.Require(AlertRules.Needs(metric));
        await using var db = await database.ForTeamAsync(team, ct);
        return await AlertFigures.ReadAsync(db, team.TeamId, metric, budget, time.GetUtcNow(), ct);
    }

    /// <returns>Null when it was made; else a sentence that says what is wrong.</returns>
    public async Task<string?> CreateAsync(TeamContext team, WantedRule wanted, CancellationToken ct)
    {
        team.Require(Permission.StartJobs);
        team.Require(AlertRules.Needs(wanted.Metric));
        if (wanted.Threshold is <= 0 or > 1_000_000 || wanted.HoldFor < TimeSpan.Zero || wanted.HoldFor > TimeSpan.FromDays(1))
        {
            return "Enter a number above zero, for example 5.";
        }

        var now = time.GetUtcNow();
        await using var db = await database.ForTeamAsync(team, ct);
        var budget = wanted.Metric == AlertMetric.BudgetForecast ? wanted.Budget : null;
        if (wanted.Metric == AlertMetric.BudgetForecast && (await AlertFigures.BudgetsAsync(db, team.TeamId, ct)).All(b => b.Id != budget))
        {
            return "Choose a budget of this team that is in force and has an end.";
        }

        if (await db.AlertRules.CountAsync(ct) >= Most)
        {
            return $"{Most} rules are the most. Delete one first.";
        }

        db.AlertRules.Add(new AlertRule
        {
            Id = new AlertRuleId(Guid.CreateVersion7(now)), TeamId = team.TeamId, Metric = wanted.Metric, BudgetId = budget, Threshold = wanted.Threshold, HoldFor = wanted.HoldFor, NoData = wanted.NoData,
            CreatedBy = team.UserId, CreatedAt = now, Since = now,
        });
        await db.SaveChangesAsync(ct);
        changes.Publish(team.TeamId);
        return null;
    }

    /// <param name="length">Zero: it speaks again, also of what it was silent about.</param>
    public async Task MuteAsync(TeamContext team, AlertRuleId id, TimeSpan length, CancellationToken ct)
    {
        team.Require(Permission.StartJobs);
        var until = time.GetUtcNow() + length;
        await using var db = await database.ForTeamAsync(team, ct);
        await db.AlertRules.Where(r => r.TeamId == team.TeamId && r.Id == id).ExecuteUpdateAsync(set => set.SetProperty(r => r.MutedUntil, (DateTimeOffset?)until), ct);
        changes.Publish(team.TeamId);
    }

    public async Task DeleteAsync(TeamContext team, AlertRuleId id, CancellationToken ct)
    {
        team.Require(Permission.StartJobs);
        var (key, now) = ($"alert/{id}", time.GetUtcNow());
        await using var db = await database.ForTeamAsync(team, ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.AlertRules.Where(r => r.TeamId == team.TeamId && r.Id == id).ExecuteDeleteAsync(ct) > 0)
        {
            await db.AlertMoves.Where(m => m.TeamId == team.TeamId && m.RuleId == id).ExecuteDeleteAsync(ct);
            await db.Inbox.Where(i => i.TeamId == team.TeamId && i.Kind == InboxKinds.Alert && i.Key == key && i.ResolvedAt == null).ExecuteUpdateAsync(set => set.SetProperty(i => i.ResolvedAt, now), ct);
        }

        await transaction.CommitAsync(CancellationToken.None);
        changes.Publish(team.TeamId);
    }

    private async Task<Dictionary<AlertRuleId, int>> FiredAsync(AppDbContext db, CancellationToken ct)
    {
        var since = time.GetUtcNow() - Month;
        return await db.AlertMoves.Where(m => m.To == RuleState.Firing && m.At > since).GroupBy(m => m.RuleId).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, ct);
    }

    private static async Task<Dictionary<BudgetId, string>> WhoseAsync(AppDbContext db, TeamContext team, CancellationToken ct) =>
        (await AlertFigures.BudgetsAsync(db, team.TeamId, ct)).ToDictionary(b => b.Id, b => b.Whose);

    private AlertRuleView View(AlertRule r, int fired, Dictionary<BudgetId, string> budgets) => new(
        r.Id, r.Metric, AlertRules.Sentence(r.Metric, r.Threshold, r.HoldFor, r.BudgetId is { } budget ? budgets.GetValueOrDefault(budget) : null), r.NoData, r.State, r.Since, r.Value, r.SeenAt, fired, r.MutedUntil > time.GetUtcNow() ? r.MutedUntil : null);
}
