using Dashboard.Domain;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>One due instance, one step by its status. The listing observes; these steps act.</summary>
internal sealed class AdvanceInstance(InstanceRecords records, RentInstance rent, BootInstance boot, SetUpInstance setUp, WatchRun watch, KeepInterrupted keep, ParkMachine park, CollectRun collect, DestroyInstance destroy, KeepFunded funds)
{
    /// <summary>What can be done for an instance while the database takes no writes.</summary>
    public Task WithoutWritingAsync(InstanceId id, CancellationToken ct) => destroy.WithoutWritingAsync(id, ct);

    public async Task RunAsync(InstanceId id, RowLease lease)
    {
        var snapshot = await records.ReadAsync(id, lease.Lost);
        if (await funds.RunAsync(snapshot, lease))
        {
            snapshot = await records.ReadAsync(id, lease.Lost);
        }

        await (snapshot.Instance.Status switch
        {
            InstanceStatus.Intent => rent.SendAsync(snapshot, lease),
            InstanceStatus.Sent => rent.DoubtAsync(snapshot, lease),
            InstanceStatus.Unknown => rent.SettleAsync(snapshot, lease),
            InstanceStatus.Booting => boot.RunAsync(snapshot, lease),
            InstanceStatus.Ready => setUp.RunAsync(snapshot, lease),
            InstanceStatus.Running => watch.RunAsync(snapshot, lease),
            InstanceStatus.Interrupted => keep.RunAsync(snapshot, lease),
            InstanceStatus.Parked => park.RunAsync(snapshot, lease),
            InstanceStatus.Draining => collect.RunAsync(snapshot, lease),
            InstanceStatus.Destroying => destroy.RunAsync(snapshot, lease),
            InstanceStatus.Rejected or InstanceStatus.Gone => records.ApplyAsync(id, lease.Fence, _ => { }, lease.Lost), // no longer due
        });
    }
}
