namespace Dashboard.Sandbox.Market;

/// <content>What is for rent.</content>
internal sealed partial class RentalMarket
{
    /// <summary>Every slice of every machine, those that cannot be rented now included.</summary>
    public IEnumerable<Offer> Offers(OfferKind kind, decimal diskGb, DateTimeOffset now)
    {
        foreach (var machine in park.Machines)
        {
            var ours = Living.Where(contract => contract.MachineIndex == machine.Index).ToList();
            var taken = GpusTaken(machine, ours, now);
            var perGpu = _demand.PricePerGpu(machine, now);
            var epoch = _demand.Epoch(machine, now);
            foreach (var slice in machine.Slices)
            {
                var price = perGpu * slice.GpuCount;
                var floor = Math.Round(price * machine.BidShare, 4, MidpointRounding.ToEven);
                yield return new Offer
                {
                    AskId = _asks.Of(machine, slice, epoch),
                    Machine = machine,
                    Slice = slice,
                    Kind = kind,
                    GpuPerHour = kind == OfferKind.Bid ? floor : price,
                    MinBid = floor,
                    DiskGb = diskGb,
                    Rentable = (taken & slice.Gpus) == 0,
                    RentedByCaller = ours.Count > 0,
                    EndsAt = EndOfListing(machine, now),
                };
            }
        }
    }

    private static DateTimeOffset EndOfListing(Machine machine, DateTimeOffset now)
    {
        var periods = Math.Floor((now - machine.ListedSince) / machine.Commitment) + 1;
        return machine.ListedSince + (periods * machine.Commitment) + TimeSpan.FromDays(3); // never a contract of minutes
    }

    private uint GpusTaken(Machine machine, List<Contract> ours, DateTimeOffset now)
    {
        // Rivals keep off a machine on which the account holds a contract, so that a stopped instance can come back.
        return ours.Count == 0
            ? _demand.RentedByOthers(machine, now)
            : ours.Where(contract => contract.HoldsGpus).Aggregate(0u, (gpus, contract) => gpus | SliceOf(contract).Gpus);
    }
}
