namespace Dashboard.Sandbox.Market;

internal enum OfferKind
{
    OnDemand,
    Bid,
    Reserved,
}

/// <summary>A slice of a machine as it is listed at one moment, priced with a disk of a given size.</summary>
internal sealed record Offer
{
    /// <summary>The ask to rent. Changes whenever the slice is listed anew.</summary>
    public required int AskId { get; init; }

    public required Machine Machine { get; init; }

    public required Slice Slice { get; init; }

    public required OfferKind Kind { get; init; }

    /// <summary>USD per hour for the GPUs of the slice; the lowest bid on a bid listing.</summary>
    public required decimal GpuPerHour { get; init; }

    public required decimal MinBid { get; init; }

    /// <summary>GB of disk that <see cref="DiskPerHour"/> is for.</summary>
    public required decimal DiskGb { get; init; }

    public required bool Rentable { get; init; }

    /// <summary>The account already rents on this machine.</summary>
    public required bool RentedByCaller { get; init; }

    public required DateTimeOffset EndsAt { get; init; }

    /// <summary>USD per hour, rounded to the micro-dollar as the provider does.</summary>
    public decimal DiskPerHour => DiskRate(DiskGb, Machine.StorageCost);

    public decimal TotalPerHour => GpuPerHour + DiskPerHour;

    /// <summary>Most disk one may allocate with this slice, GB.</summary>
    public double MaxDiskGb => Math.Round(Machine.DiskGb * Slice.GpuCount / Machine.GpuCount, 1);

    /// <summary>USD per hour; a month has 720 hours.</summary>
    public static decimal DiskRate(decimal gb, decimal perGbMonth) => Math.Round(gb * perGbMonth / 720m, 6, MidpointRounding.ToEven);
}
