using Dashboard.Domain.Alerts;
using Dashboard.Domain.Inbox;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Notifications;
using Dashboard.Infrastructure.Persistence;
using Hangfire;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Alerts;

/// <summary>
/// Every minute: moves alert rules on by their figures of now. Where a rule stands, its history, the inbox and the message to people
/// change in one transaction that only the first of several servers can make: nothing is said twice or lost.
/// </summary>
[AutomaticRetry(Attempts = 0)]
public sealed class EvaluateAlerts(AppDatabase database, ChangeFeed changes, TimeProvider time)
{
    public async Task RunAsync(CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        foreach (var rule in await db.AlertRules.AsNoTracking().ToListAsync(ct))
        {
            var now = time.GetUtcNow();
            var value = await AlertFigures.ReadAsync(db, rule.TeamId, rule.Metric, rule.BudgetId, now, ct);
            var next = AlertRules.Next(new RuleStanding(rule.State, rule.Since), rule.Metric, rule.Threshold, rule.HoldFor, rule.NoData, value, now);
            if (next.State != rule.State)
            {
                await MoveAsync(db, rule, next, value, now, ct);
            }
            else
            {
                await db.AlertRules.Where(r => r.Id == rule.Id).ExecuteUpdateAsync(set => set.SetProperty(r => r.Value, value).SetProperty(r => r.SeenAt, now), ct);
                if (rule.State == RuleState.Firing && rule.MutedUntil <= now)
                {
                    await SpeakAgainAsync(db, rule, value, now, ct);
                }
            }
        }
    }

    private async Task MoveAsync(AppDbContext db, AlertRule rule, RuleStanding next, decimal? value, DateTimeOffset now, CancellationToken ct)
    {
        var number = rule.Moves + 1;
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var mine = await db.AlertRules.Where(r => r.Id == rule.Id && r.Moves == rule.Moves).ExecuteUpdateAsync(
            set => set.SetProperty(r => r.State, next.State).SetProperty(r => r.Since, next.Since).SetProperty(r => r.Moves, number).SetProperty(r => r.Value, value).SetProperty(r => r.SeenAt, now), ct);
        if (mine == 0)
        {
            return; // another server moved it
        }

        db.AlertMoves.Add(new AlertMove { RuleId = rule.Id, Number = number, TeamId = rule.TeamId, At = now, From = rule.State, To = next.State, Value = value });
        var muted = rule.MutedUntil > now;
        if (next.State == RuleState.Firing && !muted)
        {
            await OpenAsync(db, rule, value, now, ct);
        }
        else if (next.State == RuleState.Resolved)
        {
            InboxWriter.Resolve(db, rule.TeamId, Key(rule), now);
        }

        if (next.State is RuleState.Firing or RuleState.Resolved && !muted)
        {
            Announce(db, rule, number, now);
        }

        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None); // all is written: giving up now would only lose it
        changes.Publish(rule.TeamId);
    }

    /// <summary>What began to fire while it was muted, and still does when that is over, is told then. What was told before is not told again.</summary>
    private async Task SpeakAgainAsync(AppDbContext db, AlertRule rule, decimal? value, DateTimeOffset now, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var mine = await db.AlertRules.Where(r => r.Id == rule.Id && r.Moves == rule.Moves && r.MutedUntil == rule.MutedUntil).ExecuteUpdateAsync(set => set.SetProperty(r => r.MutedUntil, (DateTimeOffset?)null), ct);
        if (mine == 0)
        {
            return; // another server, or a person, was faster
        }

        await OpenAsync(db, rule, value, now, ct);
        Announce(db, rule, rule.Moves, now);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None);
        changes.Publish(rule.TeamId);
    }

    private static string Key(AlertRule rule) => $"alert/{rule.Id}";

    private static async Task OpenAsync(AppDbContext db, AlertRule rule, decimal? value, DateTimeOffset now, CancellationToken ct)
    {
        var budget = await AlertFigures.WhoseAsync(db, rule, ct);
        InboxWriter.Open(
            db, rule.TeamId, InboxKinds.Alert, Key(rule), $"{AlertRules.Name(rule.Metric, budget)}: {AlertRules.Words(rule.Metric, value)}",
            $"The rule is “{AlertRules.Sentence(rule.Metric, rule.Threshold, rule.HoldFor, budget)}”.{(value is null ? " Its figure is not known." : "")}", $"/alerts/{rule.Id}", "See alert", now, needs: AlertRules.Needs(rule.Metric));
    }

    private static void Announce(AppDbContext db, AlertRule rule, int move, DateTimeOffset now) =>
        Outbox.Announce(db, rule.TeamId, OutboxKinds.AlertMoved, $"{rule.Id}/{move}", $"{{\"rule\":\"{rule.Id}\",\"move\":{move}}}", now);
}
