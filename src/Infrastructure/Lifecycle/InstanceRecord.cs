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
        if (row.Instance.NextStepAt > now && Stops(row))
        {
            row.Instance.NextStepAt = now; // somebody wants it stopped: the step that does it does not wait its turn
        }

        if (InstanceRules.IsFinal(row.Instance.Status))
        {
            row.Instance.NextStepAt = null; // whatever a step that came too late would still do: it is over
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

    /// <summary>Whether the next step ends what a person wants stopped. One that only asks again what it asked before keeps its distance.</summary>
    private static bool Stops(InstanceSnapshot row) => row.Job.Cancel is { } mode && row.Instance.EndReason is null && row.Instance.Status switch
    {
        InstanceStatus.Intent or InstanceStatus.Booting or InstanceStatus.Ready or InstanceStatus.Interrupted or InstanceStatus.Parked => true,
        InstanceStatus.Running => mode == CancelMode.DestroyNow || row.Instance is { StopAskedAt: null, SshFailures: 0 },
        InstanceStatus.Sent or InstanceStatus.Unknown or InstanceStatus.Rejected or InstanceStatus.Draining or InstanceStatus.Destroying or InstanceStatus.Gone => false,
    };

    private static async Task<InstanceSnapshot> LoadAsync(AppDbContext db, InstanceId id, bool tracked, CancellationToken ct)
    {
        var behaviour = tracked ? QueryTrackingBehavior.TrackAll : QueryTrackingBehavior.NoTracking;
        var row = await (from i in db.Instances
                         join j in db.Jobs on i.JobId equals j.Id
                         join a in db.Attempts on i.AttemptId equals a.Id
                         join c in db.Connections on i.ConnectionId equals c.Id
                         where i.Id == id
                         select new { Instance = i, Job = j, Attempt = a, Connection = c }).AsTracking(behaviour).SingleAsync(ct); // one statement: every step reads it, most of them twice
        return new InstanceSnapshot(row.Instance, row.Job, row.Attempt, row.Connection);
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

    /// <summary>Adds an event to the timeline and the same sentence, less its amounts, to the console.</summary>
    public void Say(string kind, Said text)
    {
        db.JobEvents.Add(new JobEvent { TeamId = Job.TeamId, JobId = Job.Id, InstanceId = Instance.Id, AttemptNumber = Attempt.Number, At = now, Kind = kind, Text = text });
        _lines.Add(text.Plain); // a console is one text for all its readers
    }

    /// <summary>Moves the instance on.</summary>
    public void MoveTo(InstanceStatus status) => Instance.MoveTo(status, now);

    /// <summary>When the next step is due.</summary>
    public void Again(TimeSpan after) => Instance.NextStepAt = now + after;

    /// <summary>The attempt is over: keep the machine until its files are home.</summary>
    public void Drain(StopReason reason, Said what, TimeSpan atMost)
    {
        End(reason, what);
        Instance.DrainUntil = now + atMost;
        MoveTo(InstanceStatus.Draining);
    }

    /// <summary>The attempt is over, and nothing is fetched any more.</summary>
    public void Destroy(StopReason reason, Said what)
    {
        End(reason, what);
        MoveTo(InstanceStatus.Destroying);
    }

    /// <summary>Opens an inbox item, or says the same item anew.</summary>
    public void Attention(string kind, string key, string title, Said detail, string? action = null, HourlyRate atRisk = default, bool critical = false) =>
        InboxWriter.Open(db, Job.TeamId, kind, key, title, detail, $"/jobs/{Job.Number}", action ?? "Open job", now, atRisk, critical);

    private void End(StopReason reason, Said what)
    {
        Instance.EndReason ??= reason;
        Instance.EndMessage ??= what;
        Say("ending", what);
    }
}

/// <summary>Opens inbox items; repeats merge into the open one.</summary>
internal static class InboxWriter
{
    public static void Open(AppDbContext db, TeamId team, string kind, string key, string title, Said detail, string? link, string? action, DateTimeOffset now, HourlyRate atRisk = default, bool critical = false, Permission? needs = null, UserId? alsoFor = null)
    {
        var open = db.Inbox.SingleOrDefault(i => i.TeamId == team && i.Key == key && i.ResolvedAt == null);
        if (open is null)
        {
            db.Inbox.Add(new InboxItem { TeamId = team, Kind = kind, Key = key, Title = title, Detail = detail, Link = link, Action = action, AtRisk = atRisk, Critical = critical, Needs = needs ?? InboxKinds.Needs(kind), AlsoFor = alsoFor, Since = now, At = now });
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
        if (kind is InboxKinds.JobStuck or InboxKinds.BalanceLow or InboxKinds.ContractEnds or InboxKinds.ForeignMachine or InboxKinds.HostKey or InboxKinds.SpendUnusual or InboxKinds.ForgottenRental or "unknown-machine"
            || InboxKinds.OfMachines.Contains(kind))
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
