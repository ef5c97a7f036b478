using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Jobs;

/// <summary>Renting interruptible machines, where whoever bids more takes the machine away.</summary>
/// <param name="Bid">USD per hour for the whole machine, without disk. Null: a quarter above the lowest bid each host takes.</param>
/// <param name="OnDemandAfter">After so many interruptions it goes on on demand. Null: the installation's own number.</param>
public sealed record BidPlan(HourlyRate? Bid = null, int? OnDemandAfter = null)
{
    /// <summary>The host's floor alone loses to the first one who bids at all.</summary>
    private const decimal AboveFloor = 1.25m;

    private const long Step = 1_000; // a tenth of a cent: what providers take

    /// <summary>What is bid on an offer.</summary>
    public HourlyRate On(Offer offer) => Bid ?? Usual(offer.GpuRate);

    /// <summary>A quarter above the floor, rounded up to a tenth of a cent.</summary>
    public static HourlyRate Usual(HourlyRate floor) => new((long)Math.Ceiling(floor.MicrosPerHour * AboveFloor / Step) * Step);
}
