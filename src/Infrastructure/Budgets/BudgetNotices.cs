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

    /// <summary><c>legal-summaries, a month</c>.</summary>
    public static string OfPeriod(AppDbContext db, Budget budget) => NameOf(db, budget) + budget.Period switch
    {
        BudgetPeriod.Month => ", a month",
        BudgetPeriod.Week => ", a week",
        BudgetPeriod.Total => "",
    };

    /// <summary>While something runs.</summary>
    public static string HasReached(AppDbContext db, Budget budget) => budget.Scope == BudgetScope.Job
        ? $"It reached its limit of {budget.Limit.Words()}."
        : $"{NameOf(db, budget)} reached {budget.Limit.Words()}{During(budget.Period)}.";

    /// <summary>Why what runs has to stop.</summary>
    public static Said UsedUp(AppDbContext db, Budget budget) =>
        Said.Money(HasReached(db, budget), budget.Scope == BudgetScope.Job ? "It reached its limit." : $"The budget of {NameOf(db, budget)} is used up.");

    /// <summary>Before anything was rented.</summary>
    public static Said DoesNotReach(AppDbContext db, Budget budget, Money wanted)
    {
        var left = budget.Free < Money.Zero ? Money.Zero : budget.Free;
        return (budget.Scope == BudgetScope.Job
            ? Said.Money($"Its limit of {budget.Limit.Words()} has {left.Words()} left; a machine needs {wanted.Words()} set aside, saving and destroying included.", "Its limit does not reach for a machine, saving and destroying included.")
            : Said.Money($"{NameOf(db, budget)} has {left.Words()} left of {budget.Limit.Words()}{During(budget.Period)}; a machine needs {wanted.Words()} set aside, saving and destroying included.", $"The budget of {NameOf(db, budget)} does not reach for a machine, saving and destroying included.")) + " Nothing was rented.";
    }

    /// <summary>Tells people once a period and limit; a job's own limit is said by the job's ending.</summary>
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
        AnnounceReached(db, budget, now);
    }

    /// <summary>A share of the limit is spent. All of it is the same news as a limit that is in the way.</summary>
    public static void StepReached(AppDbContext db, Budget budget, int percent, DateTimeOffset now)
    {
        if (percent >= 100)
        {
            AnnounceReached(db, budget, now);
        }
        else
        {
            Outbox.Announce(db, budget.TeamId, OutboxKinds.BudgetStep, $"{Cause(budget)}/{percent}", $"{{\"budget\":\"{budget.Id}\",\"percent\":{percent}}}", now);
        }
    }

    /// <summary><c>legal-summaries has spent 75% of $300.00 this month</c>.</summary>
    public static string HasSpent(AppDbContext db, Budget budget, int percent) => $"{(JobOf(db, budget) is { } job ? $"{job.Name} #{job.Number}" : NameOf(db, budget))} has spent {percent}% of {budget.Limit.Words()}{During(budget.Period)}";

    /// <summary>Of a limit that is one job's own; null: of any other.</summary>
    public static (int Number, string Name)? JobOf(AppDbContext db, Budget budget) => budget.Scope != BudgetScope.Job ? null
        : db.Jobs.AsNoTracking().Where(j => j.Id == new JobId(Guid.Parse(budget.Subject))).Select(j => new ValueTuple<int, string>(j.Number, j.Name)).Single();

    /// <summary>What is left of it, and what happens at its end.</summary>
    public static string WhatIsLeft(Budget budget)
    {
        var left = budget.Free < Money.Zero ? Money.Zero : budget.Free;
        return $"{budget.Accrued.Words()} is spent, {budget.Held.Words()} set aside for jobs, {left.Words()} left. {(budget.Scope == BudgetScope.Job ? "At the limit it is saved and stopped." : WhatHappens(budget))}";
    }

    /// <summary>At the limit.</summary>
    public static string WhatHappens(Budget budget) => budget.AtLimit switch
    {
        AtLimit.Tell => "At the limit nothing stops.",
        AtLimit.StartNothingNew => "At the limit nothing new starts; what runs goes on.",
        AtLimit.SaveAndStop => "At the limit jobs that need more of it are saved and paused.",
    };

    private static void AnnounceReached(AppDbContext db, Budget budget, DateTimeOffset now) =>
        Outbox.Announce(db, budget.TeamId, OutboxKinds.BudgetReached, Cause(budget), $"{{\"budget\":\"{budget.Id}\"}}", now);

    /// <summary>Another period, or another limit, is another cause.</summary>
    private static string Cause(Budget budget) => $"{budget.Id}/{budget.PeriodStart.ToUnixTimeMilliseconds()}/{budget.Limit.Micros}";

    private static string During(BudgetPeriod period) => period switch
    {
        BudgetPeriod.Month => " this month",
        BudgetPeriod.Week => " this week",
        BudgetPeriod.Total => "",
    };
}
