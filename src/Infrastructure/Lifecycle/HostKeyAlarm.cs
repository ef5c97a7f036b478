using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Ssh;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>A machine that shows another host key than the pinned one: either its address now belongs to somebody else, or it is no longer the machine we rented.</summary>
internal sealed class HostKeyAlarm(InstanceRecords records, IMarketplaces marketplaces)
{
    /// <summary>Reads the address anew first. The same address with another key ends the machine, and people are told.</summary>
    public async Task RaiseAsync(InstanceSnapshot row, HostKeyChanged changed, RowLease lease)
    {
        var now = await marketplaces.For(row.Connection).GetAsync(row.Instance.ContractId!, lease.Lost);
        var routes = now is { Routes.Count: > 0 } ? RouteText.Write(now.Routes) : row.Instance.Routes;
        if (routes != row.Instance.Routes)
        {
            await records.ApplyAsync(row.Instance.Id, lease.Fence, change =>
            {
                change.Instance.Routes = routes;
                change.Say("moved", "The machine has another address now; using that one.");
                change.Again(TimeSpan.Zero);
            }, lease.Lost);
            return;
        }

        await RaiseAsync(row, $"The machine now shows host key {changed.Seen}, not the one it was rented with. Nothing was sent or read since.", lease);
    }

    public Task RaiseAsync(InstanceSnapshot row, string what, RowLease lease) => records.ApplyAsync(row.Instance.Id, lease.Fence, change =>
    {
        change.Destroy(StopReason.HostKeyChanged, what);
        change.Attention("host-key", $"host-key/{change.Instance.Id}", $"Machine {change.Instance.ContractId} changed its host key", $"{what} It is being destroyed. What it sent before may not be trusted.");
    }, lease.Lost);
}
