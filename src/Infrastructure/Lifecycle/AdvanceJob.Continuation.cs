using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Lifecycle;

/// <content>Where a job goes on: how the next machine is rented, and what is sought while an outbid one is kept.</content>
internal sealed partial class AdvanceJob
{
    private static readonly TimeSpan SeekAgain = TimeSpan.FromSeconds(30); // searches are rationed
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(2);

    /// <summary>The best offer for what is left of the run, by the way the job is to be rented now. An interrupted job that finds no bid goes on on demand.</summary>
    private async Task<(Offer? Offer, int Found)> FindAsync(Job job, Connection connection, IReadOnlyList<Instance> rows, TimeSpan left, CancellationToken ct)
    {
        var rental = RentalOf(job, left);
        var (offers, found) = await SearchAsync(job, connection, rows, rental, left, ct);
        if (offers.Count == 0 && rental == RentalType.Interruptible && job.Interruptions > 0)
        {
            (offers, found) = await SearchAsync(job, connection, rows, RentalType.OnDemand, left, ct);
        }

        return (offers.Count > 0 ? offers[0].Offer : null, found);
    }

    private RentalType RentalOf(Job job, TimeSpan left) => InterruptionRules.NextRental(job.Limits, job.Interruptions, interruption.Value.OnDemandAfter, left, time.GetUtcNow());

    private async Task<(IReadOnlyList<(Offer Offer, CostEstimate Estimate)> Offers, int Found)> SearchAsync(Job job, Connection connection, IReadOnlyList<Instance> rows, RentalType rental, TimeSpan left, CancellationToken ct)
    {
        var limits = PriceOrderRules.Limits(job);
        var query = Query(job, limits, rental);
        var offers = job.Status == JobStatus.WaitingForPrice ? await looks.SearchAsync(connection, query, ct) : await marketplaces.For(connection).SearchAsync(query, ct);
        await using var db = await database.ForSystemAsync(ct);
        var own = await HostHistory.ReadAsync(db, job.TeamId, connection.Market, [.. offers.Select(o => o.MachineId)], time.GetUtcNow(), ct);
        return (Usable(job, limits, [.. offers.Where(o => o.Rental == rental)], rows, own, await CoolingAsync(db, connection.Id, ct), left), offers.Count);
    }

    /// <summary>Time the program still needs, from the newest checkpoint at home.</summary>
    private async Task<TimeSpan> LeftAsync(Job job, CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        var last = await db.Attempts.AsNoTracking().Where(a => a.JobId == job.Id && a.SecondsPerStep != null).OrderByDescending(a => a.Number).FirstOrDefaultAsync(ct);
        var home = last is null ? null : await checkpoints.NewestAsync(job.Id, ct);
        return InterruptionRules.Left(job.Spec, job.Limits, home?.Step, last?.TotalSteps, last?.SecondsPerStep);
    }

