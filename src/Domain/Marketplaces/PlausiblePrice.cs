using Dashboard.Domain.Catalog;
using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Marketplaces;

/// <summary>
/// Whether a quoted price can be meant. Marketplaces carry rows by hosts who mistyped or who test: a B200 for a cent,
/// an RTX 3060 for $50. Such rows are kept, shown as hidden, and left out of rankings and statistics.
/// </summary>
public static class PlausiblePrice
{
    private const decimal LowestShareOfLow = 0.2m;
    private const decimal HighestMultipleOfHigh = 10m;

    /// <summary>A fifth of the low price to ten times the high price that the catalogue has seen for the model. A model without known prices is believed.</summary>
    /// <param name="perGpu">GPU part of the rate for one GPU, without disk.</param>
    public static bool Holds(string gpuName, HourlyRate perGpu) =>
        GpuCatalog.Find(gpuName) is not { } model
        || ((model.LowUsd is not { } low || perGpu.Usd >= low * LowestShareOfLow)
            && (model.HighUsd is not { } high || perGpu.Usd <= high * HighestMultipleOfHigh));

    /// <summary>The same for an offer of one or more GPUs.</summary>
    public static bool Holds(Offer offer) => Holds(offer.GpuName, new HourlyRate(offer.GpuRate.MicrosPerHour / Math.Max(1, offer.GpuCount)));
}
