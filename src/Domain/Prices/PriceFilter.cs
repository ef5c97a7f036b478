using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Prices;

/// <summary>Which series an alert watches, all at once. Of verified hosts: no others are polled.</summary>
/// <param name="GpuNames">None: any model.</param>
/// <param name="MinVramGb">Of one GPU, as sold; null: any.</param>
/// <param name="GpuCount">In one machine; null: any.</param>
/// <param name="Rental">Null: on demand or with a bid.</param>
public sealed record PriceFilter(IReadOnlyList<string> GpuNames, int? MinVramGb, int? GpuCount, RentalType? Rental)
{
    public bool Holds(PriceSeries series)
    {
        ArgumentNullException.ThrowIfNull(series);
        return series.VerifiedOnly && (GpuNames.Count == 0 || GpuNames.Contains(series.GpuName, StringComparer.OrdinalIgnoreCase))
            && series.VramGb >= (MinVramGb ?? 0) && series.GpuCount == (GpuCount ?? series.GpuCount) && series.Rental == (Rental ?? series.Rental);
    }

    /// <summary><c>RTX 4090</c>, <c>L40 or L40S of 48 GB or more ×2 bid</c>, <c>any GPU, on demand or bid</c>.</summary>
    public string Words() =>
        (GpuNames.Count == 0 ? "any GPU" : string.Join(" or ", GpuNames))
        + (MinVramGb is { } gb ? $" of {gb} GB or more" : "")
        + (GpuCount switch { null => ", any number in a machine", 1 => "", { } count => $" ×{count}" })
        + (Rental is null ? ", on demand or bid" : Rental == RentalType.Interruptible ? " bid" : "");

    /// <summary>A series as an alert names it.</summary>
    public static string NameOf(PriceSeries series)
    {
        ArgumentNullException.ThrowIfNull(series);
        return series.GpuName + (series.GpuCount > 1 ? $" ×{series.GpuCount}" : "") + (series.Rental == RentalType.Interruptible ? " bid" : "");
    }

    // Records compare lists by reference.
    public bool Equals(PriceFilter? other) => other is not null && GpuNames.SequenceEqual(other.GpuNames) && (MinVramGb, GpuCount, Rental) == (other.MinVramGb, other.GpuCount, other.Rental);

    public override int GetHashCode() => HashCode.Combine(string.Join(',', GpuNames), MinVramGb, GpuCount, Rental);
}
