namespace Dashboard.Sandbox.Market;

/// <content>Who gets the GPUs: first whoever rents on demand, then the highest bid.</content>
internal sealed partial class RentalMarket
{
    private const decimal BidStep = 0.001m;

    /// <summary>Bids another price for the slice.</summary>
    /// <param name="price">USD per hour; null bids just enough to win against the bids that stand.</param>
    public StateChange ChangeBid(int id, decimal? price, DateTimeOffset now)
    {
        if (Find(id) is not { } contract)
        {
            return StateChange.NoSuchInstance;
        }

        if (!contract.IsBid)
        {
            return StateChange.NoBid;
        }

        var (machine, count) = (MachineOf(contract), SliceOf(contract).GpuCount);
        var floor = Floor(PricePerGpu(machine, now) * count, machine);
        var bid = price ?? Math.Max(floor, (RivalBid(machine, now) * count) + BidStep);
        if (bid < floor)
        {
            return StateChange.BidTooLow;
        }

        contract.GpuPerHour = bid;
        if (contract.Phase == ContractPhase.Running)
        {
            contract.GpuIntervals.Close(now);
            contract.GpuIntervals.Add(new BilledInterval(now, null, bid));
        }

        Advance(now);
        return StateChange.Done;
    }

    // A bid per GPU, so that slices of any size compare; nobody outbids a price in full.
    private static decimal Standing(bool isBid, decimal perHour, Slice slice) => isBid ? perHour / slice.GpuCount : decimal.MaxValue;

    private decimal Standing(Contract contract) => Standing(contract.IsBid, contract.GpuPerHour, SliceOf(contract));

    /// <summary>Whether others leave the slice to somebody of that standing.</summary>
    private bool WinsAgainstRivals(Machine machine, Slice slice, decimal standing, DateTimeOffset now) =>
        (RivalGpus(machine, now) & slice.Gpus) == 0 && standing > RivalBid(machine, now);

    private IEnumerable<Contract> HoldersOf(Machine machine, Slice slice) =>
        Living.Where(other => other.MachineIndex == machine.Index && other.HoldsGpus && (SliceOf(other).Gpus & slice.Gpus) != 0);

    private bool Wins(Contract contract, DateTimeOffset now)
    {
        var (machine, slice, standing) = (MachineOf(contract), SliceOf(contract), Standing(contract));
        return HoldersOf(machine, slice).All(other => other == contract || Standing(other) < standing)
            && WinsAgainstRivals(machine, slice, standing, now);
    }

    private bool TryStart(Contract contract, DateTimeOffset now)
    {
        if (!Wins(contract, now))
        {
            return false;
        }

        GiveWay(contract, now);
        contract.WantedRunning = true;
        Launch(contract);
        return true;
    }

    /// <summary>Pauses whoever holds GPUs of a contract that has won them.</summary>
    private void GiveWay(Contract winner, DateTimeOffset now)
    {
        foreach (var loser in HoldersOf(MachineOf(winner), SliceOf(winner)).Where(other => other != winner).ToList())
        {
            Pause(loser, now);
        }
    }

    private void Pause(Contract contract, DateTimeOffset now)
    {
        contract.StaleUntil = contract.Phase == ContractPhase.Running ? now + settings.StatusLag : null;
        contract.GpuIntervals.Close(now);
        _effects.Enqueue(new HostEffect.Stop(contract.Id));
        contract.Phase = ContractPhase.Outbid;
        _asks.Relist(MachineOf(contract), SliceOf(contract));
    }
}
