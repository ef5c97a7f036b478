using System.Text.Json;
using System.Text.Json.Nodes;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Infrastructure.Tests.Providers.VastAi;

public sealed partial class VastAiMarketplaceTests
{
    private const string Bundles = "/api/v0/bundles/";

    [Fact]
    public async Task The_documented_offer_is_read_exactly()
    {
        var offer = Assert.Single(await SearchAsync(Sample.Query, Sample.Offer));

        Assert.Equal(("45120077", "30412", "77120", "RTX 4090", 1, 24_564), (offer.Id, offer.MachineId, offer.HostId, offer.GpuName, offer.GpuCount, offer.VramMb));
        Assert.Equal(new HourlyRate(361_200), offer.GpuRate);
        Assert.Equal(new HourlyRate(8_333), offer.DiskRate);
        Assert.Equal(HourlyRate.FromUsd(0.369533m), offer.Rate); // the provider's dph_total
        Assert.Equal((new Money(3_000), new Money(3_000), 0.15m), (offer.DownloadPerGb, offer.UploadPerGb, offer.StorageUsdPerGbMonth));
        Assert.Equal((0.9931m, true, 12.8m, 249, "Ohio, US"), (offer.Reliability, offer.Verified, offer.CudaMax, offer.DirectPorts, offer.Location));
        Assert.Equal((16, 64_400), (offer.CpuCores, offer.RamMb)); // the slice's share, not the machine's
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1_792_592_000), offer.ContractEnd);
    }

    [Fact]
    public async Task The_disk_is_priced_for_the_size_that_will_be_rented()
    {
        var offer = Assert.Single(await SearchAsync(Sample.Query with { DiskGb = 200 }, Sample.Offer));

        Assert.Equal(HourlyRate.OfDisk(200, 0.15m), offer.DiskRate);
    }

    [Fact]
    public async Task An_interruptible_offer_costs_the_lowest_bid_its_host_takes()
    {
        var offer = Assert.Single(await SearchAsync(Sample.Query with { Rental = RentalType.Interruptible }, Sample.With(Sample.Offer, ("is_bid", true))));

        Assert.Equal((RentalType.Interruptible, new HourlyRate(180_000)), (offer.Rental, offer.GpuRate));
    }

    [Fact]
    public async Task The_query_is_sent_whole_with_its_defaults()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("POST", Bundles, Sample.Offers());
        await using var harness = new VastAiHarness();

        await harness.At(provider).SearchAsync(
            new OfferQuery
            {
                GpuNames = ["RTX_4090"], GpuCount = 1, MinVramMb = 24_000, DiskGb = 40, MinReliability = 0.97m, MinDownloadMbps = 200, MinCuda = 12.4m,
                MaxRate = HourlyRate.FromUsd(0.6m), Countries = ["us", "CA"], MinContract = TimeSpan.FromHours(2), Limit = 500,
            },
            Ct);

        Assert.True(JsonNode.DeepEquals(
            JsonNode.Parse("""
                {"verified":{"eq":true},"external":{"eq":false},"rentable":{"eq":true},"rented":{"eq":false},"direct_port_count":{"gte":1},"disk_space":{"gte":40},
                "gpu_name":{"in":["RTX 4090"]},"geolocation":{"in":["US","CA"]},"num_gpus":{"eq":1},"gpu_ram":{"gte":24000},"reliability":{"gte":0.97},
                "inet_down":{"gte":200},"cuda_max_good":{"gte":12.4},"duration":{"gte":7200},"dph_total":{"lte":0.6},
                "type":"on-demand","order":[["dph_total","asc"]],"limit":64,"allocated_storage":40}
                """),
            JsonNode.Parse(provider.Requests.Single().Body)),
            provider.Requests.Single().Body);
    }

    [Theory]
    [InlineData("gpu_name", "\"RTX 3090\"")]
    [InlineData("num_gpus", "2")]
    [InlineData("gpu_ram", "16000")]
    [InlineData("reliability", "0.5")]
    [InlineData("inet_down", "10")]
    [InlineData("inet_down", "null")]
    [InlineData("cuda_max_good", "11.8")]
    [InlineData("dph_base", "0.61")]
    [InlineData("geolocation", "\"Paris, FR\"")]
    [InlineData("geolocation", "null")]
    [InlineData("verification", "\"unverified\"")]
    [InlineData("duration", "60")]
    [InlineData("disk_space", "39")]
    [InlineData("direct_port_count", "0")]
    [InlineData("rentable", "false")]
    [InlineData("rented", "true")]
    [InlineData("external", "true")]
    [InlineData("is_bid", "true")]
    public async Task Filters_the_provider_ignored_are_applied_here(string field, string value)
    {
        var query = new OfferQuery
        {
            GpuNames = ["RTX 4090"], GpuCount = 1, MinVramMb = 24_000, DiskGb = 40, MinReliability = 0.97m, MinDownloadMbps = 200, MinCuda = 12.4m,
            MaxRate = HourlyRate.FromUsd(0.6m), Countries = ["US"], MinContract = TimeSpan.FromHours(2),
        };

        var offers = await SearchAsync(query, Sample.Offer, Sample.With(Sample.Offer, ("id", 2), (field, JsonNode.Parse(value))));

        Assert.Equal("45120077", Assert.Single(offers).Id);
    }

    [Theory]
    [InlineData("\", US\"", "US")]
    [InlineData("\"Ohio, US\"", "Ohio, US")]
    [InlineData("\" \"", null)]
    [InlineData("null", null)]
    public async Task A_place_is_what_is_known_of_it(string geolocation, string? place) =>
        Assert.Equal(place, Assert.Single(await SearchAsync(new OfferQuery { DiskGb = 40 }, Sample.With(Sample.Offer, ("geolocation", JsonNode.Parse(geolocation))))).Location);

    [Theory]
    [InlineData("dph_base", "null")]
    [InlineData("dph_base", "0")]
    [InlineData("dph_base", "-1")]
    [InlineData("dph_base", "1e12")]
    [InlineData("dph_base", "\"free\"")]
    [InlineData("num_gpus", "0")]
    [InlineData("num_gpus", "null")]
    [InlineData("gpu_name", "null")]
    [InlineData("machine_id", "null")]
    [InlineData("disk_space", "null")]
    public async Task Rows_that_make_no_sense_are_no_offers(string field, string value) =>
        Assert.Empty(await SearchAsync(Sample.Query, Sample.With(Sample.Offer, (field, JsonNode.Parse(value)))));

    [Fact]
    public async Task Offers_come_once_each_cheapest_first_and_no_more_than_wanted()
    {
        var offers = await SearchAsync(
            Sample.Query with { Limit = 2 },
            Sample.With(Sample.Offer, ("id", 3), ("dph_base", 0.9m)),
            Sample.With(Sample.Offer, ("id", 1), ("dph_base", "0.2")),
            Sample.With(Sample.Offer, ("id", 1), ("dph_base", "0.2")),
            Sample.With(Sample.Offer, ("id", 2), ("dph_base", 0.3m)));

        Assert.Equal(["1", "2"], offers.Select(offer => offer.Id));
    }

    [Fact]
    public async Task One_broken_row_hides_itself_and_not_the_market()
    {
        var offers = await SearchAsync(Sample.Query, "7", "null", """{"gpu_name":"RTX 4090"}""", """{"id":[1]}""", Sample.Offer);

        Assert.Equal("45120077", Assert.Single(offers).Id);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"offers":null}""")]
    [InlineData("""{"offers":[7]}""")]
    public async Task A_search_of_odd_shape_is_not_an_empty_market(string body)
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("POST", Bundles, new Reply(200, body));
        await using var harness = new VastAiHarness();

        await Assert.ThrowsAsync<ProviderUnavailableException>(() => harness.At(provider).SearchAsync(Sample.Query, Ct));
    }

    private static async Task<IReadOnlyList<Offer>> SearchAsync(OfferQuery query, params string[] rows)
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("POST", Bundles, Sample.Offers(rows));
        await using var harness = new VastAiHarness();
        return await harness.At(provider).SearchAsync(query, Ct);
    }
}
