using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Infrastructure.Tests.Providers.VastAi;

public sealed partial class VastAiMarketplaceTests
{
    private const string Bid = "/api/v0/instances/bid_price/51880423/";

    private static Offer ABidOffer => Sample.AnOffer with { Rental = RentalType.Interruptible };

    [Fact]
    public async Task A_changed_bid_goes_as_the_price_of_the_whole_slice()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("PUT", Bid, new Reply(503, ""), new Reply(200, Recorded.Text("changed")));
        await using var harness = new VastAiHarness();

        await harness.At(provider).ChangeBidAsync("51880423", HourlyRate.FromUsd(0.2135m), Ct);

        Assert.Equal(2, provider.Count("PUT", Bid)); // the same bid twice is the same bid
        Assert.Equal("""{"price":0.2135,"client_id":"me"}""", provider.Requests.Last().Body);
    }

    [Fact]
    public async Task A_refused_bid_change_is_not_taken_for_one()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("PUT", Bid, new Reply(200, """{"success":false,"msg":"Bid is below the minimum."}"""), new Reply(404, """{"success":false,"error":"no_such_instance"}"""));
        await using var harness = new VastAiHarness();

        var refused = await Assert.ThrowsAsync<ProviderUnavailableException>(() => harness.At(provider).ChangeBidAsync("51880423", HourlyRate.FromUsd(0.01m), Ct));
        await Assert.ThrowsAsync<InstanceGoneException>(() => harness.At(provider).ChangeBidAsync("51880423", HourlyRate.FromUsd(0.01m), Ct));

        Assert.Contains("below the minimum", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bid_and_an_offer_of_different_types_are_never_sent()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        await using var harness = new VastAiHarness();

        await Assert.ThrowsAsync<ArgumentException>(() => harness.At(provider).RentAsync(ABidOffer, Sample.Launch, Ct)); // would rent at the full price
        await Assert.ThrowsAsync<ArgumentException>(() => harness.At(provider).RentAsync(Sample.AnOffer, Sample.Launch with { BidUsdPerHour = 0.2m }, Ct));

        Assert.Empty(provider.Requests);
    }
}
