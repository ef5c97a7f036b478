using System.Text.Json;
using Dashboard.Domain;
using Dashboard.Domain.Alerts;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Notifications;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Alerts;
using Dashboard.Infrastructure.Budgets;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Notifications;

/// <summary>A message in words, the same on every channel.</summary>
/// <param name="Tone">Colour token: <c>ok, warn, bad, off</c>.</param>
/// <param name="Link">Address below the team's.</param>
internal sealed record Announcement(Topics Topic, string Tone, string Title, Said Detail, string? Link)
{
    /// <summary>Money or work is being lost now: quiet hours do not put it off.</summary>
    public bool Urgent { get; init; }

    /// <summary>Who started the job it is about; null: it is about no job.</summary>
    public UserId? About { get; init; }

    /// <summary>What a person must be allowed, to be told on a channel of their own.</summary>
    public Permission Needs { get; init; } = Permission.See;

    /// <summary>Its cause stands in the inbox already, so it is no news there.</summary>
    public bool InInbox { get; init; }
}

/// <summary>Turns a message of the outbox into words.</summary>
internal static class Announcements
{
    /// <summary>The words, read from the rows as they are now; null: nobody needs to hear of it any more.</summary>
    /// <exception cref="InvalidOperationException">Its rows are not there, or its kind is not known.</exception>
    public static async Task<Announcement?> WriteAsync(AppDbContext db, OutboxMessage message, CancellationToken ct)
    {
        using var payload = JsonDocument.Parse(message.Payload);
        Guid Id(string name) => payload.RootElement.GetProperty(name).GetGuid();
        return message.Kind switch
        {
            OutboxKinds.JobSubmitted => null, // whoever started it looks at it
            OutboxKinds.ApprovalAsked => await AskedAsync(db, new JobId(Id("job")), ct),
            OutboxKinds.ApprovalDecided => await DecidedAsync(db, new JobId(Id("job")), ct),
            OutboxKinds.JobEnded => await EndedAsync(db, new JobId(Id("job")), ct),
            OutboxKinds.BudgetReached => await ReachedAsync(db, new BudgetId(Id("budget")), ct),
            OutboxKinds.BudgetStep => await StepAsync(db, new BudgetId(Id("budget")), payload.RootElement.GetProperty("percent").GetInt32(), ct),
            OutboxKinds.KeyRefused => await RefusedAsync(db, new ConnectionId(Id("connection")), ct),
            OutboxKinds.DestroyUnconfirmed => await UnconfirmedAsync(db, new InstanceId(Id("instance")), ct),
            OutboxKinds.OrderFired => await OrderFiredAsync(db, new InstanceId(Id("instance")), ct),
            OutboxKinds.OrderOver => await OrderOverAsync(db, new JobId(Id("job")), ct),
            OutboxKinds.Trouble or OutboxKinds.PriceReached or OutboxKinds.PriceOver => await InboxAsync(db, message, payload.RootElement.GetProperty("item").GetString()!, payload.RootElement.GetProperty("since").GetInt64(), ct),
            OutboxKinds.AlertMoved => await AlertAsync(db, new AlertRuleId(Id("rule")), payload.RootElement.GetProperty("move").GetInt32(), ct),
            _ => throw new InvalidOperationException($"Nobody here knows what \"{message.Kind}\" announces."),
        };
    }

    private static async Task<Announcement> EndedAsync(AppDbContext db, JobId id, CancellationToken ct)
    {
        var job = await db.Jobs.AsNoTracking().SingleAsync(j => j.Id == id, ct);
        var (tone, word) = job.Status switch
        {
            JobStatus.Succeeded => ("ok", "succeeded"),
            JobStatus.Failed => ("bad", "failed"),
            JobStatus.Cancelled when job.StopReason == StopReason.PriceNotReached => ("warn", "ended without its price"),
            JobStatus.Cancelled => ("off", "was stopped"),
            JobStatus.Paused => ("warn", "is paused"),
            _ => ("off", "was paused and goes on"), // it went on before the news was out
        };
        return new Announcement(Topics.Endings, tone, $"{job.Name} #{job.Number} {word}", job.Message ?? "", $"/jobs/{job.Number}") { About = job.CreatedBy };
    }

