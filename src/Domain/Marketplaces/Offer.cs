using Dashboard.Domain.Costs;
using Dashboard.Domain.Estimates;

namespace Dashboard.Domain.Marketplaces;

/// <summary>How a machine is rented.</summary>
public enum RentalType
{
    OnDemand,

    /// <summary>Rented with a bid; another renter may outbid it at any moment.</summary>
    Interruptible,
}

/// <summary>Something rentable now. Ids are the provider's own and not stable over time; <see cref="MachineId"/> is.</summary>
public sealed record Offer
{
    /// <summary>Goes into the rent call.</summary>
    public required string Id { get; init; }

    /// <summary>The physical machine: key of host reputation and price history.</summary>
    public required string MachineId { get; init; }

    public string? HostId { get; init; }

    /// <summary>As in the catalogue, with spaces: <c>RTX 4090</c>.</summary>
    public required string GpuName { get; init; }

    public required int GpuCount { get; init; }

    /// <summary>Memory of one GPU in decimal megabytes, as the provider reports it (a 24 GB card reports about 24,564).</summary>
    public required int VramMb { get; init; }

    public required RentalType Rental { get; init; }

    /// <summary>GPU part of the rate for all GPUs of the offer, without disk. For an interruptible offer the lowest bid the host takes.</summary>
    public required HourlyRate GpuRate { get; init; }

    /// <summary>Disk part of the rate for the size that was asked for.</summary>
    public required HourlyRate DiskRate { get; init; }

    /// <summary>USD per gigabyte and month.</summary>
    public required decimal StorageUsdPerGbMonth { get; init; }

    /// <summary>Price of a decimal gigabyte into the machine.</summary>
    public required Money DownloadPerGb { get; init; }

    /// <summary>Price of a decimal gigabyte out of the machine.</summary>
    public required Money UploadPerGb { get; init; }

    /// <summary>Largest disk that may be asked for, decimal gigabytes.</summary>
    public required decimal DiskGb { get; init; }

    /// <summary>Disk bandwidth in MB/s, where known.</summary>
    public decimal? DiskMbPerSecond { get; init; }

    /// <summary>The host's own speed test, megabits a second.</summary>
    public decimal? DownloadMbps { get; init; }

    public decimal? UploadMbps { get; init; }

    /// <summary>0 to 1, the provider's score.</summary>
    public decimal? Reliability { get; init; }

    public bool Verified { get; init; }

    /// <summary>Highest CUDA version of the driver.</summary>
    public decimal? CudaMax { get; init; }

    /// <summary>Ports open on the host; direct SSH needs at least one.</summary>
    public int DirectPorts { get; init; }

    /// <summary>Display text such as <c>Ohio, US</c>; null when unknown.</summary>
    public string? Location { get; init; }

    public int? CpuCores { get; init; }

    /// <summary>Memory of this slice in megabytes.</summary>
    public int? RamMb { get; init; }

    /// <summary>Longest contract: the machine is stopped then, and the host cannot shorten it.</summary>
    public DateTimeOffset? ContractEnd { get; init; }

    /// <summary>What a program's estimated time is multiplied with there, by our own runs; null: none has said anything. No provider sets it.</summary>
    public LearnedFactor? Pace { get; init; }

    /// <summary>GPU and disk together.</summary>
    public HourlyRate Rate => GpuRate + DiskRate;
}

/// <summary>Filters of a search. Absent ones do not filter. The adapter re-checks what a provider is known to ignore.</summary>
public sealed record OfferQuery
{
    public IReadOnlyList<string> GpuNames { get; init; } = [];

    public int? GpuCount { get; init; }

    /// <summary>Per GPU, decimal megabytes.</summary>
    public int? MinVramMb { get; init; }

    public RentalType Rental { get; init; } = RentalType.OnDemand;

    /// <summary>The disk that will be rented, decimal gigabytes: prices include it.</summary>
    public required decimal DiskGb { get; init; }

    public decimal? MinReliability { get; init; }

    public decimal? MinDownloadMbps { get; init; }

    public decimal? MinCuda { get; init; }

    public HourlyRate? MaxRate { get; init; }

    /// <summary>All-in, at least: where a page goes on.</summary>
    public HourlyRate? MinRate { get; init; }

    /// <summary>Two-letter country codes.</summary>
    public IReadOnlyList<string> Countries { get; init; } = [];

    public bool VerifiedOnly { get; init; } = true;

    public TimeSpan? MinContract { get; init; }

    /// <summary>Most rows wanted. Providers cap a page (Vast.ai at 64).</summary>
    public int Limit { get; init; } = 64;

    /// <summary>It is the price poller that asks, which counts its rows itself.</summary>
    public bool Poll { get; init; }
}
