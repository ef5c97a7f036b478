namespace Dashboard.Sandbox.Market;

/// <content>What is for rent, and what other renters do about it.</content>
internal sealed partial class RentalMarket
{
    /// <summary>Every slice of every machine, those that cannot be rented now included.</summary>
    public IEnumerable<Offer> Offers(OfferKind kind, decimal diskGb, DateTimeOffset now)
    {
        foreach (var machine in park.Machines)
        {
            var ours = Living.Where(contract => contract.MachineIndex == machine.Index).ToList();
            var taken = FirmGpus(machine) | RivalGpus(machine, now);
            var perGpu = PricePerGpu(machine, now);
            var epoch = Epoch(machine, now);
            foreach (var slice in machine.Slices)
            {
                var price = perGpu * slice.GpuCount;
                var floor = Floor(price, machine);
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

    /// <summary>The machine and the slice behind an ask that is listed now.</summary>
    public Offer? FindOffer(int askId, DateTimeOffset now) => Offers(OfferKind.OnDemand, 0, now).FirstOrDefault(offer => offer.AskId == askId);

    /// <summary>Changes what others do to a machine.</summary>
    public void Intervene(Machine machine, Func<Intervention, Intervention> change, DateTimeOffset now)
    {
        state.Interventions[machine.Index] = change(InterventionOn(machine));
        Advance(now);
    }

    private static decimal Floor(decimal price, Machine machine) => Math.Round(price * machine.BidShare, 4, MidpointRounding.ToEven);

    private Intervention InterventionOn(Machine machine) => state.Interventions.GetValueOrDefault(machine.Index) ?? new Intervention();

    private long Epoch(Machine machine, DateTimeOffset now) => _demand.Epoch(machine, state.Pace.At(now));

    private decimal PricePerGpu(Machine machine, DateTimeOffset now) =>
        Math.Round(_demand.PricePerGpu(machine, state.Pace.At(now)) * InterventionOn(machine).PriceFactor, 4, MidpointRounding.ToEven);

    private decimal RivalBid(Machine machine, DateTimeOffset now) => InterventionOn(machine).RivalBid ?? _demand.RivalBid(machine, state.Pace.At(now));

    // Whoever rents on demand keeps the GPUs: rivals of the walk then go elsewhere, with all they want to rent.
    private uint RivalGpus(Machine machine, DateTimeOffset now)
    {
        var firm = FirmGpus(machine);
        var walking = _demand.RentedByOthers(machine, state.Pace.At(now));
        return ((walking & firm) == 0 ? walking : 0) | (InterventionOn(machine).RivalGpus & ~firm);
    }

    /// <summary>GPUs that the account holds on demand.</summary>
    private uint FirmGpus(Machine machine) => Living
        .Where(contract => contract.MachineIndex == machine.Index && contract.HoldsGpus && !contract.IsBid)
        .Aggregate(0u, (gpus, contract) => gpus | SliceOf(contract).Gpus);

    private DateTimeOffset EndOfListing(Machine machine, DateTimeOffset now)
    {
        var periods = Math.Floor((state.Pace.At(now) - machine.ListedSince) / machine.Commitment) + 1;
        return state.Pace.RealOf(machine.ListedSince + (periods * machine.Commitment) + TimeSpan.FromDays(3)); // never a contract of minutes
    }
}
