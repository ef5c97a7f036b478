using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Budgets;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>
/// Keeps a living machine paid for: renews its holds, and ends it before they do. What is refused leaves it the time that is
/// held already; saving begins ten minutes before that ends, destroying two.
/// </summary>
internal sealed class KeepFunded(InstanceRecords records, BudgetHolds holds, IOptions<BudgetOptions> options, TimeProvider time)
{
    /// <returns>Whether the row was changed.</returns>
    public async Task<bool> RunAsync(InstanceSnapshot row, RowLease lease)
    {
        var (i, now) = (row.Instance, time.GetUtcNow());
        if (i.Status is not (InstanceStatus.Booting or InstanceStatus.Ready or InstanceStatus.Running or InstanceStatus.Interrupted or InstanceStatus.Parked or InstanceStatus.Draining))
        {
            return false;
        }

        var o = options.Value;
        if (i.HeldUntil - o.LastCall <= now)
        {
            return await records.ApplyAsync(i.Id, lease.Fence, change => LastCall(change, o), lease.Lost);
        }

        return !(i.RenewHoldAt > now) && await records.ApplyAsync(i.Id, lease.Fence, change => Renew(change, o), lease.Lost);
    }

    private void Renew(InstanceChange change, BudgetOptions o)
    {
        var (i, now) = (change.Instance, change.Now);
        var hold = holds.Take(change.Db, change.Job, i, change.Connection.Market.Simulated, change.Attempt.StartedAt + Pause.Total(change.Attempt.Pauses, now), now);
        i.HeldUntil = hold.Until;
        var next = now + (hold.Refused is null ? o.RenewEvery : o.AskAgain);
        var saving = hold.Until - o.ToDestroy; // one last try before it has to save
        i.RenewHoldAt = saving > now && saving < next ? saving : next;
        if (hold.Refused is not { } budget)
        {
            i.HoldRefusal = null;
            return;
        }

        i.HoldRefusal = BudgetNotices.UsedUp(change.Db, budget);
        if (saving <= now)
        {
            BudgetNotices.Reached(change.Db, budget, now);
            if (i.Status is InstanceStatus.Booting or InstanceStatus.Ready or InstanceStatus.Interrupted or InstanceStatus.Parked)
            {
                change.Destroy(StopReason.BudgetExhausted, i.HoldRefusal); // nothing to save, or nothing that can be fetched
            }
        }
    }

    /// <summary>Whatever it does, and whether it answers or not: from here on there is money for its end only.</summary>
    private static void LastCall(InstanceChange change, BudgetOptions o)
    {
        var i = change.Instance;
        if (i.Status == InstanceStatus.Draining)
        {
            var end = i.HeldUntil - o.LastCall;
            i.DrainUntil = end < i.DrainUntil ? end : i.DrainUntil;
            return;
        }

        change.Destroy(StopReason.BudgetExhausted, i.HoldRefusal ?? "What was set aside for it is used up.");
    }
}
