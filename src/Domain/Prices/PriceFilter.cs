using System.Globalization;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Prices;

/// <summary>What an alert watches.</summary>
/// <param name="GpuNames">None: any model.</param>
/// <param name="MinVramGb">Of one GPU, as sold; null: any.</param>
/// <param name="GpuCount">In one machine; null: any.</param>
/// <param name="Rental">Null: on demand or with a bid.</param>
/// <param name="Hosts">Null: verified hosts, whose prices are polled anyway. Else the alert asks the market itself, as one narrowed search.</param>
public sealed record PriceFilter(IReadOnlyList<string> GpuNames, int? MinVramGb, int? GpuCount, RentalType? Rental, HostFilter? Hosts = null)
{
    /// <summary>Whether a polled series is among what it watches; of narrowed hosts, what their price is compared with.</summary>
    public bool Holds(PriceSeries series)
    {
        ArgumentNullException.ThrowIfNull(series);
        return series.VerifiedOnly && (GpuNames.Count == 0 || GpuNames.Contains(series.GpuName, StringComparer.OrdinalIgnoreCase))
            && series.VramGb >= (MinVramGb ?? 0) && series.GpuCount == (GpuCount ?? series.GpuCount) && series.Rental == (Rental ?? series.Rental);
    }

    /// <summary>The search that an alert with narrowed hosts makes.</summary>
    /// <param name="rows">Most rows wanted; they count against the provider's daily quota.</param>
    /// <exception cref="InvalidOperationException">One search is of one number of GPUs, rented one way.</exception>
    public OfferQuery Query(int rows) => Hosts is { } hosts && GpuCount is { } count && Rental is { } rental
        ? new OfferQuery
        {
            GpuNames = GpuNames,
            GpuCount = count,
            MinVramMb = MinVramGb * PriceSeries.SoldMb,
            Rental = rental,
            MinReliability = hosts.ReliabilityPercent / 100m,
            MinDownloadMbps = hosts.DownloadMbps,
            MinCuda = hosts.Cuda,
            MinContract = hosts.ContractDays is { } days ? TimeSpan.FromDays(days) : null,
            VerifiedOnly = !hosts.Unverified,
            DiskGb = PriceSeries.SmallestDiskGb,
            Limit = rows,
            Poll = true,
        }
        : throw new InvalidOperationException("Only narrowed hosts, of one number of GPUs and rented one way, are searched for.");

    /// <summary><c>RTX 4090</c>, <c>L40 or L40S of 48 GB or more ×2 bid</c>, <c>any GPU, on demand or bid</c>, <c>RTX 4090 with reliability ≥ 98%</c>.</summary>
    public string Words() =>
        (GpuNames.Count == 0 ? "any GPU" : string.Join(" or ", GpuNames))
        + (MinVramGb is { } gb ? $" of {gb} GB or more" : "")
        + (GpuCount switch { null => ", any number in a machine", 1 => "", { } count => $" ×{count}" })
        + (Rental is null ? ", on demand or bid" : Rental == RentalType.Interruptible ? " bid" : "")
        + (Hosts is { } hosts ? $" {hosts.Words()}" : "");

    /// <summary>A series as an alert names it.</summary>
    public static string NameOf(PriceSeries series)
    {
        ArgumentNullException.ThrowIfNull(series);
        return NameOf(series.GpuName, series.GpuCount, series.Rental);
    }

    /// <summary><c>RTX 4090 ×2 bid</c>.</summary>
    public static string NameOf(string gpu, int count, RentalType? rental) => gpu + (count > 1 ? $" ×{count}" : "") + (rental == RentalType.Interruptible ? " bid" : "");

    // Records compare lists by reference.
    public bool Equals(PriceFilter? other) => other is not null && GpuNames.SequenceEqual(other.GpuNames) && (MinVramGb, GpuCount, Rental, Hosts) == (other.MinVramGb, other.GpuCount, other.Rental, other.Hosts);

    public override int GetHashCode() => HashCode.Combine(string.Join(',', GpuNames), MinVramGb, GpuCount, Rental, Hosts);
}

/// <summary>Which hosts an alert is about, as the Market page narrows them. All at once; null: any.</summary>
/// <param name="ReliabilityPercent">The provider's score, at least.</param>
/// <param name="DownloadMbps">At least.</param>
/// <param name="Cuda">Highest CUDA version of the driver, at least.</param>
/// <param name="ContractDays">The machine is on offer for at least so long.</param>
/// <param name="Unverified">Hosts that the provider has not verified come too.</param>
public sealed record HostFilter(int? ReliabilityPercent = null, int? DownloadMbps = null, decimal? Cuda = null, int? ContractDays = null, bool Unverified = false)
{
    /// <summary>Whether it asks for anything else than what is polled anyway.</summary>
    public bool Narrows => this != new HostFilter();

    /// <summary><c>with reliability ≥ 98%, download ≥ 500 Mb/s, CUDA ≥ 12.4, contract ≥ 3 days, unverified hosts too</c>.</summary>
    public string Words()
    {
        string?[] parts =
        [
            ReliabilityPercent is { } percent ? $"reliability ≥ {percent}%" : null,
            DownloadMbps is { } mbps ? $"download ≥ {mbps} Mb/s" : null,
            Cuda is { } cuda ? string.Create(CultureInfo.InvariantCulture, $"CUDA ≥ {cuda}") : null,
            ContractDays is { } days ? $"contract ≥ {days} {(days == 1 ? "day" : "days")}" : null,
            Unverified ? "unverified hosts too" : null,
        ];
        return $"with {string.Join(", ", parts.OfType<string>())}";
    }
}
