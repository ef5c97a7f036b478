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

    /// <summary>Requests it answered: method, path, status. Only of <see cref="WithRequestsAsync"/>.</summary>
    public IReadOnlyList<(string Method, string Path, int Status)> Requests =>
    [
        .. books.GetProperty("requests").EnumerateArray().Select(row => (row.GetProperty("method").GetString()!, row.GetProperty("path").GetString()!, row.GetProperty("status").GetInt32())),
    ];

    /// <summary>Rent calls that reached the market, by label.</summary>
    public IReadOnlyDictionary<string, int> RentCallsByLabel => books.GetProperty("rent_calls").EnumerateObject().ToDictionary(call => call.Name, call => call.Value.GetInt32());

    /// <summary>The bill as the provider sends it: of each machine and kind, rounded to a tenth of a cent.</summary>
    public static async Task<IReadOnlyList<BookedSum>> ChargesAsync(World world, CancellationToken ct)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var filters = Uri.EscapeDataString($$$"""{"day":{"gte":{{{now - 864_000}}},"lte":{{{now + 86_400}}}},"type":{"in":["instance"]}}""");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{world.Sandbox.BaseUrl}/api/v0/charges/?select_filters={filters}&limit=500");
        request.Headers.Authorization = new("Bearer", world.Sandbox.ApiKey);
        using var answer = await world.Sandbox.Http.SendAsync(request, ct);
        answer.EnsureSuccessStatusCode();
        var rows = JsonElement.Parse(await answer.Content.ReadAsStringAsync(ct)).GetProperty("results");
        return
        [
            .. from row in rows.EnumerateArray()
               from item in row.GetProperty("items").EnumerateArray()
               select new BookedSum(
                   row.GetProperty("source").GetString()!["instance-".Length..],
                   item.GetProperty("type").GetString() switch { "gpu" => "Gpu", "disk" => "Disk", "bwd" => "Download", "bwu" => "Upload", var other => other! },
                   item.GetProperty("amount").GetDecimal()),
        ];
    }

    /// <summary>Without <see cref="Requests"/>, which grow long.</summary>
    public static async Task<Truth> OfAsync(World world, CancellationToken ct) => new(await world.Sandbox.TruthWithoutLogAsync(ct));

    public static async Task<Truth> WithRequestsAsync(World world, CancellationToken ct) => new(await world.Sandbox.TruthAsync(ct));
}
