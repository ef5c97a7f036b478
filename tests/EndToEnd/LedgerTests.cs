using Dashboard.EndToEnd.Harness;
using Dashboard.Tests.Shared;

namespace Dashboard.EndToEnd;

/// <summary>Our ledger, metered from what we observed, against the bill of the market, which knows nothing of us.</summary>
public sealed class LedgerTests
{
    private const decimal BillingFactor = 1000;
    private const decimal ShareInAll = 0.005m;
    private const decimal PollSeconds = 2; // while a machine comes up or goes down
    private const int TransitionsOfEachRate = 2; // it begins and it ends

    // Often enough for several intervals in a short job, and for the rounded ages of several listings to tell its start.
    // The bill is read soon after an end: Hangfire looks every minute.
    private static readonly Dictionary<string, string> MeteredOften = new()
    {
        ["Lifecycle:MeterEvery"] = "00:00:05", ["Lifecycle:QuietInterval"] = "00:00:02", ["Reconciliation:AfterEnd"] = "00:00:02", ["Reconciliation:Every"] = "00:00:10",
    };

    [Fact]
    public async Task The_ledger_is_the_markets_bill_to_half_a_percent_and_a_dropped_entry_would_show()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await World.StartAsync(new WorldSettings { Slot = 2, BillingFactor = BillingFactor, Server = MeteredOften }, ct);
        using var api = new Api(world);
        var connection = await api.SandboxConnectionAsync(ct);

        var finished = await api.SubmitSmokeAsync(connection, "ledger-finished", TestSize.IsFull ? 900 : 500, ct);
        var stopped = await api.SubmitSmokeAsync(connection, "ledger-stopped", 5_000, ct);
        await api.ReachesAsync(finished, "Succeeded", ct);
        Assert.True(await api.CancelAsync(stopped, "DestroyNow", ct));
        await api.ReachesAsync(stopped, "Cancelled", ct);
        await Eventually.HoldsAsync(async () => (await Truth.OfAsync(world, ct)).Living == 0, "no machine lives", ct: ct);

        var contracts = (await Truth.OfAsync(world, ct)).Contracts;
        var books = new Books(world.Server.Database);
        await Eventually.HoldsAsync(() => books.Instances().All(row => row.Status is "Gone" or "Rejected"), "the last intervals are posted", ct: ct);
        var entries = books.Metered();
        Assert.Null(Difference(contracts, entries));
        var noticeable = contracts.Sum(contract => contract.BilledUsd) * ShareInAll * 2 / BillingFactor;
        var intervals = entries.Where(entry => entry.Kind == "Gpu" && entry.Usd > noticeable).ToList();
        Assert.True(intervals.Count >= 4, "Usage was not metered while it ran.");
        foreach (var dropped in intervals)
        {
            Assert.True(Difference(contracts, [.. entries.Where(entry => entry != dropped)]) is not null, $"Nobody would notice that {dropped} is missing.");
        }

        // The bill is a thousand times ours: whatever it says, the ledger says the same once it was read, to the last digit.
        await Eventually.HoldsAsync(() => contracts.All(contract => books.IsSettled(contract.Id)), "the bill was read", TimeSpan.FromMinutes(3), ct);
        var charges = await Truth.ChargesAsync(world, ct);
        var booked = books.Booked();
        Assert.Equal(charges.Where(c => c.Usd != 0).OrderBy(c => c.ContractId, StringComparer.Ordinal).ThenBy(c => c.Kind, StringComparer.Ordinal), booked.Where(b => b.Usd != 0)); // what rounds to nothing needs no entry
        Assert.All(contracts, contract => Assert.InRange(decimal.Abs(contract.BilledUsd - booked.Where(b => b.ContractId == contract.Id).Sum(b => b.Usd)), 0, 0.002m)); // four rows, rounded each
        Assert.Equal(entries, books.Metered()); // and not one entry is another than it was
    }

    /// <summary>What is wrong with the ledger; null when it agrees with the bill within what is allowed.</summary>
    private static string? Difference(IReadOnlyList<Contract> contracts, IReadOnlyList<MeteredEntry> entries)
    {
        foreach (var contract in contracts)
        {
            var ours = entries.Where(entry => entry.ContractId == contract.Id).Sum(entry => entry.Usd) * BillingFactor;
            var allowed = (contract.GpuUsdPerHour + contract.DiskUsdPerHour) * TransitionsOfEachRate * PollSeconds / 3600 * BillingFactor;
            if (decimal.Abs(ours - contract.BilledUsd) > allowed)
            {
                return $"Contract {contract.Id}: ours {ours}, theirs {contract.BilledUsd}, allowed {allowed}";
            }
        }

        var (all, billed) = (entries.Sum(entry => entry.Usd) * BillingFactor, contracts.Sum(contract => contract.BilledUsd));
        return decimal.Abs(all - billed) > billed * ShareInAll ? $"In all: ours {all}, theirs {billed}" : null;
    }
}
