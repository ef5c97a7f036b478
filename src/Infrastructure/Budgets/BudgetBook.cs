using Dashboard.Domain;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Budgets;

/// <summary>
/// The figures of budgets, in the caller's transaction: charges as the ledger posts them, promises to jobs, and giving back.
/// Every figure moves by a statement that adds to it, never by writing back what was read.
/// </summary>
internal static class BudgetBook
{
    /// <summary>Budgets in force that a job of <paramref name="spender"/> falls under, their periods turned to the present one.</summary>
    public static IReadOnlyList<Budget> Concerned(AppDbContext db, Spender spender, DateTimeOffset now)
    {
        var team = db.Budgets.AsNoTracking().Where(b => b.TeamId == spender.Team && b.EndedAt == null).OrderBy(b => b.Id).ToList();
        var concerned = team.Where(b => BudgetRules.Concerns(b, spender)).ToList();
        foreach (var budget in concerned)
        {
            Turn(db, budget, now);
        }

        return concerned;
    }

    public static Spender SpenderOf(Job job, bool simulated) => new(job.TeamId, job.ProjectId, job.CreatedBy, job.Tags, job.Id, simulated);

    /// <summary>Opens the job's own limit as a budget, once.</summary>
    public static void OpenOwnLimit(AppDbContext db, Job job, bool simulated, DateTimeOffset now)
    {
        var subject = job.Id.ToString();
        if (job.Limits.MaxCost is not { } limit || db.Budgets.Any(b => b.TeamId == job.TeamId && b.Scope == BudgetScope.Job && b.Subject == subject && b.EndedAt == null))
        {
            return;
        }

        var spent = new Money(db.Ledger.AsNoTracking().Where(e => e.JobId == job.Id).Sum(e => e.Amount.Micros));
        db.Budgets.Add(new Budget
        {
            Id = new BudgetId(Guid.CreateVersion7(now)),
            TeamId = job.TeamId,
            Scope = BudgetScope.Job,
            Subject = subject,
            Simulated = simulated,
            Period = BudgetPeriod.Total,
            Limit = limit,
            AtLimit = AtLimit.SaveAndStop,
            TellAt = BudgetSteps.OfOneJob,
            ToldPercent = BudgetSteps.Reached(BudgetSteps.OfOneJob, spent, limit),
            CreatedAt = now,
            PeriodStart = BudgetRules.PeriodStart(BudgetPeriod.Total, now),
            Accrued = spent,
        });
        db.SaveChanges(); // holds are taken by statements, which see what is written
    }

    /// <summary>What a change of an instance means for budgets: charges count, and who has ended holds nothing.</summary>
    public static void Follow(AppDbContext db, Instance instance, Job job, DateTimeOffset now)
    {
        Accrue(db, now);
        var over = JobRules.IsFinal(job.Status) || job.Status == JobStatus.Paused;
        if (InstanceRules.IsFinal(instance.Status))
        {
            Release(db, instance.Id, job.Id, jobGoesOn: !over && instance.AttemptNumber == job.AttemptCount);
        }

        if (over)
        {
            TakeBackPromise(db, job.Id);
        }
    }

    /// <summary>Counts the entries that this transaction is about to add: from held to accrued, on every budget they fall under.</summary>
    public static void Accrue(AppDbContext db, DateTimeOffset now)
    {
        var entries = db.ChangeTracker.Entries<LedgerEntry>().Where(e => e.State == EntityState.Added).Select(e => e.Entity).ToList();
        foreach (var charges in entries.GroupBy(e => e.InstanceId))
        {
            var first = charges.First();
            var spender = new Spender(first.TeamId, first.ProjectId, first.PersonId, first.Tags, first.JobId, first.Market.Simulated);
            foreach (var budget in Concerned(db, spender, now))
            {
                var counted = charges.Where(e => e.PeriodStart >= budget.PeriodStart).Sum(e => e.Amount.Micros);
                var spent = charges.Where(e => e.Kind != ChargeKind.Adjustment).Sum(e => e.Amount.Micros);
                var held = db.BudgetHolds.Where(h => h.BudgetId == budget.Id && h.InstanceId == charges.Key).Select(h => (long?)h.Amount.Micros).SingleOrDefault() ?? 0;
                var used = Math.Clamp(spent, 0, held); // what was held for the machine is being spent
                db.Budgets.Where(b => b.Id == budget.Id).ExecuteUpdate(set => set
                    .SetProperty(b => b.Accrued.Micros, b => b.Accrued.Micros + counted)
                    .SetProperty(b => b.Held.Micros, b => b.Held.Micros - used));
                db.BudgetHolds.Where(h => h.BudgetId == budget.Id && h.InstanceId == charges.Key)
                    .ExecuteUpdate(set => set.SetProperty(h => h.Amount.Micros, h => h.Amount.Micros - used));
                Tell(db, budget, budget.Accrued + new Money(counted), now);
            }
        }
    }

