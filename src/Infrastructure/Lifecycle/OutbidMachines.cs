using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>What a person can do about a machine that was outbid.</summary>
public sealed class OutbidMachines(AppDatabase database, IMarketplaces marketplaces, LifecycleSignal signal, ChangeFeed changes, TimeProvider time)
{
    /// <summary>A machine is kept at most so long for a person who waits for it.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromHours(24);

    /// <summary>Bids more for the job's machine, and from now on for its next ones. The rates are taken from the provider's next listing.</summary>
    /// <returns>False: it has no machine that was rented with a bid.</returns>
    /// <exception cref="MarketplaceException">The provider did not take it; asking again is harmless.</exception>
    public async Task<bool> RaiseAsync(JobId id, UserId person, HourlyRate bid, CancellationToken ct)
    {
        Instance? machine = null;
        await ChangeAsync(id, (db, job, kept) =>
        {
            machine = kept;
            db.Entry(job).Property(j => j.Limits).CurrentValue = job.Limits with { Bid = (job.Limits.Bid ?? new BidPlan()) with { Bid = bid } };
            return Said.Money($"Bid {bid.Words()}, before {kept.GpuRate.Words()}.", "Another bid.");
        }, person, ct);
        if (machine is null)
        {
            return false;
        }

        await using var db = await database.ForSystemAsync(ct);
        var connection = await db.Connections.AsNoTracking().SingleAsync(c => c.Id == machine.ConnectionId, ct);
        await marketplaces.For(connection).ChangeBidAsync(machine.ContractId!, bid, ct);
        signal.Wake();
        return true;
    }

    /// <summary>Waits for the machine instead of going on elsewhere, a day at most.</summary>
    /// <returns>False: it has none that is kept.</returns>
    public Task<bool> WaitAsync(JobId id, UserId person, CancellationToken ct) => ChangeAsync(id, (_, job, kept) =>
    {
        if (kept.Status != InstanceStatus.Interrupted)
        {
            return null;
        }

        (kept.WaitedFor, kept.KeptUntil) = (true, kept.InterruptedAt + LongestWait);
        job.Message = $"{KeepInterrupted.Outbid(kept)} It is waited for, a day at most; its disk " + Said.Money($"costs {kept.DiskRate.For(TimeSpan.FromDays(1)).Words()}/day", "bills") + " meanwhile.";
        return "Waiting for the machine instead of going on elsewhere.";
    }, person, ct);

    private async Task<bool> ChangeAsync(JobId id, Func<AppDbContext, Job, Instance, Said?> change, UserId person, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await using var db = await database.ForSystemAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var job = await db.Jobs.SingleAsync(j => j.Id == id, ct);
        var kept = await db.Instances.SingleOrDefaultAsync(
            i => i.JobId == id && i.Rental == RentalType.Interruptible && (i.Status == InstanceStatus.Running || i.Status == InstanceStatus.Interrupted), ct);
        if (kept is null || change(db, job, kept) is not { } said)
        {
            return false;
        }

        kept.NextStepAt = now;
        db.JobEvents.Add(new JobEvent { TeamId = job.TeamId, JobId = id, InstanceId = kept.Id, AttemptNumber = kept.AttemptNumber, At = now, Kind = "bid", Text = said, PersonId = person });
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None);
        signal.Wake();
        changes.Publish(job.TeamId, id);
        return true;
    }
}
