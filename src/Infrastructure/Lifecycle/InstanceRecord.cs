using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Budgets;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Logs;
using Dashboard.Infrastructure.Notifications;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>An instance with all it belongs to, read together.</summary>
internal sealed record InstanceSnapshot(Instance Instance, Job Job, Attempt Attempt, Connection Connection);

/// <summary>
/// Reads an instance, and applies outcomes to it: everything a step found out goes into the database in one immediate
/// transaction, together with its effect on the job, its events and its messages, or not at all.
/// </summary>
internal sealed class InstanceRecords(AppDatabase database, LogStore logs, ChangeFeed changes, Fences fences, TimeProvider time)
{
    public async Task<InstanceSnapshot> ReadAsync(InstanceId id, CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        return await LoadAsync(db, id, tracked: false, ct);
    }

    /// <summary>Applies <paramref name="change"/> when the row still has <paramref name="fence"/>; null applies whoever holds it (observations).</summary>
    /// <returns>False: the lease was lost, nothing was applied.</returns>
    public async Task<bool> ApplyAsync(InstanceId id, long? fence, Action<InstanceChange> change, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await using var db = await database.ForSystemAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var row = await LoadAsync(db, id, tracked: true, ct);
        if (!fences.Hold(row.Instance.Fence, fence))
        {
            return false;
        }

        var applied = new InstanceChange(db, row, now);
        change(applied);
        JobProgress.Mirror(applied);
        BudgetBook.Follow(db, row.Instance, row.Job, now);
        if (row.Job.Cancel is not null && row.Instance.NextStepAt > now && row.Instance.EndReason is null)
        {
            row.Instance.NextStepAt = now; // somebody wants it stopped: no step waits its turn
        }

        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None); // all is written: giving up now would only lose it

        foreach (var line in applied.Lines)
        {
            await logs.AppendOursAsync(row.Job.Id, row.Attempt.Number, line, ct);
        }

        changes.Publish(row.Job.TeamId, row.Job.Id);
        return true;
    }

    private static async Task<InstanceSnapshot> LoadAsync(AppDbContext db, InstanceId id, bool tracked, CancellationToken ct)
    {
        var behaviour = tracked ? QueryTrackingBehavior.TrackAll : QueryTrackingBehavior.NoTracking;
        var instance = await db.Instances.AsTracking(behaviour).SingleAsync(i => i.Id == id, ct);
        var job = await db.Jobs.AsTracking(behaviour).SingleAsync(j => j.Id == instance.JobId, ct);
        var attempt = await db.Attempts.AsTracking(behaviour).SingleAsync(a => a.Id == instance.AttemptId, ct);
        var connection = await db.Connections.AsTracking(behaviour).SingleAsync(c => c.Id == instance.ConnectionId, ct);
        return new InstanceSnapshot(instance, job, attempt, connection);
    }
}

/// <summary>One transaction's view of an instance: change the rows, say what happened, and it is saved together.</summary>
internal sealed class InstanceChange(AppDbContext db, InstanceSnapshot row, DateTimeOffset now)
{
    private readonly List<string> _lines = [];

    public AppDbContext Db => db;

    public Instance Instance => row.Instance;

    public Job Job => row.Job;

    public Attempt Attempt => row.Attempt;

    public Connection Connection => row.Connection;

    public DateTimeOffset Now => now;

    /// <summary>Our own console lines, written after the commit.</summary>
    public IReadOnlyList<string> Lines => _lines;

    /// <summary>Adds an event to the timeline and the same sentence to the console.</summary>
    public void Say(string kind, string text)
    {
        db.JobEvents.Add(new JobEvent { TeamId = Job.TeamId, JobId = Job.Id, InstanceId = Instance.Id, AttemptNumber = Attempt.Number, At = now, Kind = kind, Text = text });
        _lines.Add(text);
    }

    /// <summary>Moves the instance on.</summary>
    public void MoveTo(InstanceStatus status) => Instance.MoveTo(status, now);

    /// <summary>When the next step is due.</summary>
    public void Again(TimeSpan after) => Instance.NextStepAt = now + after;

    /// <summary>The attempt is over: keep the machine until its files are home.</summary>
    public void Drain(StopReason reason, string what, TimeSpan atMost)
    {
        End(reason, what);
        Instance.DrainUntil = now + atMost;
        MoveTo(InstanceStatus.Draining);
    }

    /// <summary>The attempt is over, and nothing is fetched any more.</summary>
    public void Destroy(StopReason reason, string what)
    {
        End(reason, what);
        MoveTo(InstanceStatus.Destroying);
    }

    /// <summary>Opens an inbox item, or says the same item anew.</summary>
    public void Attention(string kind, string key, string title, string detail, string? action = null, HourlyRate atRisk = default, bool critical = false) =>
        InboxWriter.Open(db, Job.TeamId, kind, key, title, detail, $"/jobs/{Job.Number}", action ?? "Open job", now, atRisk, critical);

    private void End(StopReason reason, string what)
    {
        Instance.EndReason ??= reason;
        Instance.EndMessage ??= what;
        Say("ending", what);
    }
}

/// <summary>Opens inbox items; repeats merge into the open one.</summary>
internal static class InboxWriter
{
    public static void Open(AppDbContext db, TeamId team, string kind, string key, string title, string detail, string? link, string? action, DateTimeOffset now, HourlyRate atRisk = default, bool critical = false)
    {
        var open = db.Inbox.SingleOrDefault(i => i.TeamId == team && i.Key == key && i.ResolvedAt == null);
        if (open is null)
        {
            db.Inbox.Add(new InboxItem { TeamId = team, Kind = kind, Key = key, Title = title, Detail = detail, Link = link, Action = action, AtRisk = atRisk, Critical = critical, Since = now, At = now });
            Announce(db, team, kind, key, now, critical, now);
            return;
        }

        if (critical && !open.Critical)
        {
            open.SnoozedUntil = null; // it has become worse than what was put off
            Announce(db, team, kind, key, open.Since, critical, now);
        }

        (open.Title, open.Detail, open.Link, open.Action, open.At) = (title, detail, link, action, now);
        (open.AtRisk, open.Critical) = (atRisk, critical);
    }

    /// <summary>Kinds that have a message of their own, or that no channel could be told of, are left to it.</summary>
    private static void Announce(AppDbContext db, TeamId team, string kind, string key, DateTimeOffset since, bool critical, DateTimeOffset now)
    {
        if (kind is InboxKinds.JobStuck or InboxKinds.BalanceLow or InboxKinds.ContractEnds or InboxKinds.ForeignMachine or InboxKinds.HostKey or "unknown-machine" or "forgotten-rental")
        {
            Outbox.AnnounceItem(db, team, OutboxKinds.Trouble, key, since, critical ? "/critical" : "", now);
        }
    }

    /// <summary>The cause is gone.</summary>
    public static void Resolve(AppDbContext db, TeamId team, string key, DateTimeOffset now)
    {
        if (db.Inbox.SingleOrDefault(i => i.TeamId == team && i.Key == key && i.ResolvedAt == null) is { } open)
        {
            open.ResolvedAt = now;
        }
    }
}