    private static async Task<Announcement?> AskedAsync(AppDbContext db, JobId id, CancellationToken ct)
    {
        var job = await db.Jobs.AsNoTracking().SingleAsync(j => j.Id == id, ct);
        return job is { Status: JobStatus.AwaitingApproval, Ask: { } ask }
            ? new Announcement(Topics.Approvals, "warn", Approvals.Title(db, job, ask), Approvals.Detail(ask), $"/jobs/{job.Number}") { Needs = Permission.ApproveJobs, InInbox = true }
            : null; // somebody was quicker than the news
    }

    private static async Task<Announcement> DecidedAsync(AppDbContext db, JobId id, CancellationToken ct)
    {
        var job = await db.Jobs.AsNoTracking().SingleAsync(j => j.Id == id, ct);
        var decision = await db.Decisions.AsNoTracking().Where(d => d.JobId == id).OrderBy(d => d.Id).FirstAsync(ct); // later ones are of a job that goes on
        var (tone, word) = decision.Outcome switch
        {
            DecisionOutcome.Approved => ("ok", "is approved"),
            DecisionOutcome.Declined => ("off", "was declined"),
        };
        return new Announcement(Topics.Approvals, tone, $"{job.Name} #{job.Number} {word}", Approvals.Words(db, decision, job.Ask), $"/jobs/{job.Number}") { About = job.CreatedBy, Needs = Permission.SeeMoney };
    }

    private static async Task<Announcement> ReachedAsync(AppDbContext db, BudgetId id, CancellationToken ct)
    {
        var budget = await db.Budgets.AsNoTracking().SingleAsync(b => b.Id == id, ct);
        return new Announcement(Topics.Budgets, "warn", BudgetNotices.HasReached(db, budget).TrimEnd('.'), BudgetNotices.WhatHappens(budget), "/budgets") { Needs = Permission.SeeMoney };
    }

    private static async Task<Announcement> StepAsync(AppDbContext db, BudgetId id, int percent, CancellationToken ct)
    {
        var budget = await db.Budgets.AsNoTracking().SingleAsync(b => b.Id == id, ct);
        return new Announcement(Topics.Budgets, percent >= 75 ? "warn" : "off", BudgetNotices.HasSpent(db, budget, percent), BudgetNotices.WhatIsLeft(budget), BudgetNotices.JobOf(db, budget) is { } job ? $"/jobs/{job.Number}" : "/budgets") { Needs = Permission.SeeMoney };
    }

    private static async Task<Announcement> RefusedAsync(AppDbContext db, ConnectionId id, CancellationToken ct)
    {
        var connection = await db.Connections.AsNoTracking().SingleAsync(c => c.Id == id, ct);
        return new Announcement(Topics.Trouble, "bad", $"{connection.Market.Name} refused the key of {connection.Name}", "Nothing is rented or stopped with it until a key works.", "/connections") { Urgent = true };
    }

    private static async Task<Announcement> UnconfirmedAsync(AppDbContext db, InstanceId id, CancellationToken ct)
    {
        var i = await db.Instances.AsNoTracking().SingleAsync(x => x.Id == id, ct);
        var job = await db.Jobs.AsNoTracking().SingleAsync(j => j.Id == i.JobId, ct);
        var gone = i.Status == InstanceStatus.Gone;
        var said = gone
            ? new Announcement(Topics.Trouble, "ok", $"Machine {i.ContractId} is gone after {i.DestroyAsks} asks", "Its end is confirmed.", $"/jobs/{job.Number}")
            : new Announcement(Topics.Trouble, "warn", $"Machine {i.ContractId} is not confirmed gone", $"Asked {i.DestroyAsks} times; it may be billing" + Said.Money($" {(i.GpuRate + i.DiskRate).Words()}") + ".", $"/jobs/{job.Number}");
        return said with { About = job.CreatedBy, Urgent = !gone };
    }

