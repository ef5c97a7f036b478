using System.Text.Json.Nodes;
using Dashboard.Sandbox.Tests.Harness;

namespace Dashboard.Sandbox.Tests.Http;

[Collection(OnTheSharedSandbox.Name)]
public sealed class GpuMetricsTests(SharedSandbox shared)
{
    private const string AllOffers = """{"gpu_name":{"eq":"RTX 4090"},"num_gpus":{"eq":1},"rentable":{"in":[true,false]},"external":{"in":[true,false]},"limit":64}""";
    private readonly SandboxProcess _sandbox = shared.Sandbox;

    [Fact]
    public async Task The_present_figures_are_those_of_the_offers()
    {
        var offers = await _sandbox.SearchAsync(AllOffers); // an offer for one GPU of each
        var row = (await _sandbox.GetAsync("/api/v0/metrics/gpu/current/?gpu_name=RTX%204090")).Json["gpus"]!.AsArray().Single()!;

        Assert.Equal((offers.Count, offers.Count(offer => (bool)offer!["rentable"]!)), ((int)row["total"]!, (int)row["available"]!));
        var prices = offers.Select(offer => (decimal)offer!["dph_base"]!).Order().ToList();
        Assert.Equal(prices[(prices.Count - 1) / 2], (decimal)row["price_median"]!);
        Assert.True((decimal)row["price_p10"]! <= (decimal)row["price_p90"]!);
        Assert.Equal((int)row["total"]!, new[] { "rented_verified", "avail_verified", "rented_unverified", "avail_unverified" }.Sum(field => (int)row[field]!));
        Assert.Equal((double)offers[0]!["dlperf"]!, (double)row["dlperf"]!);
    }

    [Fact]
    public async Task The_history_ends_where_the_present_is_and_moves_before()
    {
        var gpu = (await _sandbox.GetAsync("/api/v0/metrics/gpu/history/?gpu_name=RTX%204090,H100%20SXM")).Json["gpus"]!.AsObject();
        Assert.Equal(["H100 SXM", "RTX 4090"], gpu.Select(entry => entry.Key).Order());
        var current = (await _sandbox.GetAsync("/api/v0/metrics/gpu/current/?gpu_name=RTX%204090")).Json["gpus"]![0]!;
        var (pricing, supply) = (gpu["RTX 4090"]!["pricing"]!, gpu["RTX 4090"]!["supply_demand"]!);

        Assert.Equal((20, 20), (Numbers(pricing["timestamps"]!).Length, Numbers(supply["total"]!).Length));
        Assert.InRange(Numbers(pricing["timestamps"]!)[^1] - Numbers(pricing["timestamps"]!)[0], 86_399, 86_401);
        Assert.Equal((decimal)current["avail_verified"]!, Numbers(supply["avail_verified"]!)[^1]);
        Assert.True(Numbers(pricing["avail_median"]!).Distinct().Count() > 3, "prices move within a day");
        Assert.All(Numbers(pricing["avail_p10"]!).Zip(Numbers(pricing["avail_p90"]!)), pair => Assert.True(pair.First <= pair.Second));
    }

    [Fact]
    public async Task The_same_moment_has_the_same_price_whenever_it_is_asked_for()
    {
        async Task<string> AskAsync() =>
            (await _sandbox.GetAsync("/api/v0/metrics/gpu/history/?gpu_name=L40S&start=1793000000&end=1793086400&step=3600")).Json["gpus"]!["L40S"]!["pricing"]!.ToJsonString();

        var first = await AskAsync();
        Assert.Contains("1793086400", first, StringComparison.Ordinal);
        Assert.Equal(first, await AskAsync());
    }

    [Fact]
    public async Task Verified_machines_can_be_asked_for_alone()
    {
        var all = (await _sandbox.GetAsync("/api/v0/metrics/gpu/current/?gpu_name=RTX%204090&verified=all")).Json["gpus"]![0]!;
        var verified = (await _sandbox.GetAsync("/api/v0/metrics/gpu/current/?gpu_name=RTX%204090&verified=yes")).Json["gpus"]![0]!;

        Assert.Equal(0, (int)verified["avail_unverified"]! + (int)verified["rented_unverified"]!);
        Assert.Equal((int)all["avail_verified"]!, (int)verified["avail_verified"]!);
    }

    private static decimal[] Numbers(JsonNode list) => [.. list.AsArray().Select(value => (decimal)value!)];
}
