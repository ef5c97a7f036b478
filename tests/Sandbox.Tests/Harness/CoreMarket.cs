using Dashboard.Sandbox.Market;

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

    public RentalMarket Core { get; }

    public DateTimeOffset Now { get; private set; } = Opening;

    public List<HostEffect> Seen { get; } = [];

    public IReadOnlyList<Offer> Offers(OfferKind kind = OfferKind.OnDemand, decimal diskGb = 8) => [.. Core.Offers(kind, diskGb, Now)];

    public IReadOnlyList<Offer> Rentable() => [.. Offers().Where(offer => offer.Rentable)];

    public RentResult Rent(Offer offer, decimal diskGb = 10, decimal? bid = null, string? label = null)
    {
        var result = Core.Rent(offer.AskId, new RentRequest { Image = "debian:12", DiskGb = diskGb, Bid = bid, Label = label }, Now);
        Obey();
        return result;
    }

    public Contract RentAny() => ((RentResult.Rented)Rent(Rentable()[0])).Contract;

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
            if (effect is HostEffect.Start)
            {
                Core.ContainerStarted(effect.ContractId, new InstancePorts(1, 2, 3), Now);
            }
        }
    }
}