    /// <summary>
    /// While the outbid machine is kept: a continuation that costs less than the rest would on that machine is taken at
    /// once; when the job is to go on on demand, any that fits is. The kept machine is destroyed in the same transaction,
    /// so that there is never more than one that can work.
    /// </summary>
    private async Task SeekAsync(Job job, Instance kept, IReadOnlyList<Instance> rows, RowLease lease)
    {
        await using var db = await database.ForSystemAsync(lease.Lost);
        var connection = await db.Connections.AsNoTracking().SingleAsync(c => c.Id == job.ConnectionId, lease.Lost);
        var earlier = await db.Attempts.AsNoTracking().Where(a => a.JobId == job.Id && a.Number < job.AttemptCount && a.StopReason != null).Select(a => a.StopReason!.Value).ToListAsync(lease.Lost);
        if (kept.WaitedFor || connection.Status == ConnectionStatus.Paused || connection.PricesOnly || !RetryRules.Another(StopReason.Interrupted, earlier, job.Limits))
        {
            await ApplyAsync(lease, job.Id, change => change.Job.NextStepAt = null); // the machine comes back, or its time runs out
            return;
        }

        try
        {
            var left = await LeftAsync(job, lease.Lost);
            var rental = RentalOf(job, left);
            var (offers, _) = await SearchAsync(job, connection, rows, rental, left, lease.Lost);
            var found = offers.FirstOrDefault(o => rental == RentalType.OnDemand || InterruptionRules.IsCheaper(o.Estimate, kept.GpuRate + kept.DiskRate, left));
            if (found.Offer is null)
            {
                await ApplyAsync(lease, job.Id, change => change.Job.NextStepAt = change.Now + SeekAgain);
                return;
            }

            if (!await WriteIntentAsync(job, connection, found.Offer, openAttempt: false, lease, change => Leave(change, kept, found.Offer, found.Estimate), kept: true))
            {
                await ApplyAsync(lease, job.Id, change => change.Job.NextStepAt = change.Now + SeekAgain);
            }
        }
        catch (CredentialRejectedException fault)
        {
            await health.BreakAsync(connection, fault.Message, lease.Lost);
            await ApplyAsync(lease, job.Id, change => change.Job.NextStepAt = change.Now + SeekAgain);
        }
        catch (MarketplaceException fault)
        {
            var wait = fault is RateLimitedException { RetryAfter: { } after } ? after : SeekAgain;
            await ApplyAsync(lease, job.Id, change => change.Job.NextStepAt = change.Now + wait);
        }
    }

    /// <summary>Ends the interrupted attempt and gives its machine up, unless that has come back meanwhile.</summary>
    private static bool Leave(JobChange change, Instance kept, Offer offer, CostEstimate estimate)
    {
        var (job, now) = (change.Job, change.Now);
        var machine = change.Db.Instances.Single(i => i.Id == kept.Id);
        if (machine.Status != InstanceStatus.Interrupted || machine.Observed is ObservedStatus.Running or ObservedStatus.Provisioning || machine.WaitedFor || job.Cancel is not null)
        {
            job.NextStepAt = now + Soon;
            return false;
        }

        var attempt = change.Db.Attempts.Single(a => a.Id == machine.AttemptId);
        var where = $"{offer.Location ?? "an unnamed place"} {(offer.Rental == RentalType.OnDemand ? "on demand" : "with a bid")}";
        var what = $"{KeepInterrupted.Outbid(machine)} {KeepInterrupted.AtHome(attempt)} Going on in {where}" + Said.Money($", ≈ {estimate.Expected.Words()} more.", ".");
        (machine.EndReason, machine.EndMessage) = (StopReason.Interrupted, what);
        machine.MoveTo(InstanceStatus.Destroying, now);
        (attempt.EndedAt, attempt.StopReason, attempt.Message, attempt.Pauses) = (now, StopReason.Interrupted, what, Pause.Ended(attempt.Pauses, now));
        job.MoveTo(JobStatus.Terminating, now);
        job.MoveTo(JobStatus.Provisioning, now);
        job.InterruptedAt = null;
        change.Say("continued", what, attempt.Number);
        return true;
    }

    /// <summary>Looks again after a pause that doubles, as often as the job's policy says; then it ends.</summary>
    private void NothingFree(JobChange change, Said what)
    {
        var job = change.Job;
        if (PriceOrderRules.Waits(job))
        {
            Wait(change);
            return;
        }

        if (job.EmptySearches >= job.Limits.Retry.Capacity)
        {
            change.End(JobStatus.Failed, StopReason.NoCapacity, what);
            return;
        }

        var pause = options.Value.CapacityPause * Math.Pow(2, Math.Min(job.EmptySearches, 6));
        (job.EmptySearches, job.EmptySearchAt) = (job.EmptySearches + 1, change.Now);
        job.NextStepAt = change.Now + pause;
        job.Message = what + " Nothing is rented" + Said.Money(", it costs $0.00") + $". We look again in {(pause < TimeSpan.FromMinutes(1) ? $"{pause.TotalSeconds:0} s" : $"{pause.TotalMinutes:0.#} min")}; search {job.EmptySearches + 1} of {job.Limits.Retry.Capacity + 1}.";
        if (job.EmptySearches == 1)
        {
            change.Say("waiting", job.Message);
        }
    }
}
