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
        var (key, muted) = ($"alert/{rule.Id}", rule.MutedUntil > now);
        if (next.State == RuleState.Firing && !muted)
        {
            var budget = await AlertFigures.WhoseAsync(db, rule, ct);
            InboxWriter.Open(
                db, rule.TeamId, InboxKinds.Alert, key, $"{AlertRules.Name(rule.Metric, budget)}: {AlertRules.Words(rule.Metric, value)}",
                $"The rule is “{AlertRules.Sentence(rule.Metric, rule.Threshold, rule.HoldFor, budget)}”.{(value is null ? " Its figure is not known." : "")}", $"/alerts/{rule.Id}", "See alert", now, needs: AlertRules.Needs(rule.Metric));
        }
        else if (next.State == RuleState.Resolved)
        {
            InboxWriter.Resolve(db, rule.TeamId, key, now);
        }

        if (next.State is RuleState.Firing or RuleState.Resolved && !muted)
        {
            Outbox.Announce(db, rule.TeamId, OutboxKinds.AlertMoved, $"{rule.Id}/{number}", $"{{\"rule\":\"{rule.Id}\",\"move\":{number}}}", now);
        }

        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None); // all is written: giving up now would only lose it
        changes.Publish(rule.TeamId);
    }
}
