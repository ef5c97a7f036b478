using Dashboard.Domain;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Notifications;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Budgets;

/// <summary>What is written, and who is told, when a job asks for approval and when somebody decides. In the caller's transaction.</summary>
public static class Approvals
{
    /// <summary>Those who may decide are told, with the way to the job.</summary>
    public static void Asked(AppDbContext db, Job job, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(db);
        ArgumentNullException.ThrowIfNull(job);
        var ask = job.Ask ?? throw new InvalidOperationException($"Job {job.Number} asks for nothing.");
        db.JobEvents.Add(new JobEvent { TeamId = job.TeamId, JobId = job.Id, At = now, Kind = "approval", Text = Said.Money($"Asks for approval: {ask.Words(own: false)}", "Asks for approval."), PersonId = job.CreatedBy });
        InboxWriter.Open(db, job.TeamId, InboxKinds.Approval, InboxKey(job.Id), Title(db, job, ask), Detail(ask), $"/jobs/{job.Number}", "Decide", now, alsoFor: job.CreatedBy);
        Outbox.Announce(db, job.TeamId, OutboxKinds.ApprovalAsked, job.Id.ToString(), $"{{\"job\":\"{job.Id}\"}}", now);
    }

    /// <summary>Whoever asked is told, and nobody is asked any more.</summary>
    public static void Decided(AppDbContext db, Job job, UserId person, DecisionOutcome outcome, string? reason, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(db);
        ArgumentNullException.ThrowIfNull(job);
        var ask = job.Ask ?? throw new InvalidOperationException($"Job {job.Number} asks for nothing.");
        Log(db, job, person, ask.Passed[0], outcome, reason, now);
        db.JobEvents.Add(new JobEvent
        {
            TeamId = job.TeamId, JobId = job.Id, At = now, PersonId = person, Kind = outcome == DecisionOutcome.Approved ? "approved" : "declined",
            Text = $"{outcome}" + Said.Money($" {ask.Figure}, {Was(ask.Passed[0].Kind, ask.Passed[0].Limit)}") + (reason is null ? "." : $": {reason}."),
        });
        var (key, team) = (InboxKey(job.Id), job.TeamId);
        db.Inbox.Where(i => i.TeamId == team && i.Key == key && i.ResolvedAt == null)
            .ExecuteUpdate(set => set.SetProperty(i => i.ResolvedAt, now).SetProperty(i => i.ResolvedBy, person).SetProperty(i => i.Resolution, reason is null ? $"{outcome}" : $"{outcome}, {reason}"));
        Outbox.Announce(db, job.TeamId, OutboxKinds.ApprovalDecided, job.Id.ToString(), $"{{\"job\":\"{job.Id}\"}}", now);
    }

    /// <summary>Those who may decide are told once more; what they had put off is in sight again.</summary>
    public static void Reminded(AppDbContext db, Job job, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(db);
        ArgumentNullException.ThrowIfNull(job);
        db.JobEvents.Add(new JobEvent { TeamId = job.TeamId, JobId = job.Id, At = now, Kind = ReminderKind, Text = "Asks for approval again.", PersonId = job.CreatedBy });
        var (key, team) = (InboxKey(job.Id), job.TeamId);
        db.Inbox.Where(i => i.TeamId == team && i.Key == key && i.ResolvedAt == null).ExecuteUpdate(set => set.SetProperty(i => i.SnoozedUntil, (DateTimeOffset?)null).SetProperty(i => i.At, now));
        Outbox.Announce(db, job.TeamId, OutboxKinds.ApprovalAsked, $"{job.Id}/{now.ToUnixTimeMilliseconds()}", $"{{\"job\":\"{job.Id}\"}}", now);
    }

    /// <summary>Whoever asked takes it back for another job: it ends, has cost nothing, and nobody is asked any more.</summary>
    /// <param name="number">Of the job that is asked for instead.</param>
    public static void Withdrawn(AppDbContext db, Job job, int number, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(db);
        ArgumentNullException.ThrowIfNull(job);
        (job.Cancel, job.CancelledAt, job.CancelledBy) = (CancelMode.SaveThenDestroy, now, job.CreatedBy);
        job.MoveTo(JobStatus.Cancelled, now);
        Said what = $"Changed before anybody decided: #{number} is in its place.";
        (job.StopReason, job.NextStepAt, job.Message) = (StopReason.CancelledByUser, null, what + Endings.ItCost(Money.Zero));
        db.JobEvents.Add(new JobEvent { TeamId = job.TeamId, JobId = job.Id, At = now, Kind = "withdrawn", Text = what, PersonId = job.CreatedBy });
        var (key, team, person) = (InboxKey(job.Id), job.TeamId, job.CreatedBy);
        db.Inbox.Where(i => i.TeamId == team && i.Key == key && i.ResolvedAt == null)
            .ExecuteUpdate(set => set.SetProperty(i => i.ResolvedAt, now).SetProperty(i => i.ResolvedBy, person).SetProperty(i => i.Resolution, $"changed, #{number} asks instead"));
    }

    /// <summary>Somebody who may decide lets a job that goes on cost more than its role may: that is a decision too.</summary>
    public static void Raised(AppDbContext db, Job job, UserId person, PassedLimit passed, string how, DateTimeOffset now) => Log(db, job, person, passed, DecisionOutcome.Approved, how, now);

    /// <summary>Of the event that a reminder leaves.</summary>
    public const string ReminderKind = "reminded";

    public static string InboxKey(JobId job) => $"approval/{job}";

    /// <summary><c>Priya asks for support-bot-v9 #216, ≈ $41.80</c>.</summary>
    internal static string Title(AppDbContext db, Job job, ApprovalAsk ask) => $"{NameOf(db, job.CreatedBy)} asks for {job.Name} #{job.Number}, {ask.Figure}";

    internal static string Detail(ApprovalAsk ask) => $"{ask.Words(own: false)} Nothing is rented until somebody decides, $0.00.";

    /// <summary><c>Mira approved ≈ $41.80, the limit was $25.00 a job.</c></summary>
    internal static string Words(AppDbContext db, Decision decision, ApprovalAsk? ask)
    {
        var (who, what) = (NameOf(db, decision.DecidedBy), ask?.Figure ?? RoleLimitRules.Words(decision.Kind, decision.Amount));
        return decision.Outcome switch
        {
            DecisionOutcome.Approved => $"{who} approved {what}, {Was(decision.Kind, decision.Limit)}.",
            DecisionOutcome.Declined => $"{who} declined {what}, {Was(decision.Kind, decision.Limit)}{(decision.Reason is { } reason ? $": {reason}" : "")}. Nothing was rented, it cost $0.00.",
        };
    }

    private static void Log(AppDbContext db, Job job, UserId person, PassedLimit passed, DecisionOutcome outcome, string? reason, DateTimeOffset now) => db.Decisions.Add(new Decision
    {
        TeamId = job.TeamId, JobId = job.Id, AskedBy = job.CreatedBy, DecidedBy = person, At = now, Outcome = outcome, Kind = passed.Kind, Amount = passed.Asked, Limit = passed.Limit, Reason = reason,
    });

    private static string Was(RoleLimitKind kind, Money limit) => $"the limit was {RoleLimitRules.Words(kind, limit)}";

    private static string NameOf(AppDbContext db, UserId person) => db.Users.AsNoTracking().Where(u => u.Id == person.Value).Select(u => u.DisplayName).SingleOrDefault() ?? "A former member";
}