    /// <summary>Sets aside what a job needs to its end, on every budget or on none. Call after the fits rule said yes; it asks again by statement.</summary>
    /// <returns>False: somebody else was quicker. Nothing was set aside.</returns>
    public static bool Promise(AppDbContext db, JobId job, IReadOnlyList<Budget> budgets, Money needed)
    {
        if (!Raise(db, [.. budgets.Select(b => (b, needed))], running: false))
        {
            return false;
        }

        foreach (var budget in budgets)
        {
            db.BudgetHolds.Add(new BudgetHold { BudgetId = budget.Id, TeamId = budget.TeamId, JobId = job, Amount = needed });
        }

        return true;
    }

    /// <summary>Adds to what is held, each by one guarded statement: all of them, or none.</summary>
    public static bool Raise(AppDbContext db, IReadOnlyList<(Budget Budget, Money By)> wanted, bool running)
    {
        for (var n = 0; n < wanted.Count; n++)
        {
            var (budget, micros) = (wanted[n].Budget, wanted[n].By.Micros);
            var limits = BudgetRules.Limits(budget.AtLimit, running);
            var taken = db.Budgets
                .Where(b => b.Id == budget.Id && (!limits || b.Accrued.Micros + b.Held.Micros + micros <= b.Limit.Micros))
                .ExecuteUpdate(set => set.SetProperty(b => b.Held.Micros, b => b.Held.Micros + micros));
            if (taken == 0)
            {
                foreach (var (before, by) in wanted.Take(n))
                {
                    Lower(db, before.Id, by);
                }

                return false;
            }
        }

        return true;
    }

    public static void Lower(AppDbContext db, BudgetId budget, Money by) =>
        db.Budgets.Where(b => b.Id == budget).ExecuteUpdate(set => set.SetProperty(b => b.Held.Micros, b => b.Held.Micros - by.Micros));

    /// <summary>A machine that is proven gone, or was never rented, holds nothing. What it leaves goes back to its job's promise while the job lives.</summary>
    public static void Release(AppDbContext db, InstanceId instance, JobId job, bool jobGoesOn)
    {
        foreach (var hold in db.BudgetHolds.AsNoTracking().Where(h => h.InstanceId == instance).Select(h => new { h.Id, h.BudgetId, h.Amount.Micros }).ToList())
        {
            var kept = jobGoesOn && db.BudgetHolds.Where(h => h.BudgetId == hold.BudgetId && h.JobId == job && h.InstanceId == null)
                .ExecuteUpdate(set => set.SetProperty(h => h.Amount.Micros, h => h.Amount.Micros + hold.Micros)) > 0;
            if (!kept)
            {
                Lower(db, hold.BudgetId, new Money(hold.Micros));
            }

            db.BudgetHolds.Where(h => h.Id == hold.Id).ExecuteDelete();
        }
    }

    /// <summary>A job that has ended, or is paused, is promised nothing.</summary>
    public static void TakeBackPromise(AppDbContext db, JobId job)
    {
        foreach (var promise in db.BudgetHolds.AsNoTracking().Where(h => h.JobId == job && h.InstanceId == null).Select(h => new { h.Id, h.BudgetId, h.Amount.Micros }).ToList())
        {
            Lower(db, promise.BudgetId, new Money(promise.Micros));
            db.BudgetHolds.Where(h => h.Id == promise.Id).ExecuteDelete();
        }
    }

    /// <summary>Says which shares of the limit are spent now: each once a period and limit, in the transaction of the charge that reached it.</summary>
    private static void Tell(AppDbContext db, Budget budget, Money spent, DateTimeOffset now)
    {
        foreach (var step in BudgetSteps.Due(budget.TellAt, spent, budget.Limit, budget.ToldPercent))
        {
            // Somebody else may have been quicker since we read.
            if (db.Budgets.Where(b => b.Id == budget.Id && b.ToldPercent < step).ExecuteUpdate(set => set.SetProperty(b => b.ToldPercent, step)) > 0)
            {
                BudgetNotices.StepReached(db, budget, step, now);
            }
        }
    }

    /// <summary>A new period begins at nothing. What is held stays held: it will be spent in the new one.</summary>
    private static void Turn(AppDbContext db, Budget budget, DateTimeOffset now)
    {
        var start = BudgetRules.PeriodStart(budget.Period, now);
        if (budget.PeriodStart >= start)
        {
            return;
        }

        db.Budgets.Where(b => b.Id == budget.Id && b.PeriodStart < start)
            .ExecuteUpdate(set => set.SetProperty(b => b.PeriodStart, start).SetProperty(b => b.Accrued.Micros, 0L).SetProperty(b => b.ToldPercent, 0));
        (budget.PeriodStart, budget.Accrued, budget.ToldPercent) = (start, Money.Zero, 0);
    }
}
