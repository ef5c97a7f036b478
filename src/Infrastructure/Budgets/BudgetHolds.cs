using Dashboard.Domain;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Budgets;

/// <param name="Until">Paid for until then; null: no budget concerns it.</param>
/// <param name="Refused">The budget in the way; null: granted.</param>
/// <param name="Wanted">What was asked of each budget.</param>
internal sealed record HoldResult(DateTimeOffset? Until, Budget? Refused, Money Wanted);

/// <summary>
/// Takes and renews the hold of a machine: the same amount on every budget its job falls under, or on none, drawn from
/// what the job was promised before what is free. Runs in the caller's transaction, the one that writes the instance row.
/// </summary>
internal class BudgetHolds(IOptions<BudgetOptions> options)
{
    /// <summary>Time between two renewals.</summary>
    public TimeSpan RenewEvery => options.Value.RenewEvery;

    private HoldTerms Terms => options.Value.Terms;

    public virtual HoldResult Take(AppDbContext db, Job job, Instance instance, bool simulated, DateTimeOffset? startedAt, DateTimeOffset now)
    {
        var budgets = BudgetBook.Concerned(db, BudgetBook.SpenderOf(job, simulated), now);
        if (budgets.Count == 0)
        {
            return new HoldResult(null, null, Money.Zero);
        }

        var running = instance.Status != InstanceStatus.Intent;
        var held = Amounts(db, budgets, h => h.InstanceId == instance.Id);
        var promised = Amounts(db, budgets, h => h.JobId == job.Id && h.InstanceId == null);
        var rooms = budgets.Select(b => new BudgetRoom(b.Id, BudgetRules.Limits(b.AtLimit, running), b.Free, held.GetValueOrDefault(b.Id), promised.GetValueOrDefault(b.Id))).ToList();

        var meter = MeterOf(instance, JobEstimator.Traffic(job.Spec, instance.DownloadPerGb, instance.UploadPerGb), now);
        var wanted = TimeToHold(job, startedAt, now);
        var decision = BudgetRules.Decide(meter, rooms, wanted, now, Terms);
        var asked = meter.Until(now + wanted + Terms.ToDestroy);
        if (decision.Refused is { } refused)
        {
            var kept = running ? Kept(db, job, instance, budgets, rooms, held, meter, now) : decision.Until;
            return new HoldResult(kept, budgets.Single(b => b.Id == refused), asked);
        }

        var amount = meter.Until(decision.Until);
        var steps = rooms.Select(r => (Room: r, Budget: budgets.Single(b => b.Id == r.Id), More: Difference(amount, r.Mine))).ToList();
        if (!BudgetBook.Raise(db, [.. steps.Select(s => (s.Budget, s.More - Least(s.More, s.Room.Promised)))], running))
        {
            return new HoldResult(rooms.Where(r => r.Limits).Min(r => meter.CoveredUntil(r.Mine)), budgets.MinBy(b => b.Free), asked); // somebody else was quicker since we read
        }

        foreach (var (room, budget, more) in steps)
        {
            var drawn = Least(more, room.Promised);
            if (drawn > Money.Zero)
            {
                db.BudgetHolds.Where(h => h.BudgetId == room.Id && h.JobId == job.Id && h.InstanceId == null)
                    .ExecuteUpdate(set => set.SetProperty(h => h.Amount.Micros, h => h.Amount.Micros - drawn.Micros));
            }

            if (!held.ContainsKey(room.Id))
            {
                db.BudgetHolds.Add(new BudgetHold { BudgetId = room.Id, TeamId = budget.TeamId, JobId = job.Id, InstanceId = instance.Id, Amount = more });
            }
            else if (more > Money.Zero)
            {
                db.BudgetHolds.Where(h => h.BudgetId == room.Id && h.InstanceId == instance.Id)
                    .ExecuteUpdate(set => set.SetProperty(h => h.Amount.Micros, h => h.Amount.Micros + more.Micros));
            }
        }

        return new HoldResult(rooms.Any(r => r.Limits) ? decision.Until : null, null, asked);
    }

    /// <summary>
    /// Until when a machine whose renewal was refused is paid for. A limit that was set below what is spent, or that left no
    /// room, holds nothing for it yet: it gets the time to save and go all the same, and that is written down.
    /// </summary>
    private DateTimeOffset Kept(AppDbContext db, Job job, Instance instance, IReadOnlyList<Budget> budgets, List<BudgetRoom> rooms, Dictionary<BudgetId, Money> held, MachineMeter meter, DateTimeOffset now)
    {
        var wayOut = meter.Until(now + Terms.ToDestroy);
        foreach (var budget in budgets.Where(b => !held.ContainsKey(b.Id)))
        {
            BudgetBook.Lower(db, budget.Id, -wayOut);
            db.BudgetHolds.Add(new BudgetHold { BudgetId = budget.Id, TeamId = budget.TeamId, JobId = job.Id, InstanceId = instance.Id, Amount = wayOut });
        }

        return rooms.Where(r => r.Limits).Min(r => held.TryGetValue(r.Id, out var mine) ? meter.CoveredUntil(mine) : now + Terms.ToDestroy);
    }

    /// <summary>Where its bill stands: what is posted, and what runs since.</summary>
    private static MachineMeter MeterOf(Instance i, Money traffic, DateTimeOffset now) => new(
        i.GpuRate,
        i.DiskRate,
        i.RunningSince is { } since ? i.GpuPostedUntil ?? since : now, // it may start to bill its GPU at any moment
        i.DiskPostedUntil ?? i.BillingSince ?? i.SentAt ?? now,
        traffic);

    private TimeSpan TimeToHold(Job job, DateTimeOffset? startedAt, DateTimeOffset now)
    {
        var ran = startedAt is { } start ? now - start : TimeSpan.Zero;
        var left = job.Estimate is { Expected.Micros: > 0 } e ? (e.Duration * (e.High.Micros / (double)e.Expected.Micros)) - ran : (TimeSpan?)null;
        return BudgetRules.TimeToHold(left, startedAt is null ? null : job.Limits.MaxRuntime - ran, Terms);
    }

    private static Dictionary<BudgetId, Money> Amounts(AppDbContext db, IReadOnlyList<Budget> budgets, System.Linq.Expressions.Expression<Func<BudgetHold, bool>> which)
    {
        var ids = budgets.Select(b => b.Id).ToList();
        return db.BudgetHolds.AsNoTracking().Where(which).Where(h => ids.Contains(h.BudgetId)).Select(h => new { h.BudgetId, h.Amount.Micros })
            .ToDictionary(h => h.BudgetId, h => new Money(h.Micros));
    }

    private static Money Difference(Money wanted, Money have) => wanted > have ? wanted - have : Money.Zero;

    private static Money Least(Money a, Money b) => a < b ? a : b;
}
