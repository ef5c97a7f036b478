using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Machines;

/// <summary>What is being paid this second. One number for the burn chip, Home and the head of Machines.</summary>
/// <param name="Rate">Sum over the machines that count: the real ones as soon as the team has one real connection, else the simulated ones.</param>
/// <param name="Machines">How many of them may bill.</param>
/// <param name="AtMost">Some of them are not seen at the moment, so the rate is an upper end.</param>
/// <param name="IsSimulated">The rate is of simulated machines: no money.</param>
/// <param name="Apart">Rate of simulated machines that are left out of <paramref name="Rate"/>.</param>
public sealed record Burn(HourlyRate Rate, int Machines, bool AtMost, bool IsSimulated, HourlyRate Apart);

/// <param name="AtMost">May be billing: not seen by its provider at the moment.</param>
/// <param name="SoFar">Posted to the ledger.</param>
/// <param name="Words">The provider's own, about its state.</param>
public sealed record MachineRow(
    InstanceId Id, string? ContractId, string GpuName, int GpuCount, int VramMb, string? Location, RentalType Rental,
    ConnectionId ConnectionId, Market Market, InstanceStatus Status, string? Words, int JobNumber, string JobName,
    HourlyRate Rate, bool AtMost, bool MayBill, DateTimeOffset CreatedAt, DateTimeOffset? Since, DateTimeOffset? ObservedAt, DateTimeOffset? GoneAt, int DestroyAsks, Money SoFar)
{
    /// <summary>What is off about it, in one sentence; null: nothing is.</summary>
    public string? Anomaly { get; init; }
}

/// <summary>When an account's machines were last listed completely, and what is in it that is not ours.</summary>
/// <param name="Stale">The last complete listing is too old to be sure of anything.</param>
/// <param name="Ours">Machines of ours there that may bill.</param>
public sealed record ListingProof(ConnectionId Id, string Name, Market Market, ConnectionStatus Status, string? StatusMessage, DateTimeOffset? ListedAt, bool Stale, int ForeignCount, HourlyRate ForeignRate, int Ours)
{
    /// <summary>Never asked, and nothing of ours is there: no reason for alarm.</summary>
    public bool NotYetListed => ListedAt is null && Ours == 0;
}

/// <param name="Rows">Those that may bill, oldest first, then those that ended, newest first.</param>
public sealed record MachinesView(IReadOnlyList<MachineRow> Rows, IReadOnlyList<ListingProof> Listings, Burn Burn);

/// <summary>Every machine of the team, ours or not.</summary>
public sealed class MachineQueries(AppDatabase database, TimeProvider time)
{
    /// <summary>A listing older than this proves nothing any more; the reconciler lists every 15 seconds.</summary>
    public static readonly TimeSpan ListingLimit = TimeSpan.FromMinutes(2);

    private const int MostEnded = 200;

    public async Task<Burn> BurnAsync(TeamContext team, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var (rows, listings) = await BillingAsync(db, team, ct);
        return Sum(rows, listings);
    }

    /// <summary>The machines that may bill; with <paramref name="ended"/> also the last 200 that are gone.</summary>
    public async Task<MachinesView> ListAsync(TeamContext team, bool ended, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var (billing, listings) = await BillingAsync(db, team, ct);
        var rows = billing;
        if (ended)
        {
            var gone = await db.Instances.AsNoTracking()
                .Where(i => i.Status == InstanceStatus.Gone || i.Status == InstanceStatus.Rejected)
                .OrderByDescending(i => i.CreatedAt).Take(MostEnded).ToListAsync(ct);
            rows = [.. billing, .. await RowsAsync(db, team, gone, listings, ct)];
        }

        return new MachinesView(rows, [.. listings.Where(Matters)], Sum(billing, listings));
    }

