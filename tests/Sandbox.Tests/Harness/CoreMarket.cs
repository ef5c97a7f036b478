using Dashboard.Sandbox.Market;
using Dashboard.Sandbox.State;

namespace Dashboard.Sandbox.Tests.Harness;

/// <summary>The market core driven by hand: a clock that a test moves and a host that does at once what is asked.</summary>
internal sealed class CoreMarket
{
    public static readonly DateTimeOffset Opening = new(2026, 11, 2, 9, 0, 0, TimeSpan.Zero);

    public CoreMarket(MarketSettings? settings = null, ulong seed = 1)
    {
        var used = settings ?? new MarketSettings { Boot = TimeSpan.Zero, KeyDelay = TimeSpan.Zero, Credit = 1_000_000 };
        Core = new RentalMarket(used, MachinePark.Draw(seed), MarketState.Open("key", used.Credit, Opening));
    }

    private CoreMarket(MarketSettings settings, MarketState state, DateTimeOffset now)
    {
        Core = new RentalMarket(settings, MachinePark.Draw(1), state);
        Now = now;
    }

    public RentalMarket Core { get; }

    public DateTimeOffset Now { get; private set; } = Opening;

    public List<HostEffect> Seen { get; } = [];

    public IReadOnlyList<Offer> Offers(OfferKind kind = OfferKind.OnDemand, decimal diskGb = 8) => [.. Core.Offers(kind, diskGb, Now)];

    public IReadOnlyList<Offer> Rentable() => [.. Offers().Where(offer => offer.Rentable)];

    public RentResult Rent(Offer offer, decimal diskGb = 10, decimal? bid = null, string? label = null, bool cancelUnavailable = true)
    {
        var result = Core.Rent(offer.AskId, new RentRequest { Image = "debian:12", DiskGb = diskGb, Bid = bid, Label = label, CancelUnavailable = cancelUnavailable }, Now);
        Obey();
        return result;
    }

    /// <summary>A machine that nobody else wants: no rival bids on it, or rents of it, unless a test makes one.</summary>
    public Offer Quiet(int gpuCount = 1) => Rentable().First(offer => offer.Machine.GpuCount == gpuCount && offer.Slice.GpuCount == gpuCount && SetRivals(offer, bid: 0));

    public bool SetRivals(Offer offer, decimal? bid = null, bool? taken = null)
    {
        Core.Intervene(offer.Machine, before => before with { RivalBid = bid ?? before.RivalBid, RivalGpus = taken is { } all ? (all ? offer.Slice.Gpus : 0) : before.RivalGpus }, Now);
        Obey();
        return true;
    }

    public Contract RentAny() => ((RentResult.Rented)Rent(Rentable()[0])).Contract;

    public Contract Hold(Offer offer, decimal? bid = null) => ((RentResult.Rented)Rent(offer, bid: bid)).Contract;

    /// <summary>Closes the market and opens it again from what was written down.</summary>
    public CoreMarket Reopened(MarketSettings? settings = null)
    {
        var folder = Directory.CreateTempSubdirectory("market-");
        try
        {
            var file = new StateFile(Path.Combine(folder.FullName, "state.json"));
            file.Write(Core.State);
            var again = new CoreMarket(settings ?? Core.Settings, file.Read()!, Now);
            again.Core.Restore(_ => false, Now);
            again.Obey();
            return again;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    public void Wait(TimeSpan time)
    {
        Now += time;
        Core.Advance(Now);
        Obey();
    }

    public void Obey()
    {
        foreach (var effect in Core.TakeEffects())
        {
            Seen.Add(effect);
            if (effect is HostEffect.Start start)
            {
                Core.ContainerStarted(start.ContractId, start.Launch, new InstancePorts(1, 2, 3), Now);
            }
        }
    }
}
