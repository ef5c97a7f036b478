using System.Text.Json;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Infrastructure.Providers.VastAi;

/// <summary>The provider's price history in our words.</summary>
internal static class VastAiMetrics
{
    /// <summary>Columns of equal length; a moment at which nothing was free has no price and is left out.</summary>
    /// <exception cref="ProviderUnavailableException">It has another shape.</exception>
    public static IReadOnlyList<ProviderPrice> Read(VastAiReply reply, string gpuName, bool verifiedOnly)
    {
        if (reply.Field("gpus") is not { ValueKind: JsonValueKind.Object } gpus)
        {
            throw new ProviderUnavailableException("The price history came without GPUs.");
        }

        if (!gpus.TryGetProperty(gpuName, out var gpu))
        {
            return []; // it knows no such model, or has none of it
        }

        if (gpu.ValueKind != JsonValueKind.Object || !gpu.TryGetProperty("pricing", out var pricing))
        {
            throw new ProviderUnavailableException("The price history came without prices.");
        }

        var (times, p10, median, p90) = (Column(pricing, "timestamps"), Column(pricing, "avail_p10"), Column(pricing, "avail_median"), Column(pricing, "avail_p90"));
        if (p10.Count != times.Count || median.Count != times.Count || p90.Count != times.Count)
        {
            throw new ProviderUnavailableException("The columns of the price history differ in length.");
        }

        var free = Free(gpu, times.Count, verifiedOnly);
        return
        [
            .. Enumerable.Range(0, times.Count)
                .Select(n => VastAiNumbers.Instant(times[n]) is { } at && Price(p10[n]) is { } low && Price(median[n]) is { } middle && Price(p90[n]) is { } high && low <= middle && middle <= high
                    ? new ProviderPrice(at, free?[n], low, middle, high)
                    : null)
                .OfType<ProviderPrice>().DistinctBy(p => p.At).OrderBy(p => p.At),
        ];
    }

    private static HourlyRate? Price(decimal? usd) => VastAiNumbers.Rate(usd) is { MicrosPerHour: > 0 } rate ? rate : null;

    // What is missing or of another length says nothing about how many there were.
    private static List<int?>? Free(JsonElement gpu, int count, bool verifiedOnly)
    {
        if (!gpu.TryGetProperty("supply_demand", out var supply))
        {
            return null;
        }

        var (verified, others) = (Column(supply, "avail_verified"), Column(supply, "avail_unverified"));
        return verified.Count != count || (!verifiedOnly && others.Count != count)
            ? null
            : [.. Enumerable.Range(0, count).Select(n => verifiedOnly ? Whole(verified[n]) : Whole(verified[n] + others[n]))];
    }

    private static int? Whole(decimal? number) => number is >= 0 and < int.MaxValue ? (int)number : null;

    private static List<decimal?> Column(JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var column) && column.ValueKind == JsonValueKind.Array
            ? [.. column.EnumerateArray().Select(cell => cell.ValueKind == JsonValueKind.Number && cell.TryGetDecimal(out var number) ? number : (decimal?)null)]
            : [];
}
