using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Notifications;

namespace Dashboard.Infrastructure.Lifecycle;

/// <content>A job that waits for its price: it looks on a ration, goes on once with the first machine that costs little enough, or ends its waiting at its time.</content>
internal sealed partial class AdvanceJob
{
    private const int LowestRows = 5; // one may be of a machine that failed, or a price that cannot be meant

    /// <summary>What is shown beside the limit may be so old: it costs rows, and decides nothing.</summary>
    private static readonly TimeSpan LowestFresh = TimeSpan.FromMinutes(5);

    private Task WaitForPriceAsync(Job job, IReadOnlyList<Instance> rows, RowLease lease) =>
        PriceOrderRules.Waits(job) && !job.Order!.IsOver(time.GetUtcNow()) ? ProvisionAsync(job, rows, lease) : ApplyAsync(lease, job.Id, StopWaiting);

    /// <summary>Begins to wait, or goes on with it after a machine was found and could not be had.</summary>
    private static void Wait(JobChange change)
    {
        var job = change.Job;
        if (job.Status != JobStatus.WaitingForPrice)
        {
            job.MoveTo(JobStatus.WaitingForPrice, change.Now);
        }

        (job.EmptySearches, job.EmptySearchAt, job.Message) = (0, change.Now, null); // what refused so far may be free when the price is right
        job.Order = job.Order! with { FiredAt = null };
        job.NextStepAt = change.Now;
    }

    /// <summary>Part of the transaction that writes the intent: the one place where an order makes a job go on. False: it was changed, or the job stopped, while we looked.</summary>
    private static bool Fires(JobChange change, Offer offer)
    {
        var job = change.Job;
        job.NextStepAt = change.Now;
        if (job.Status != JobStatus.WaitingForPrice || job.Cancel is not null || !PriceOrderRules.Waits(job) || job.Order!.IsOver(change.Now) || offer.Rate > job.Order.Limit)
        {
            return false;
        }

        job.MoveTo(JobStatus.Provisioning, change.Now);
        return true;
    }

    private static void Fired(JobChange change, Offer offer, Instance instance)
    {
        if (change.Job.Order is not { Binds: true, FiredAt: null } order)
        {
            return;
        }

        change.Job.Order = order with { FiredAt = change.Now, LookedAt = change.Now, Lowest = offer.Rate, LowestAt = change.Now };
        change.Say("price-reached", Said.Money($"A machine costs {offer.Rate.Words()}; the job waited for {order.Limit.Words()} or less.", "A machine costs no more than the job waited for."), instance.AttemptNumber);
        Outbox.Announce(change.Db, change.Job.TeamId, OutboxKinds.OrderFired, instance.Id.ToString(), $"{{\"job\":\"{change.Job.Id}\",\"instance\":\"{instance.Id}\"}}", change.Now);
    }

    /// <summary>Its time has passed, or there is nothing to wait for any more.</summary>
    private static void StopWaiting(JobChange change)
    {
        var job = change.Job;
        if (job.Status != JobStatus.WaitingForPrice || !PriceOrderRules.Waits(job))
        {
            job.MoveTo(JobStatus.Submitted, change.Now);
            job.NextStepAt = change.Now;
            return;
        }

        var order = job.Order!;
        if (!order.IsOver(change.Now))
        {
            job.NextStepAt = change.Now; // it was given more time meanwhile
            return;
        }

        var lowest = order.Lowest is { } rate ? $"the lowest seen last was {rate.Words()}" : "no machine that fits was free";
        var what = Said.Money($"No machine cost {order.Limit.Words()} or less in its time; {lowest}.", "No machine cost little enough in its time.");
        switch (order.Then)
        {
            case OrderEnding.Cancel:
                change.End(JobStatus.Cancelled, StopReason.PriceNotReached, what);
                return;
            case OrderEnding.Wait:
                job.Order = order with { Until = null };
                change.Say("price-order", what + " It waits on.");
                break;
            case OrderEnding.TakeBest:
                job.Order = order with { LiftedAt = change.Now };
                job.MoveTo(JobStatus.Provisioning, change.Now);
                change.Say("price-order", what + " It takes the best there is.");
                break;
        }

        job.NextStepAt = change.Now;
        Outbox.Announce(change.Db, job.TeamId, OutboxKinds.OrderOver, $"{job.Id}/{order.Until!.Value.ToUnixTimeMilliseconds()}", $"{{\"job\":\"{job.Id}\"}}", change.Now);
    }

    /// <summary>Nothing costs little enough: notes what the cheapest costs, and when to look again.</summary>
    private async Task NotYetAsync(Job job, Connection connection, IReadOnlyList<Instance> rows, TimeSpan left, RowLease lease)
    {
        var old = !(time.GetUtcNow() - job.Order!.LowestAt < LowestFresh);
        var lowest = old ? await LowestAsync(job, connection, rows, left, lease.Lost) : null;
        var every = looks.Every(connection.Id);
        await ApplyAsync(lease, job.Id, change =>
        {
            if (change.Job.Order is { } order)
            {
                change.Job.Order = order with { LookedAt = change.Now, Lowest = old ? lowest : order.Lowest, LowestAt = old ? change.Now : order.LowestAt };
                change.Job.Message = null;
                LookAgain(change, every);
            }
        });
    }

    /// <summary>What the cheapest machine that the job could use costs an hour, its order aside.</summary>
    private async Task<HourlyRate?> LowestAsync(Job job, Connection connection, IReadOnlyList<Instance> rows, TimeSpan left, CancellationToken ct)
    {
        var rental = RentalOf(job, left);
        var query = Query(job, job.Limits, rental) with { Limit = LowestRows };
        var offers = await looks.SearchAsync(connection, query, ct);
        var usable = Usable(job, job.Limits, [.. offers.Where(o => o.Rental == rental)], rows, OwnRuns.None, [], left);
        return usable.Count == 0 ? null : usable.Min(o => o.Offer.Rate);
    }

    /// <summary>At the next look, or when the order's time has passed, whichever is first.</summary>
    private static void LookAgain(JobChange change, TimeSpan after)
    {
        var at = change.Now + after;
        change.Job.NextStepAt = change.Job is { Status: JobStatus.WaitingForPrice, Order: { Binds: true, Until: { } until } } && until < at ? until : at;
    }
}
