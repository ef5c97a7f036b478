using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Ssh;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>From a contract to an answer over SSH. A boot is judged by its progress, not by the clock alone.</summary>
internal sealed class BootInstance(InstanceRecords records, IMarketplaces marketplaces, IMachines machines, CrossCheck crossCheck, ProviderStops stops, HostKeyAlarm alarm, IOptions<LifecycleOptions> options, TimeProvider time)
{
    private static readonly TimeSpan KnockSoon = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan KnockLater = TimeSpan.FromSeconds(3);
    private const int KnocksSoon = 40;

    public async Task RunAsync(InstanceSnapshot row, RowLease lease)
    {
        var i = row.Instance;
        if (row.Job.Cancel is not null)
        {
            await records.ApplyAsync(i.Id, lease.Fence, change => change.Destroy(StopReason.CancelledByUser, "Stopped while the machine was starting."), lease.Lost);
            return;
        }

        if (Hopeless(row) is { } what)
        {
            await records.ApplyAsync(i.Id, lease.Fence, change => change.Destroy(StopReason.StartFailed, what), lease.Lost);
            return;
        }

        if (i.Observed is ObservedStatus.Stopped or ObservedStatus.WaitingForGpu && await stops.ReadAsync(row, lease.Lost) is var (reason, why))
        {
            await records.ApplyAsync(i.Id, lease.Fence, change => change.Destroy(reason, why), lease.Lost);
            return;
        }

        var market = marketplaces.For(row.Connection);
        if (i.KeyAttachedAt is null)
        {
            await market.AttachSshKeyAsync(i.ContractId!, i.SshPublicKey, lease.Lost);
            await records.ApplyAsync(i.Id, lease.Fence, change => { change.Instance.KeyAttachedAt = change.Now; change.Again(TimeSpan.Zero); }, lease.Lost);
            return;
        }

        if (!MayKnock(i))
        {
            await records.ApplyAsync(i.Id, lease.Fence, change =>
            {
                // The observer may have seen it run meanwhile and asked for a look now.
                if (change.Instance.SeenRunningAt is null)
                {
                    change.Again(options.Value.BootingInterval);
                }
            }, lease.Lost);
            return;
        }

        crossCheck.Begin(i, market);
        try
        {
            var reached = await machines.ReachAsync(i, lease.Lost);
            await records.ApplyAsync(i.Id, lease.Fence, change => Answered(change, reached), lease.Lost);
        }
        catch (HostKeyChanged changed)
        {
            await alarm.RaiseAsync(row, changed, lease);
        }
        catch (SshFailure failure)
        {
            // Only a knock that fails says that it does not let us in: whoever was away meanwhile knocks first.
            var patience = time.GetUtcNow() - Later(i.SeenRunningAt!.Value, i.KeyAttachedAt!.Value);
            await records.ApplyAsync(i.Id, lease.Fence, change =>
            {
                (change.Instance.SshFailures, change.Instance.SshMessage) = (change.Instance.SshFailures + 1, failure.Message);
                if (patience > options.Value.SshAnswer)
                {
                    change.Destroy(StopReason.StartFailed, NotLetIn(change.Instance));
                    return;
                }

                change.Again(change.Instance.SshFailures < KnocksSoon ? KnockSoon : KnockLater);
            }, lease.Lost);
        }
    }

    private static void Answered(InstanceChange change, Reached reached)
    {
        var i = change.Instance;
        i.HostKeys = RouteText.WithPin(i.HostKeys, reached.Route, reached.HostKey);
        (i.AnsweredAt, i.ReadyAt) = (change.Now, change.Now);
        change.Say("ready", $"The machine answers over SSH ({reached.Route}).");
        change.MoveTo(InstanceStatus.Ready);
    }

    /// <summary>Why waiting longer would be money for nothing; null while there is hope.</summary>
    private Said? Hopeless(InstanceSnapshot row)
    {
        var (i, o) = (row.Instance, options.Value);
        var name = row.Connection.Market.Name;
        var rate = i.GpuRate + i.DiskRate;
        if (i.ObservedAt is not null && (rate.MicrosPerHour > i.CeilingRate.MicrosPerHour * 1.02m || i.ObservedRental is { } rental && rental != i.Rental))
        {
            return $"We asked for {Kind(i.Rental)}" + Said.Money($" at {i.CeilingRate.Words()}") + $" and got {Kind(i.ObservedRental ?? i.Rental)}" + Said.Money($" at {rate.Words()}.", rate > i.CeilingRate ? " at a higher rate." : ".");
        }

        if (i.ObservedAt is not null && row.Job.Order is { Binds: true } order && rate > order.Limit)
        {
            return Said.Money($"The job takes a machine at {order.Limit.Words()} or less and got one at {rate.Words()}.", "The machine costs more than the job waits for.");
        }

        if (i.ObservedFatal)
        {
            return $"{name} ended machine {i.ContractId} while starting: \"{i.ObservedMessage}\".";
        }

        if (i.KeyAttachedAt is not null && MayKnock(i))
        {
            return null;
        }

        // Only a listing that is taken after its time says so: one that was taken before nobody looked for a while does not.
        if (i.SeenRunningAt is { } running)
        {
            return row.Connection.ListedAt > running + o.SshAnswer ? NotLetIn(i) : null;
        }

        if (row.Connection.ListedAt > (i.ProgressAt ?? i.CreatedAt) + o.BootProgress)
        {
            return $"Machine {i.ContractId} showed no progress for {o.BootProgress.TotalMinutes:0} min; {name} last said \"{i.ObservedMessage ?? "nothing"}\".";
        }

        return row.Connection.ListedAt > i.CreatedAt + i.BootLimit ? $"Machine {i.ContractId} was not up after {i.BootLimit.TotalMinutes:0} min; {name} last said \"{i.ObservedMessage ?? "nothing"}\"." : null;
    }

    private string NotLetIn(Instance i) => $"The machine in {i.Location ?? "an unnamed place"} is up but did not let us in over SSH for {options.Value.SshAnswer.TotalMinutes:0} min: {i.SshMessage ?? "it has no address yet"}.";

    private static bool MayKnock(Instance i) => i.SeenRunningAt is not null && RouteText.Read(i.Routes).Count > 0;

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;

    private static string Kind(RentalType rental) => rental == RentalType.OnDemand ? "an on-demand machine" : "a bid";
}
