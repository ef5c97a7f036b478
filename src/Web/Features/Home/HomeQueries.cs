using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Features.Machines;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Home;

/// <summary>One line of the burn card: a job and what its machines cost an hour.</summary>
/// <param name="DiskOnly">Its GPU does not bill at the moment.</param>
/// <param name="Ended">Nothing of it bills any more; it was there when the card was opened.</param>
public sealed record BurnShare(int JobNumber, string JobName, HourlyRate Rate, bool DiskOnly, bool Bid, bool AtMost, bool Ended = false);

/// <param name="Adds">What the rate rises by when the machine's GPU starts.</param>
public sealed record StartingMachine(int JobNumber, HourlyRate Adds);

public sealed record BurnSplit(Burn Burn, IReadOnlyList<BurnShare> Shares, IReadOnlyList<StartingMachine> Starting);

public sealed record Balance(string Name, Market Market, ConnectionStatus Status, Money? Credit, DateTimeOffset? CheckedAt, Runway Runway);

public sealed record Balances(IReadOnlyList<Balance> Rows);

/// <summary>The cards of Home that are no list of jobs.</summary>
public sealed class HomeQueries(AppDatabase database, MachineQueries machines, TimeProvider time)
{
    public async Task<BurnSplit> BurnAsync(TeamContext team, CancellationToken ct)
    {
        team.Require(Permission.See);
        var view = await machines.ListAsync(team, ended: false, ct);
        var shares = view.Rows.Where(r => r.MayBill && r.Market.Simulated == view.Burn.IsSimulated)
            .GroupBy(r => r.JobNumber)
            .Select(g => new BurnShare(
                g.Key, g.First().JobName, g.Aggregate(HourlyRate.Zero, (sum, r) => sum + r.Rate),
                g.All(r => r.Status is not (InstanceStatus.Running or InstanceStatus.Ready or InstanceStatus.Draining)),
                g.Any(r => r.Rental == RentalType.Interruptible), g.Any(r => r.AtMost)))
            .OrderByDescending(s => s.Rate).ToList();
        var booting = view.Rows.Where(r => r.MayBill && r.Market.Simulated == view.Burn.IsSimulated && r.Status is (InstanceStatus.Sent or InstanceStatus.Booting)).ToDictionary(r => r.Id, r => r.JobNumber);
        if (booting.Count == 0)
        {
            return new BurnSplit(view.Burn, shares, []);
        }

        await using var db = await database.ForTeamAsync(team, ct);
        var rates = await db.Instances.AsNoTracking().Where(i => booting.Keys.Contains(i.Id) && i.RunningSince == null).OrderBy(i => i.CreatedAt).Select(i => new { i.Id, i.GpuRate }).ToListAsync(ct);
        return new BurnSplit(view.Burn, shares, [.. rates.Select(i => new StartingMachine(booting[i.Id], i.GpuRate))]);
    }

    public async Task<Balances> BalancesAsync(TeamContext team, CancellationToken ct)
    {
        team.Require(Permission.SeeMoney);
        var view = await machines.ListAsync(team, ended: false, ct);
        await using var db = await database.ForTeamAsync(team, ct);
        var connections = await db.Connections.AsNoTracking().Where(c => c.Status != ConnectionStatus.Removed).OrderBy(c => c.CreatedAt)
            .Select(c => new { c.Id, c.Name, c.Market, c.Status, c.Credit, c.CheckedAt, c.ForeignRate }).ToListAsync(ct);
        return new Balances([.. connections.Select(c => new Balance(c.Name, c.Market, c.Status, c.Credit, c.CheckedAt,
            Runway.Of(c.Credit, view.Rows.Where(r => r.ConnectionId == c.Id && r.MayBill).Aggregate(c.ForeignRate, (sum, r) => sum + r.Rate), c.CheckedAt, time.GetUtcNow())))]);
    }
}
