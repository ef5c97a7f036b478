namespace Dashboard.Sandbox.Market;

/// <summary>What somebody at the controls makes other people do to one machine, on top of the walk of demand.</summary>
internal sealed record Intervention
{
    /// <summary>Multiplies the price: a jump between quote and rent.</summary>
    public decimal PriceFactor { get; init; } = 1;

    /// <summary>GPUs (a bit each) that a rival rents on demand. Those that the account holds on demand stay its own.</summary>
    public uint RivalGpus { get; init; }

    /// <summary>A rival's bid, USD per GPU-hour; null leaves it to the walk.</summary>
    public decimal? RivalBid { get; init; }

    /// <summary>The host lets nobody but itself rent.</summary>
    public bool HostsOwn { get; init; }
}