    private static async Task<Announcement> OrderFiredAsync(AppDbContext db, InstanceId id, CancellationToken ct)
    {
        var i = await db.Instances.AsNoTracking().SingleAsync(x => x.Id == id, ct);
        var job = await db.Jobs.AsNoTracking().SingleAsync(j => j.Id == i.JobId, ct);
        var limit = job.Order is { } order ? Said.Money($"The job waited for {order.Limit.Words()} or less. ") : "";
        return new Announcement(Topics.Prices, "ok", $"{job.Name} #{job.Number} has found its price", limit + $"{i.GpuName} in {i.Location ?? "an unnamed place"}" + Said.Money($" at {(i.QuotedGpuRate + i.QuotedDiskRate).Words()}") + ".", $"/jobs/{job.Number}") { About = job.CreatedBy };
    }

    private static async Task<Announcement> OrderOverAsync(AppDbContext db, JobId id, CancellationToken ct)
    {
        var job = await db.Jobs.AsNoTracking().SingleAsync(j => j.Id == id, ct);
        var (word, what) = job.Order is { LiftedAt: not null } ? ("takes the best price", "is rented at the best price there is") : ("waits on for its price", "goes on waiting");
        return new Announcement(Topics.Prices, "warn", $"{job.Name} #{job.Number} {word}", "No machine cost " + Said.Money(job.Order is { } order ? $"{order.Limit.Words()} or less" : "little enough", "little enough") + $" in its time; the job {what}.", $"/jobs/{job.Number}") { About = job.CreatedBy };
    }

    private static async Task<Announcement?> AlertAsync(AppDbContext db, AlertRuleId id, int number, CancellationToken ct)
    {
        var move = await db.AlertMoves.AsNoTracking().SingleOrDefaultAsync(m => m.RuleId == id && m.Number == number, ct);
        var rule = await db.AlertRules.AsNoTracking().SingleOrDefaultAsync(r => r.Id == id, ct);
        if (move is null || rule is null)
        {
            return null; // the rule was deleted
        }

        var budget = await AlertFigures.WhoseAsync(db, rule, ct);
        var (fires, figure) = (move.To == RuleState.Firing, AlertRules.Words(rule.Metric, move.Value));
        return new Announcement(
            Topics.Alerts, fires ? "warn" : "ok", $"{AlertRules.Name(rule.Metric, budget)}: {(fires ? figure : $"over, {figure}")}", $"The rule is “{AlertRules.Sentence(rule.Metric, rule.Threshold, rule.HoldFor, budget)}”.", $"/alerts/{id}")
        {
            Needs = AlertRules.Needs(rule.Metric),
        };
    }

    private static async Task<Announcement?> InboxAsync(AppDbContext db, OutboxMessage message, string key, long since, CancellationToken ct)
    {
        var at = DateTimeOffset.FromUnixTimeMilliseconds(since);
        var item = await db.Inbox.AsNoTracking().Where(i => i.TeamId == message.TeamId && i.Key == key && i.Since == at).OrderByDescending(i => i.Id).FirstOrDefaultAsync(ct);
        var over = message.Kind == OutboxKinds.PriceOver;
        if (item is null || (item.ResolvedAt is not null && !over))
        {
            return null; // its cause went away before it was said
        }

        return new Announcement(
            message.Kind == OutboxKinds.Trouble ? Topics.Trouble : Topics.Prices, over ? "off" : item.Critical ? "bad" : "warn", over ? $"Over: {item.Title}" : item.Title, item.Detail, item.Link is { } link ? $"/{link.TrimStart('/')}" : null)
        {
            InInbox = true,
            Urgent = item.Critical,
            About = await StarterAsync(db, item, ct),
            Needs = item.Needs,
        };
    }

    private static async Task<UserId?> StarterAsync(AppDbContext db, InboxItem item, CancellationToken ct)
    {
        if (item.Kind is not (InboxKinds.JobStuck or InboxKinds.ContractEnds or InboxKinds.HostKey) && !InboxKinds.OfMachines.Contains(item.Kind))
        {
            return null;
        }

        var id = Guid.Parse(item.Key[(item.Key.LastIndexOf('/') + 1)..]);
        var job = item.Kind == InboxKinds.JobStuck ? new JobId(id) : await db.Instances.Where(i => i.Id == new InstanceId(id)).Select(i => i.JobId).SingleAsync(ct);
        return await db.Jobs.Where(j => j.Id == job).Select(j => j.CreatedBy).SingleAsync(ct);
    }
}
