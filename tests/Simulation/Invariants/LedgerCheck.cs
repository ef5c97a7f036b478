using System.Globalization;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Sandbox.Market;
using Dashboard.Simulation.Harness;

namespace Dashboard.Simulation.Invariants;

/// <summary>
/// I5: what the ledger has for a machine's time and disk, against the market's bill for it. Each start or end that was observed may
/// be off by the time between the two looks around it; nothing else may. Traffic is counted, not observed, and is not judged here.
/// </summary>
internal static class LedgerCheck
{
    private static readonly decimal Rounding = 0.000_05m; // each entry is rounded to the micro-dollar

    public static Figures Judge(World world, IReadOnlyList<Instance> rows, IReadOnlyList<LedgerEntry> ledger, Dictionary<int, Contract> truth, IReadOnlyList<DateTimeOffset> looks)
    {
        var sum = Figures.None;
        var byInstance = ledger.Where(entry => entry.Kind is ChargeKind.Gpu or ChargeKind.Disk).ToLookup(entry => entry.InstanceId);
        foreach (var row in rows.Where(row => row.ContractId is not null))
        {
            var contract = truth[int.Parse(row.ContractId!, CultureInfo.InvariantCulture)];
            var bill = world.Market.BillOf(contract, world.Now);
            var billed = (bill.Gpu + bill.Disk) / world.Market.Settings.BillingFactor;
            var posted = byInstance[row.Id].Sum(entry => entry.Amount.Micros) / 1_000_000m;
            var error = Math.Abs(posted - billed);
            if (error > Allowed(world, contract, looks) + Rounding)
            {
                world.Violate("I5", string.Create(CultureInfo.InvariantCulture, $"machine {contract.Id} was billed ${billed:0.000000} and the ledger has ${posted:0.000000}; ${Allowed(world, contract, looks):0.000000} may be off"));
            }

            sum += Figures.None with { Billed = billed, Posted = posted, Error = error };
        }

        return sum;
    }

    private static decimal Allowed(World world, Contract contract, IReadOnlyList<DateTimeOffset> looks)
    {
        var allowed = 0m;
        foreach (var interval in contract.GpuIntervals)
        {
            allowed += Off(interval.Start, interval.PerHour) + Off(interval.End ?? world.Now, interval.PerHour);
        }

        foreach (var interval in contract.DiskIntervals)
        {
            allowed += Off(interval.Start, interval.PerHour) + Off(interval.End ?? world.Now, interval.PerHour);
        }

        // A wall clock that jumped while it ran is off by its jump, and by nothing more.
        return allowed + ((contract.GpuPerHour + contract.DiskPerHour) * (decimal)world.WallClockJumps.TotalHours);

        decimal Off(DateTimeOffset transition, decimal perHour) => perHour * (decimal)Gap(world, contract, transition, looks).TotalHours;
    }

    /// <summary>The time between the looks before and after a transition, and at least one poll interval. Nobody could look before the contract was, and no look shows a machine that the provider does not list yet. A look at the very moment shows what is after it.</summary>
    private static TimeSpan Gap(World world, Contract contract, DateTimeOffset transition, IReadOnlyList<DateTimeOffset> looks)
    {
        var listed = world.Faults.ListedFrom(contract);
        var before = looks.LastOrDefault(look => look < transition && look >= listed);
        var after = looks.FirstOrDefault(look => look >= transition && look >= listed);
        var gap = (after == default ? world.Now : after) - (before < contract.CreatedAt ? contract.CreatedAt : before);
        return gap > world.Pace.Value.QuietInterval ? gap : world.Pace.Value.QuietInterval;
    }
}
