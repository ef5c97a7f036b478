using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Prices;

/// <summary>What a price history is of. Every price in it is USD per GPU-hour without disk.</summary>
/// <param name="VramGb">Memory of one GPU as sold: an A100 of 40 and one of 80 GB share a name.</param>
/// <param name="GpuCount">GPUs in one machine.</param>
/// <param name="VerifiedOnly">Of hosts that the provider has verified alone; else of all hosts.</param>
public sealed record PriceSeries(Market Market, string GpuName, int VramGb, int GpuCount, RentalType Rental, bool VerifiedOnly)
{
    /// <summary>A card reports a little less than it is sold with: 24,564 MB are 24 GB.</summary>
    public static int VramOf(int megabytes) => (int)Math.Round(megabytes / 1024m);

    /// <summary>The series an offer belongs to, as seen by a search with or without unverified hosts.</summary>
    public static PriceSeries Of(Market market, Offer offer, bool verifiedOnly)
    {
        ArgumentNullException.ThrowIfNull(offer);
        return new(market, offer.GpuName, VramOf(offer.VramMb), offer.GpuCount, offer.Rental, verifiedOnly);
    }

    /// <summary>Whether an offer of this market's answer belongs here.</summary>
    public bool Holds(Offer offer)
    {
        ArgumentNullException.ThrowIfNull(offer);
        return string.Equals(offer.GpuName, GpuName, StringComparison.OrdinalIgnoreCase) && VramOf(offer.VramMb) == VramGb && offer.GpuCount == GpuCount && offer.Rental == Rental && (offer.Verified || !VerifiedOnly);
    }

    /// <summary>The search that sees it. Memory is asked for with some room below, because cards report less than they are sold with.</summary>
    /// <param name="rows">Most rows wanted; they count against the provider's daily quota.</param>
    public OfferQuery Query(int rows) => new()
    {
        GpuNames = [GpuName],
        GpuCount = GpuCount,
        MinVramMb = VramGb * SoldMb,
        Rental = Rental,
        VerifiedOnly = VerifiedOnly,
        DiskGb = SmallestDiskGb,
        Limit = rows,
        Poll = true,
    };

    /// <summary>Megabytes asked for by the gigabyte sold: cards report less.</summary>
    internal const int SoldMb = 960;

    internal const decimal SmallestDiskGb = 10; // the price is without disk: any size that no host refuses
}
