using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Persistence;

namespace Dashboard.Infrastructure.Budgets;

/// <summary>The budget a job does not fit.</summary>
/// <param name="Name">Whose it is, in words.</param>
/// <param name="Needed">The job's upper end, saving and destroying included.</param>
/// <param name="MayPause">Whether it may be started knowingly, to be paused when the money ends.</param>
public sealed record DoesNotFit(Budget Budget, string Name, Money Needed, bool MayPause);

/// <summary>Decides whether a job may begin, in the transaction that saves it. One that fits is promised what it needs: nobody else can take that from it.</summary>
public static class Admission
{
    /// <param name="rate">What its machine is expected to cost an hour; null: nobody could say, and the hold decides when it is rented.</param>
    /// <returns>Null: admitted.</returns>
    public static DoesNotFit? Ask(AppDbContext db, Job job, HourlyRate? rate, bool simulated, HoldTerms terms, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(db);
        ArgumentNullException.ThrowIfNull(job);
        if (job.Estimate is not { } estimate || rate is not { } hourly)
        {
            return null;
        }

        var budgets = BudgetBook.Concerned(db, BudgetBook.SpenderOf(job, simulated), now).Where(b => b.Scope != BudgetScope.Job).ToList();
        var needed = BudgetRules.Needed(estimate, hourly, job.Limits.MaxCost, terms);
        var inTheWay = BudgetRules.InTheWay(budgets, needed);
        if (inTheWay is null && !BudgetBook.Promise(db, job.Id, budgets, needed))
        {
            budgets = [.. BudgetBook.Concerned(db, BudgetBook.SpenderOf(job, simulated), now).Where(b => b.Scope != BudgetScope.Job)];
            inTheWay = BudgetRules.InTheWay(budgets, needed); // somebody else was quicker since we read
        }

        var mayPause = BudgetRules.MayPauseUnder(budgets, needed);
        return inTheWay is null || (job.MayPause && mayPause) ? null : new DoesNotFit(inTheWay, BudgetNotices.NameOf(db, inTheWay), needed, mayPause);
    }
}
