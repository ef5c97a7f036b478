using Dashboard.Domain.Costs;
using Dashboard.Domain.Costs.Reconciliation;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Marketplaces;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>What one row of a listing, or a read by id, says of a machine: its state, its end, and what it has cost up to then.</summary>
internal sealed class ObserveInstance(IOptions<LifecycleOptions> options)
{
    /// <summary>An answer over SSH is believed for so long against a provider that has lost sight of the machine: until the next ones are overdue.</summary>
    private TimeSpan LifeSign => TimeSpan.FromSeconds(1) + (options.Value.WatchInterval * 2);

    /// <summary>Notes what the provider said of it at <paramref name="at"/>.</summary>
    public void Note(InstanceChange change, ObservedInstance observed, DateTimeOffset at)
    {
        var (i, o) = (change.Instance, options.Value);
        if (InstanceRules.IsFinal(i.Status) || i.Status == InstanceStatus.Destroying && i.DestroyAcceptedAt > at)
        {
            return; // decided since the listing was taken
        }

        if (i.DestroyAcceptedAt is { } accepted && at - accepted >= o.ProofWait)
        {
            // Accepted and not done. It bills on, and is asked to go again.
            i.DestroyAcceptedAt = null;
            i.NextStepAt = change.Now;
            if (i.DestroyAsks == 1)
            {
                change.Say("destroy-failed", $"{change.Connection.Market.Name} accepted to destroy machine {i.ContractId} and still lists it; asking again until it is gone.");
            }
        }

        var (before, then) = (i.ObservedAt, i.Observed);
        if (i.BillingSince is null || i.Observed is null)
        {
            FreezeRates(i, observed);
            i.BillingSince = observed.CreatedAt ?? i.SentAt ?? at;
        }

        if (i.Rental == RentalType.Interruptible && i.Observed is not null && observed.GpuRate > HourlyRate.Zero && observed.GpuRate != i.GpuRate)
        {
            BidChanged(change, observed.GpuRate, Halfway(before, at));
        }

        if (i.Observed != observed.Status || i.ObservedMessage != observed.Message)
        {
            i.ProgressAt = at;
        }

        (i.Observed, i.ObservedMessage, i.ObservedAt, i.ObservedFatal, i.ObservedRental) = (observed.Status, observed.Message, at, observed.FatalMessage, observed.Rental);
        (i.ContractEnd, i.AbsentSince) = (observed.ContractEnd ?? i.ContractEnd, null);
        i.ObservedRate = observed.GpuRate > HourlyRate.Zero ? observed.GpuRate + observed.DiskRate : null;
        i.IdleSince = observed is { Status: ObservedStatus.Running, GpuUse: < AnomalyRules.IdleBelow } ? i.IdleSince ?? at : null;
        if (observed.Routes.Count > 0)
        {
            i.Routes = RouteText.Write(observed.Routes);
        }

        if (observed.Status == ObservedStatus.Running)
        {
            if (i.RunningSince is null)
            {
                // Also after a destroy that was accepted: what comes up since then had not ended, and bills.
                // A run that began before the last entry ended is the same one, out of sight for a while: the next entry closes the gap.
                if (!(observed.RunningSince?.Middle < i.GpuPostedUntil))
                {
                    (i.GpuPostedUntil, i.GpuPostedOfRun) = (null, Money.Zero);
                }

                // The provider's own stamp where it gives one, else half-way since we last looked.
                i.RunningSince = observed.RunningSince?.Middle ?? Halfway(before, at);
                i.RunningSinceWithin = observed.RunningSince?.HalfWidth;
            }
            else if (i is { RunningSince: { } since, RunningSinceWithin: { } within } && observed.RunningSince is { } told && i.DestroyAcceptedAt is null)
            {
                // The next entry of the ledger carries the difference.
                var narrowed = StartWindow.Around(since, within).Narrowed(told);
                (i.RunningSince, i.RunningSinceWithin) = (narrowed.Middle, narrowed.HalfWidth);
            }

            if (i.Status is InstanceStatus.Interrupted or InstanceStatus.Parked)
            {
                i.NextStepAt = change.Now; // it is back
            }

            if (i.SeenRunningAt is null)
            {
                i.SeenRunningAt = at;
                if (i.Status == InstanceStatus.Booting)
                {
                    i.NextStepAt = change.Now;
                }
            }
        }
        else if (i.RunningSince is not null && !(IsOutOfSight(observed.Status) && at - i.AnsweredAt <= LifeSign))
        {
            // Out of sight it lived as long as it answered; the other states are the provider's own word. An accepted destroy may have ended it sooner.
            var seen = IsOutOfSight(then) ? i.AnsweredAt : null;
            var halfway = Halfway(before, at);
            var end = seen ?? (i.AnsweredAt > halfway ? i.AnsweredAt.Value : halfway);
            MeterUsage.Gpu(change, i.DestroyAcceptedAt < end ? i.DestroyAcceptedAt.Value : end, estimated: true);
            i.RunningSince = null;
            if (i.Status == InstanceStatus.Running)
            {
                i.NextStepAt = change.Now;
            }
        }

        if (i.DestroyAcceptedAt is null)
        {
            if (i.RunningSince is not null && at - (i.GpuPostedUntil ?? i.RunningSince) >= o.MeterEvery)
            {
                MeterUsage.Gpu(change, IsOutOfSight(observed.Status) ? i.AnsweredAt ?? at : at); // of what nobody sees, up to its last answer
            }

            if (at - (i.DiskPostedUntil ?? i.BillingSince) >= o.MeterEvery)
            {
                MeterUsage.Disk(change, at);
            }
        }
    }

    /// <summary>Somebody changed the bid: what ran so far is posted at the old rate, and counting begins anew.</summary>
    private static void BidChanged(InstanceChange change, HourlyRate rate, DateTimeOffset at)
    {
        var i = change.Instance;
        if (i.RunningSince is not null && i.DestroyAcceptedAt is null)
        {
            MeterUsage.Gpu(change, at, estimated: true);
            (i.RunningSince, i.RunningSinceWithin, i.GpuPostedUntil, i.GpuPostedOfRun) = (at, null, at, Money.Zero);
        }

        i.GpuRate = rate;
    }

    /// <summary>The contract's own rates. What the row leaves out stays as it was quoted: nothing is free because a field is missing.</summary>
    private static void FreezeRates(Instance i, ObservedInstance observed)
    {
        (i.GpuRate, i.DiskRate) = (Told(observed.GpuRate, i.GpuRate), Told(observed.DiskRate, i.DiskRate));
        (i.DownloadPerGb, i.UploadPerGb) = (observed.DownloadPerGb, observed.UploadPerGb);

        static HourlyRate Told(HourlyRate rate, HourlyRate quoted) => rate > HourlyRate.Zero ? rate : quoted;
    }

    /// <summary>The provider does not know what the machine does. One that answers us runs, and bills, all the same.</summary>
    private static bool IsOutOfSight(ObservedStatus? status) => status is ObservedStatus.Unreachable or ObservedStatus.Provisioning;

    /// <summary>Where a change happened between two looks.</summary>
    public static DateTimeOffset Halfway(DateTimeOffset? before, DateTimeOffset at) => before is { } b && b < at ? b + ((at - b) / 2) : at;
}
