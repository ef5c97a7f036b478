using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>What the provider's listing says against a machine going on. We asked for none of it.</summary>
internal sealed class ProviderStops(AppDatabase database, IMarketplaces marketplaces, IOptions<LifecycleOptions> options, TimeProvider time)
{
    /// <summary>Why the machine is of no more use; null while it is, or may be again.</summary>
    public async Task<(StopReason Reason, string What)?> ReadAsync(InstanceSnapshot row, CancellationToken ct)
    {
        var (i, o, now) = (row.Instance, options.Value, time.GetUtcNow());
        var name = row.Connection.Market.Name;

        // From when it was first seen like that up to the listing: a server that was away has heard no silence.
        var silent = i.ObservedAt - (i.ProgressAt > i.AnsweredAt ? i.ProgressAt : i.AnsweredAt ?? i.ProgressAt ?? i.CreatedAt);
        return i.Observed switch
        {
            ObservedStatus.Stopped or ObservedStatus.WaitingForGpu when i.ContractEnd <= now => (StopReason.DeadlineReached, $"The machine's contract at {name} ended."),
            ObservedStatus.Stopped or ObservedStatus.WaitingForGpu when silent > o.ExitedGrace || i.RunningSince is null && i.SeenRunningAt is not null => await StoppedAsync(row, ct),
            ObservedStatus.Failed when silent > o.ExitedGrace => (StopReason.HostLost, $"The container on machine {i.ContractId} ended: \"{i.ObservedMessage}\"."),
            ObservedStatus.Unreachable when silent > o.HostReturn => (StopReason.HostLost, Offline(i, o)),
            _ => null,
        };
    }

    /// <summary>Of a host that neither the provider nor we have heard of for as long as one waits for it.</summary>
    public static string Offline(Instance i, LifecycleOptions o) => $"The host of machine {i.ContractId} has been offline for {o.HostReturn.TotalMinutes:0} min.";

    /// <summary>Asks for the balance first: a minute-old one would send the job to another machine that cannot be paid either.</summary>
    private async Task<(StopReason Reason, string What)> StoppedAsync(InstanceSnapshot row, CancellationToken ct)
    {
        var name = row.Connection.Market.Name;
        var credit = row.Connection.Credit;
        try
        {
            credit = (await marketplaces.For(row.Connection).GetAccountAsync(ct)).Credit;
            await using var db = await database.ForSystemAsync(ct);
            await db.Connections.Where(c => c.Id == row.Connection.Id).ExecuteUpdateAsync(set => set.SetProperty(c => c.Credit, credit), ct);
        }
        catch (MarketplaceException)
        {
            // The last known balance has to do.
        }

        return credit <= Money.Zero
            ? (StopReason.CreditExhausted, $"{name} stopped the machine because the account has no credit left.")
            : (StopReason.Interrupted, $"{name} stopped the machine; we did not ask for it.");
    }
}
