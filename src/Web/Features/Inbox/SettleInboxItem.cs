using Dashboard.Domain;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Inbox;

/// <summary>What a person does with an inbox item. One whose cause lasts comes back by itself.</summary>
public sealed class SettleInboxItem(AppDatabase database, LifecycleSignal signal, ChangeFeed feed, TimeProvider time)
{
    public const int LongestReason = 200;

    /// <summary>What a person must be allowed, to put such a thing off or call it done. What is asked of those who decide is theirs.</summary>
    public static Permission Needs(string kind) => kind == InboxKinds.Approval ? Permission.ApproveJobs : Permission.StopJobs;

    /// <summary>Somebody has seen to it. A job that waits for a yes is decided on its page, not called done.</summary>
    /// <param name="reason">In their own words; may be empty.</param>
    /// <returns>False when it was not there or not open: somebody else was quicker.</returns>
    public async Task<bool> ResolveAsync(TeamContext team, long id, string? reason, CancellationToken ct)
    {
        team.Require(Permission.StopJobs);
        var (now, why) = (time.GetUtcNow(), reason?.Trim() is { Length: > 0 } said ? said[..Math.Min(said.Length, LongestReason)] : null);
        await using var db = await database.ForTeamAsync(team, ct);
        var resolved = await db.Inbox.Where(i => i.TeamId == team.TeamId && i.Id == id && i.ResolvedAt == null && i.Kind != InboxKinds.Approval)
            .ExecuteUpdateAsync(set => set.SetProperty(i => i.ResolvedAt, now).SetProperty(i => i.ResolvedBy, team.UserId).SetProperty(i => i.Resolution, why), ct);
        feed.Publish(team.TeamId);
        return resolved == 1;
    }

    /// <summary>Out of sight for a while; worse news of the same brings it back.</summary>
    public async Task<bool> SnoozeAsync(TeamContext team, long id, TimeSpan length, CancellationToken ct)
    {
        team.Require(Permission.StopJobs);
        var until = time.GetUtcNow() + length;
        await using var db = await database.ForTeamAsync(team, ct);
        var snoozed = await Open(db, team, id).ExecuteUpdateAsync(set => set.SetProperty(i => i.SnoozedUntil, until), ct);
        feed.Publish(team.TeamId);
        return snoozed == 1;
    }

    /// <summary>Back among the open ones.</summary>
    public async Task<bool> WakeAsync(TeamContext team, long id, CancellationToken ct)
    {
        team.Require(Permission.StopJobs);
        await using var db = await database.ForTeamAsync(team, ct);
        var woken = await Open(db, team, id).ExecuteUpdateAsync(set => set.SetProperty(i => i.SnoozedUntil, (DateTimeOffset?)null), ct);
        feed.Publish(team.TeamId);
        return woken == 1;
    }

    private static IQueryable<InboxItem> Open(AppDbContext db, TeamContext team, long id)
    {
        var decides = team.May(Permission.ApproveJobs);
        return db.Inbox.Where(i => i.TeamId == team.TeamId && i.Id == id && i.ResolvedAt == null && (decides || i.Kind != InboxKinds.Approval));
    }

    /// <summary>Asks for what the item waits for once more, now: a machine's destruction, a job's next step.</summary>
    public async Task<bool> TryAgainAsync(TeamContext team, long id, CancellationToken ct)
    {
        team.Require(Permission.StopJobs);
        var now = time.GetUtcNow();
        await using var db = await database.ForTeamAsync(team, ct);
        if (await db.Inbox.AsNoTracking().SingleOrDefaultAsync(i => i.TeamId == team.TeamId && i.Id == id && i.ResolvedAt == null, ct) is not { } item)
        {
            return false;
        }

        var about = InboxQueries.IdIn(item.Key);
        var asked = item.Kind switch
        {
            InboxKinds.DestroyUnconfirmed => await db.Instances.Where(i => i.TeamId == team.TeamId && i.Id == new InstanceId(about) && i.NextStepAt != null)
                .ExecuteUpdateAsync(set => set.SetProperty(i => i.NextStepAt, now).SetProperty(i => i.AbsentSince, (DateTimeOffset?)null), ct),
            InboxKinds.JobStuck => await db.Instances.Where(i => i.TeamId == team.TeamId && i.JobId == new JobId(about) && i.NextStepAt != null).ExecuteUpdateAsync(set => set.SetProperty(i => i.NextStepAt, now), ct)
                + await db.Jobs.Where(j => j.TeamId == team.TeamId && j.Id == new JobId(about) && j.NextStepAt != null).ExecuteUpdateAsync(set => set.SetProperty(j => j.NextStepAt, now), ct),
            _ => 0,
        };
        signal.Wake();
        feed.Publish(team.TeamId);
        return asked > 0;
    }
}
