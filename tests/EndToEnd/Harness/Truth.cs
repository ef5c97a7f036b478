using System.Text.Json;

namespace Dashboard.EndToEnd.Harness;

/// <summary>One contract in the market's own books. Dollars include the billing factor; rates do not.</summary>
internal sealed record Contract(string Id, string? Label, bool Destroyed, decimal BilledUsd, decimal GpuUsdPerHour, decimal DiskUsdPerHour);

/// <summary>The market's own books at one moment.</summary>
internal sealed class Truth(JsonElement books)
{
    public int Living => books.GetProperty("living").GetInt32();

    public IReadOnlyList<Contract> Contracts =>
    [
        .. books.GetProperty("instances").EnumerateArray().Select(row => new Contract(
            row.GetProperty("id").ToString(),
            row.GetProperty("label").GetString(),
            row.GetProperty("destroyed").ValueKind != JsonValueKind.Null,
            row.GetProperty("bill").GetProperty("total").GetDecimal(),
            row.GetProperty("rates").GetProperty("gpu_per_hour").GetDecimal(),
            row.GetProperty("rates").GetProperty("disk_per_hour").GetDecimal())),
    ];

    /// <summary>Requests it answered: method, path, status.</summary>
    public IReadOnlyList<(string Method, string Path, int Status)> Requests =>
    [
        .. books.GetProperty("requests").EnumerateArray().Select(row => (row.GetProperty("method").GetString()!, row.GetProperty("path").GetString()!, row.GetProperty("status").GetInt32())),
    ];

    /// <summary>Rent calls that reached the market, by label.</summary>
    public IReadOnlyDictionary<string, int> RentCallsByLabel => books.GetProperty("rent_calls").EnumerateObject().ToDictionary(call => call.Name, call => call.Value.GetInt32());

    public int RentCalls => Requests.Count(request => request.Method == "PUT" && request.Path.StartsWith("/api/v0/asks/", StringComparison.Ordinal));

    public static async Task<Truth> OfAsync(World world, CancellationToken ct) => new(await world.Sandbox.TruthAsync(ct));
}