    private async Task<(IReadOnlyList<MachineRow> Rows, IReadOnlyList<ListingProof> Listings)> BillingAsync(AppDbContext db, TeamContext team, CancellationToken ct)
    {
        var now = time.GetUtcNow();

        // Whole rows, untracked: what a machine costs now is said by the instance alone, and only a few are not final.
        var instances = await db.Instances.AsNoTracking()
            .Where(i => i.Status != InstanceStatus.Gone && i.Status != InstanceStatus.Rejected)
            .OrderBy(i => i.CreatedAt).ToListAsync(ct);
        var listings = await db.Connections.AsNoTracking().OrderBy(c => c.CreatedAt)
            .Select(c => new { c.Id, c.Name, c.Market, c.Status, c.StatusMessage, c.ListedAt, c.ForeignCount, c.ForeignRate }).ToListAsync(ct);
        List<ListingProof> proofs = [.. listings.Select(c => new ListingProof(
            c.Id, c.Name, c.Market, c.Status, c.StatusMessage, c.ListedAt, c.ListedAt is not { } at || now - at > ListingLimit, c.ForeignCount, c.ForeignRate,
            instances.Count(i => i.ConnectionId == c.Id && InstanceRules.MayBill(i.Status))))];
        return (await RowsAsync(db, team, instances, proofs, ct), proofs);
    }

    private static async Task<IReadOnlyList<MachineRow>> RowsAsync(AppDbContext db, TeamContext team, List<Instance> instances, IReadOnlyList<ListingProof> listings, CancellationToken ct)
    {
        if (instances.Count == 0)
        {
            return [];
        }

        var (ids, jobIds) = (instances.Select(i => i.Id).ToList(), instances.Select(i => i.JobId).Distinct().ToList());
        var posted = await db.Ledger.Where(e => ids.Contains(e.InstanceId)).GroupBy(e => e.InstanceId)
            .Select(g => new { g.Key, Micros = g.Sum(e => e.Amount.Micros) }).ToDictionaryAsync(g => g.Key, g => new Money(g.Micros), ct);
        var jobs = await db.Jobs.AsNoTracking().Where(j => jobIds.Contains(j.Id)).Select(j => new { j.Id, j.Number, j.Name }).ToDictionaryAsync(j => j.Id, ct);
        var proofs = listings.ToDictionary(c => c.Id);
        var anomalies = await MachineAnomalies.OpenAsync(db, [.. instances.Where(i => InstanceRules.MayBill(i.Status)).Select(i => i.Id)], ct);
        return [.. instances.Select(i =>
        {
            var (job, proof) = (jobs[i.JobId], proofs[i.ConnectionId]);
            var mayBill = InstanceRules.MayBill(i.Status);
            var unseen = mayBill && (i.Status == InstanceStatus.Unknown || proof.Stale || i.Observed == ObservedStatus.Unreachable);
            return new MachineRow(
                i.Id, i.ContractId, i.GpuName, i.GpuCount, i.VramMb, i.Location, i.Rental, i.ConnectionId, proof.Market, i.Status, i.ObservedMessage, job.Number, job.Name,
                i.BurnRate, unseen, mayBill, i.CreatedAt, i.BillingSince ?? i.SentAt, i.ObservedAt, i.GoneAt, i.DestroyAsks, posted.GetValueOrDefault(i.Id))
            {
                Anomaly = anomalies[i.Id].FirstOrDefault()?.Detail.To(team),
            };
        })];
    }

    private static Burn Sum(IReadOnlyList<MachineRow> rows, IReadOnlyList<ListingProof> listings)
    {
        var simulated = listings.Any(Matters) && !listings.Any(c => Matters(c) && !c.Market.Simulated);
        var counted = rows.Where(r => r.MayBill && r.Market.Simulated == simulated).ToList();
        return new Burn(
            Total(counted), counted.Count, counted.Any(r => r.AtMost), simulated,
            Total(rows.Where(r => r.MayBill && r.Market.Simulated && !simulated)));
    }

    // A removed connection is kept for the ledger only, unless a machine of it may bill after all.
    private static bool Matters(ListingProof listing) => listing.Status != ConnectionStatus.Removed || listing.Ours > 0;

    private static HourlyRate Total(IEnumerable<MachineRow> rows) => rows.Aggregate(HourlyRate.Zero, (sum, row) => sum + row.Rate);
}
