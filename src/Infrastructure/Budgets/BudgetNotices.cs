using System.Globalization;
using Dashboard.Domain;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Notifications;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Budgets;

/// <summary>What is said about a budget that is in the way.</summary>
internal static class BudgetNotices
{
    /// <summary><c>legal-summaries</c>, <c>Halden Lab</c>, <c>tag nightly</c>; whose limit it is.</summary>
    public static string NameOf(AppDbContext db, Budget budget) => budget.Scope switch
    {
        BudgetScope.Team => db.Teams.AsNoTracking().Where(t => t.Id == budget.TeamId).Select(t => t.Name).Single(),
        BudgetScope.Project => db.Projects.AsNoTracking().Where(p => p.Id == new ProjectId(Guid.Parse(budget.Subject))).Select(p => p.Name).SingleOrDefault() ?? "A project",
        BudgetScope.Person => db.Users.AsNoTracking().Where(u => u.Id == Guid.Parse(budget.Subject)).Select(u => u.DisplayName).SingleOrDefault() ?? "A former member",
        BudgetScope.Tag => $"Tag {budget.Subject}",
        BudgetScope.Job => "It",
    };

    /// <summary>While something runs.</summary>
    public static string HasReached(AppDbContext db, Budget budget) => budget.Scope == BudgetScope.Job
        ? $"It reached its limit of {budget.Limit.Words()}."
        : $"{NameOf(db, budget)} reached {budget.Limit.Words()}{During(budget.Period)}.";

    /// <summary>Before anything was rented.</summary>
    public static string DoesNotReach(AppDbContext db, Budget budget, Money wanted)
    {
        var left = budget.Free < Money.Zero ? Money.Zero : budget.Free;
        return budget.Scope == BudgetScope.Job
            ? $"Its limit of {budget.Limit.Words()} has {left.Words()} left; a machine needs {wanted.Words()} set aside, saving and destroying included. Nothing was rented."
            : $"{NameOf(db, budget)} has {left.Words()} left of {budget.Limit.Words()}{During(budget.Period)}; a machine needs {wanted.Words()} set aside, saving and destroying included. Nothing was rented.";
    }

    /// <summary>Tells people once a period; a job's own limit is said by the job's ending.</summary>
    public static void Reached(AppDbContext db, Budget budget, DateTimeOffset now)
    {
        if (budget.Scope == BudgetScope.Job)
        {
            return;
        }

        InboxWriter.Open(
            db, budget.TeamId, InboxKinds.Budget, $"budget/{budget.Id}", HasReached(db, budget).TrimEnd('.'),
            $"{budget.Accrued.Words()} is spent and {budget.Held.Words()} set aside. Jobs that need more are paused until it is raised{(BudgetRules.PeriodEnd(budget.Period, now) is { } end ? $" or {end.UtcDateTime.ToString("d MMM", CultureInfo.InvariantCulture)} begins" : "")}.",
            "/budgets", "Raise it", now);
        Outbox.Announce(db, budget.TeamId, OutboxKinds.BudgetReached, $"{budget.Id}/{budget.PeriodStart.ToUnixTimeMilliseconds()}", $"{{\"budget\":\"{budget.Id}\"}}", now);
    }

    private static string During(BudgetPeriod period) => period switch
    {
        BudgetPeriod.Month => " this month",
        BudgetPeriod.Week => " this week",
        BudgetPeriod.Total => "",
    };
}
