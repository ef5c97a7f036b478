using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Budgets;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Jobs;

/// <summary>Whoever asked for a yes asks once more, at most once an hour. It changes nothing about the job.</summary>
public sealed class RemindApprovers(AppDatabase database, ChangeFeed changes, TimeProvider time)
{
    /// <summary>Between two reminders.</summary>
    public static readonly TimeSpan Apart = TimeSpan.FromHours(1);

    /// <returns>Null when they were told, else why not, as a sentence.</returns>
    public async Task<string?> RunAsync(TeamContext team, int number, CancellationToken ct)
    {
        team.Require(Permission.StartJobs);
        var now = time.GetUtcNow();
        await using var db = await database.ForTeamAsync(team, ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct); // immediate: of two clicks the second one reads the first
        if (await db.Jobs.SingleOrDefaultAsync(j => j.TeamId == team.TeamId && j.Number == number, ct) is not { Status: JobStatus.AwaitingApproval, Cancel: null } job)
        {
            return "It waits for no approval any more.";
        }

        if (job.CreatedBy != team.UserId)
        {
            return "Only whoever asked can remind.";
        }

        if (await LastAsync(db, job, ct) is { } last && now - last < Apart)
        {
            return "They were reminded within the last hour.";
        }

        Approvals.Reminded(db, job, now);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None); // all is written: giving up now would only lose it
        changes.Publish(team.TeamId, job.Id);
        return null;
    }

    /// <summary>When they were reminded last; null: never.</summary>
    internal static Task<DateTimeOffset?> LastAsync(AppDbContext db, Job job, CancellationToken ct) =>
        db.JobEvents.Where(e => e.JobId == job.Id && e.Kind == Approvals.ReminderKind).MaxAsync(e => (DateTimeOffset?)e.At, ct);
}
