using System.Collections.Concurrent;
using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>
/// Compares one complete listing of a provider account with our rows: freezes rates, meters, notices boot progress and
/// lost machines, proves absence, sweeps what is ours and has ended. A listing that failed changes nothing.
/// </summary>
internal sealed partial class ObserveAccount(
    AppDatabase database,
    InstanceRecords records,
    IMarketplaces marketplaces,
    IMachines machines,
    InstanceLabels labels,
    UnknownMachines unknown,
    Quarantine quarantine,
    ObserveInstance observe,
    IConnectionHealth health,
    ChangeFeed changes,
    IOptions<LifecycleOptions> options,
    TimeProvider time,
    ILogger<ObserveAccount> log)
{
    private readonly ConcurrentDictionary<string, int> _strays = new(); // contract id -> complete listings seen in

    public async Task RunAsync(ConnectionId id, CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        var connection = await db.Connections.AsNoTracking().SingleAsync(c => c.Id == id, ct);
        var market = marketplaces.For(connection);
        InstanceListing listing;
        try
        {
            listing = await market.ListAsync(ct);
        }
        catch (CredentialRejectedException refused)
        {
            await health.BreakAsync(connection, refused.Message, ct);
            return;
        }
        catch (MarketplaceException fault)
        {
            NotListed(connection.Id.Value, fault.Message);
            return; // nothing is known: rows keep their state and their age
        }

        var rows = await db.Instances.AsNoTracking()
            .Where(i => i.ConnectionId == id && i.Status != InstanceStatus.Intent && i.Status != InstanceStatus.Rejected && i.Status != InstanceStatus.Gone)
            .ToListAsync(ct);
        var seen = listing.Instances.GroupBy(o => o.ContractId).ToDictionary(g => g.Key, g => g.First());
        foreach (var row in rows.Where(r => r.ContractId is not null))
        {
            if (seen.TryGetValue(row.ContractId!, out var observed))
            {
                await records.ApplyAsync(row.Id, null, change => observe.Note(change, observed, listing.At), ct);
            }
            else
            {
                await AbsentAsync(row, market, listing.At, ct);
            }
        }

        if (!quarantine.IsOn)
        {
            await SweepAsync(connection, market, listing, ct);
        }

        await unknown.NoteAsync(connection, market, listing, ct);
        await NoteAsync(connection, listing, ct);
    }

    private async Task AbsentAsync(Instance row, IMarketplace market, DateTimeOffset at, CancellationToken ct)
    {
        var o = options.Value;
        if (at < row.SentAt || at <= row.ObservedAt)
        {
            return; // taken before it was rented, or before another listing saw it: by a server that stood still meanwhile
        }

        if (row.ObservedAt is null && at - (row.SentAt ?? row.CreatedAt) < o.ListLag
            && (row.DestroyAcceptedAt is null || await market.GetAsync(row.ContractId!, ct) is not null))
        {
            return; // lists lag behind rents; reading by id does not
        }

        var proven = row.AbsentSince is { } since && at - since >= o.AbsenceProof;
        if (row.AbsentSince is not null && !proven)
        {
            return;
        }

        if (proven && await market.GetAsync(row.ContractId!, ct) is { } hidden)
        {
            // Two listings without it were wrong.
            await records.ApplyAsync(row.Id, null, change => observe.Note(change, hidden, at), ct);
            return;
        }

        await records.ApplyAsync(row.Id, null, change =>
        {
            var i = change.Instance;
            if (i.AbsentSince is null)
            {
                i.AbsentSince = at;
            }
            else if (i.Status != InstanceStatus.Destroying)
            {
                // Nobody here asked for its end. Ask for it all the same: what is gone cannot be hurt, what hides can.
                change.Destroy(StopReason.HostLost, $"{change.Connection.Market.Name} no longer lists the machine.");
            }
            else if (i.DestroyAcceptedAt is not null)
            {
                Gone(change);
            }
        }, ct);
        if (proven)
        {
            await machines.ReleaseAsync(row.Id);
        }
    }

    private static void Gone(InstanceChange change)
    {
        var i = change.Instance;

        // What no listing showed any more when the destroy was accepted had ended before: at an ask whose answer was lost, or by itself.
        var end = i.AbsentSince < i.DestroyAcceptedAt ? ObserveInstance.Halfway(i.ObservedAt, i.AbsentSince.Value) : i.DestroyAcceptedAt!.Value;
        i.BillingSince ??= i.SentAt; // destroyed before any listing showed it: its disk was billed all the same
        MeterUsage.Gpu(change, end);
        MeterUsage.Disk(change, end);
        MeterUsage.Traffic(change, end);
        (i.RunningSince, i.ProtectedSshKey, i.ProtectedInstanceKey) = (null, null, null);
        change.Say("gone", $"Machine {i.ContractId} is confirmed gone after {i.DestroyAsks} {(i.DestroyAsks == 1 ? "ask" : "asks")}.");
        change.MoveTo(InstanceStatus.Gone);
        InboxWriter.Resolve(change.Db, change.Job.TeamId, $"destroy/{i.Id}", change.Now);
    }

    /// <summary>Machines with our signed label whose row has ended: a rent that was believed refused, or a copy. Foreign ones are counted and never touched.</summary>
    private async Task SweepAsync(Connection connection, IMarketplace market, InstanceListing listing, CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        foreach (var stray in listing.Instances)
        {
            if (labels.Verify(stray.Label) is not { } id || await db.Instances.AsNoTracking().SingleOrDefaultAsync(i => i.Id == id, ct) is not { } row)
            {
                continue;
            }

            var ended = InstanceRules.IsFinal(row.Status) || (row.ContractId is not null && row.ContractId != stray.ContractId);
            if (row.ConnectionId != connection.Id || !ended)
            {
                continue;
            }

            var times = _strays.AddOrUpdate(stray.ContractId, 1, (_, before) => before + 1);
            if (times >= 2)
            {
                try
                {
                    await market.DestroyAsync(stray.ContractId, ct);
                    Swept(stray.ContractId, row.Id.Value);
                    if (times == 2)
                    {
                        await records.ApplyAsync(row.Id, null, change => change.Say("swept", $"Machine {stray.ContractId} showed up late with the label of this attempt; destroyed."), ct);
                    }
                }
                catch (MarketplaceException fault)
                {
                    NotListed(connection.Id.Value, fault.Message);
                }
            }
        }
    }

    private async Task NoteAsync(Connection connection, InstanceListing listing, CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        var contracts = listing.Instances.Select(o => o.ContractId).ToList();
        var known = await db.Instances.AsNoTracking().Where(i => i.ContractId != null && contracts.Contains(i.ContractId)).Select(i => i.ContractId!).ToListAsync(ct);
        var foreign = listing.Instances.Where(o => !known.Contains(o.ContractId) && labels.Verify(o.Label) is null).ToList();

        var row = await db.Connections.SingleAsync(c => c.Id == connection.Id, ct);
        var mended = row.Status == ConnectionStatus.Broken;
        ForeignMachines.Note(db, row, foreign, listing.At, time.GetUtcNow());
        if (mended)
        {
            (row.Status, row.StatusMessage) = (ConnectionStatus.Works, null);
            var now = time.GetUtcNow();
            foreach (var waiting in await db.Instances.Where(i => i.ConnectionId == row.Id && i.NextStepAt > now).ToListAsync(ct))
            {
                waiting.NextStepAt = now; // what could not be asked for is asked for now
            }

            InboxWriter.Resolve(db, row.TeamId, $"key/{row.Id}", time.GetUtcNow());
        }

        await db.SaveChangesAsync(ct);
        if (mended || foreign.Count != connection.ForeignCount)
        {
            changes.Publish(row.TeamId);
        }
    }

    [LoggerMessage(EventId = 2201, Level = LogLevel.Warning, Message = "Account of connection {ConnectionId} could not be listed: {Reason}")]
    private partial void NotListed(Guid connectionId, string reason);

    [LoggerMessage(EventId = 2202, Level = LogLevel.Warning, Message = "Destroyed stray machine {ContractId} of ended instance {InstanceId}")]
    private partial void Swept(string contractId, Guid instanceId);
}
