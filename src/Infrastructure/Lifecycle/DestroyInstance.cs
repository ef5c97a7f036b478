using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Notifications;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>Asks the provider to destroy the machine, and asks again, for ever, until two complete listings prove it gone. Until then it counts as billing.</summary>
internal sealed class DestroyInstance(InstanceRecords records, IMarketplaces marketplaces, IMachines machines, HomeCheckpoints checkpoints, ObserveInstance observe, IConnectionHealth health, IOptions<LifecycleOptions> options, TimeProvider time)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LookPatience = TimeSpan.FromSeconds(5);

    public async Task RunAsync(InstanceSnapshot row, RowLease lease)
    {
        var i = row.Instance;
        if (i.DestroyAcceptedAt is not null && i.AbsentSince is not null)
        {
            await records.ApplyAsync(i.Id, lease.Fence, change => change.Again(options.Value.ProofWait), lease.Lost); // the listings will tell
            return;
        }

        if (i.ObservedAt is null && i.DestroyAsks == 0)
        {
            await LookAsync(row, lease);
        }

        var asked = time.GetUtcNow();
        string? failure = null;
        try
        {
            await marketplaces.For(row.Connection).DestroyAsync(i.ContractId!, lease.Lost);
        }
        catch (CredentialRejectedException refused)
        {
            failure = MarketplaceMessages.What(refused, row.Connection);
            await health.BreakAsync(row.Connection, refused.Message, lease.Lost);
        }
        catch (MarketplaceException fault)
        {
            failure = fault.Message;
        }

        await records.ApplyAsync(i.Id, lease.Fence, change => Asked(change, asked, failure), lease.Lost);
        await checkpoints.StopAsync(i.Id);
        await machines.ReleaseAsync(i.Id);
    }

    /// <summary>No listing has shown it yet: the last chance to learn whether it ran, for the ledger. Its end does not wait for an answer.</summary>
    private async Task LookAsync(InstanceSnapshot row, RowLease lease)
    {
        using var patience = new CancellationTokenSource(LookPatience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, lease.Lost);
        try
        {
            var at = time.GetUtcNow();
            if (await marketplaces.For(row.Connection).GetAsync(row.Instance.ContractId!, either.Token) is { } seen)
            {
                await records.ApplyAsync(row.Instance.Id, lease.Fence, change => observe.Note(change, seen, at), lease.Lost);
            }
        }
        catch (Exception) when (!lease.Lost.IsCancellationRequested)
        {
            // Whatever it was, the machine is asked to go; the bill will say what it ran.
        }
    }

    /// <summary>
    /// Where nothing can be written down: one question, of which no row will know. Safe without a lease, because asking twice destroys no more
    /// than asking once; the steps that follow are taken once there is room again.
    /// </summary>
    public async Task WithoutWritingAsync(InstanceId id, CancellationToken ct)
    {
        var row = await records.ReadAsync(id, ct);
        if (row.Instance is { Status: InstanceStatus.Destroying, ContractId: { } contract })
        {
            await marketplaces.For(row.Connection).DestroyAsync(contract, ct);
        }
    }

    private void Asked(InstanceChange change, DateTimeOffset asked, string? failure)
    {
        var i = change.Instance;
        i.DestroyAsks++;
        i.DestroyAskedAt ??= asked;
        if (failure is null)
        {
            if (i.DestroyAcceptedAt is null || i.ObservedAt > i.DestroyAcceptedAt)
            {
                // Providers stop the meter when the question arrives and answer when the machine has ended. One that was listed since had not ended.
                var first = i.DestroyAcceptedAt is null;
                i.DestroyAcceptedAt = asked;
                if (first)
                {
                    change.Say("destroying", $"{change.Connection.Market.Name} accepted to destroy machine {i.ContractId}.");
                }
            }

            change.Again(options.Value.ProofWait);
        }
        else
        {
            i.ObservedMessage = failure;
            change.Say("destroy-failed", $"Asked to destroy machine {i.ContractId}, {i.DestroyAsks}. time: {failure}");
            var wait = options.Value.DestroyRetry * Math.Pow(2, Math.Min(i.DestroyAsks - 1, 6));
            change.Again(wait < LongestWait ? wait : LongestWait);
        }

        if (change.Now - i.DestroyAskedAt >= options.Value.DestroyAlarm)
        {
            var rate = i.GpuRate + i.DiskRate;
            change.Attention(
                InboxKinds.DestroyUnconfirmed,
                $"destroy/{i.Id}",
                $"Machine {i.ContractId} is not confirmed gone",
                $"Asked {i.DestroyAsks} times since {i.DestroyAskedAt:HH:mm} UTC. It may be billing" + Said.Money($" {rate.Words()}") + $" until {change.Connection.Market.Name} says that it is gone.",
                "Look",
                rate,
                critical: change.Connection.Status == ConnectionStatus.Broken);
            Outbox.Announce(
                change.Db, change.Job.TeamId, OutboxKinds.DestroyUnconfirmed, $"{i.Id}/{(int)(change.Now - i.DestroyAskedAt!.Value).TotalHours}", $"{{\"instance\":\"{i.Id}\"}}", change.Now); // hourly
        }
    }
}
