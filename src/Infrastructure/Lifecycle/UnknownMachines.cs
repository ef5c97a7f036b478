using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>
/// Keeps the list of machines that wear our signed label and are in no row. A row is committed before every rent, so such a machine means
/// that this database has lost something: it begins the quarantine. They are destroyed only when a person has said so.
/// </summary>
internal sealed class UnknownMachines(AppDatabase database, InstanceLabels labels, Quarantine quarantine, ChangeFeed changes, TimeProvider time)
{
    private const int ListingsToBelieve = 2;

    public async Task NoteAsync(Connection connection, IMarketplace market, InstanceListing listing, CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        var now = time.GetUtcNow();
        var known = await db.UnknownMachines.Where(m => m.ConnectionId == connection.Id && m.GoneAt == null).ToListAsync(ct);
        var listed = await WithoutRowAsync(db, listing, ct);
        if (known.Count == 0 && listed.Count == 0)
        {
            return;
        }

        foreach (var observed in listed)
        {
            if (known.Find(m => m.ContractId == observed.ContractId) is not { } machine)
            {
                machine = new UnknownMachine
                {
                    TeamId = connection.TeamId, ConnectionId = connection.Id, ContractId = observed.ContractId, Label = observed.Label!, Rate = observed.RateNow, FirstSeenAt = now, SeenAt = now,
                };
                db.UnknownMachines.Add(machine);
                known.Add(machine);
            }

            (machine.Rate, machine.SeenAt, machine.Listings) = (observed.RateNow, now, machine.Listings + 1);
        }

        foreach (var gone in known.Where(m => listed.All(o => o.ContractId != m.ContractId)))
        {
            gone.GoneAt = now; // should a list have been wrong, the next one makes a new entry
        }

        var living = known.Where(m => m.GoneAt is null).ToList();
        var believed = living.Where(m => m.Listings >= ListingsToBelieve).ToList();
        Tell(db, connection, believed, now);
        await db.SaveChangesAsync(ct);
        changes.Publish(connection.TeamId);

        if (believed.Any(m => m.Choice == UnknownMachineChoice.None))
        {
            await quarantine.BeginAsync($"{connection.Market.Name} lists {Count(believed.Count)} with this installation's signed label that the database does not know: it has lost what it knew.", ct);
        }

        foreach (var doomed in believed.Where(m => m.Choice == UnknownMachineChoice.Destroy))
        {
            try
            {
                await market.DestroyAsync(doomed.ContractId, ct);
            }
            catch (MarketplaceException)
            {
                // Asked for again at every listing that still has it.
            }
        }
    }

    private async Task<IReadOnlyList<ObservedInstance>> WithoutRowAsync(AppDbContext db, InstanceListing listing, CancellationToken ct)
    {
        var ours = listing.Instances.Select(o => (Observed: o, Id: labels.Verify(o.Label))).Where(o => o.Id is not null).ToList();
        var ids = ours.Select(o => o.Id!.Value).ToList();
        var rows = await db.Instances.AsNoTracking().Where(i => ids.Contains(i.Id)).Select(i => i.Id).ToListAsync(ct);
        return [.. ours.Where(o => !rows.Contains(o.Id!.Value)).Select(o => o.Observed)];
    }

    private static void Tell(AppDbContext db, Connection connection, IReadOnlyList<UnknownMachine> machines, DateTimeOffset now)
    {
        var key = $"unknown/{connection.Id}";
        if (machines.Count == 0)
        {
            InboxWriter.Resolve(db, connection.TeamId, key, now);
            return;
        }

        var rate = machines.Aggregate(HourlyRate.Zero, (sum, m) => sum + m.Rate);
        InboxWriter.Open(
            db,
            connection.TeamId,
            "unknown-machine",
            key,
            $"{Count(machines.Count)} of this installation that the database does not know",
            $"Machine {string.Join(", ", machines.Select(m => m.ContractId))} at {connection.Market.Name}, billing" + Said.Money($" {rate.Words()}") + ". A site administrator decides about them on the System page.",
            "/connections",
            "Look",
            machines.Min(m => m.FirstSeenAt));
    }

    private static string Count(int machines) => machines == 1 ? "1 machine" : $"{machines} machines";
}
