using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Prices;

namespace Dashboard.Domain.Tests.Prices;

public sealed class PriceFilterTests
{
    private static readonly PriceSeries Series = new(new Market(Provider.VastAi, "https://vast.example", Simulated: false), "RTX 4090", 24, 1, RentalType.OnDemand, VerifiedOnly: true);

    public static TheoryData<PriceFilter, bool, string> Filters { get; } = new()
    {
        { new([], null, null, null), true, "any GPU, any number in a machine, on demand or bid" },
        { new(["RTX 3090", "rtx 4090"], null, 1, RentalType.OnDemand), true, "RTX 3090 or rtx 4090" },
        { new(["RTX 3090"], null, 1, null), false, "RTX 3090, on demand or bid" },
        { new([], 24, 1, RentalType.OnDemand), true, "any GPU of 24 GB or more" },
        { new([], 25, 1, RentalType.OnDemand), false, "any GPU of 25 GB or more" },
        { new([], null, 2, RentalType.OnDemand), false, "any GPU ×2" },
        { new([], null, 1, RentalType.Interruptible), false, "any GPU bid" },
        { new([], null, 1, RentalType.OnDemand, new HostFilter(ReliabilityPercent: 98)), true, "any GPU with reliability ≥ 98%" },
        { new(["RTX 4090"], null, 1, RentalType.OnDemand, new HostFilter(98, 500, 12.4m, 1, true)), true, "RTX 4090 with reliability ≥ 98%, download ≥ 500 Mb/s, CUDA ≥ 12.4, contract ≥ 1 day, unverified hosts too" },
    };

    [Theory]
    [MemberData(nameof(Filters))]
    public void A_filter_holds_what_meets_all_of_it(PriceFilter filter, bool holds, string words) => Assert.Equal((holds, words), (filter.Holds(Series), filter.Words()));

    [Fact]
    public void Hosts_that_are_not_verified_are_not_watched() => Assert.False(new PriceFilter([], null, null, null).Holds(Series with { VerifiedOnly = false }));

    [Fact]
    public void Hosts_that_are_narrowed_are_one_search()
    {
        var query = new PriceFilter(["L40S"], 48, 2, RentalType.Interruptible, new HostFilter(98, 500, 12.4m, 3, Unverified: true)).Query(10);

        Assert.Equal(
            (2, 46_080, RentalType.Interruptible, 0.98m, 500m, 12.4m, TimeSpan.FromDays(3), false, 10),
            (query.GpuCount, query.MinVramMb, query.Rental, query.MinReliability, query.MinDownloadMbps, query.MinCuda, query.MinContract, query.VerifiedOnly, query.Limit));
        Assert.Equal(["L40S"], query.GpuNames);
        Assert.Throws<InvalidOperationException>(() => new PriceFilter([], null, null, RentalType.OnDemand, new HostFilter(98)).Query(10));
        Assert.Throws<InvalidOperationException>(() => new PriceFilter([], null, 1, RentalType.OnDemand).Query(10));
    }

    [Fact]
    public void A_price_stands_until_the_next_poll_of_its_series_and_eight_hours_at_most()
    {
        var (cheapest, start) = (new CheapestSeries(), DateTimeOffset.UnixEpoch);
        cheapest.See(1, start, new HourlyRate(300));
        cheapest.See(2, start.AddHours(1), new HourlyRate(400));
        Assert.Equal((1, new HourlyRate(300), start), cheapest.At(start.AddHours(7)));
        Assert.Equal((2, new HourlyRate(400), start.AddHours(1)), cheapest.At(start.AddHours(8)));
        cheapest.See(1, start.AddHours(8), new HourlyRate(500));
        Assert.Equal(2, cheapest.At(start.AddHours(8))!.Value.Series);
        cheapest.See(2, start.AddHours(8), null); // nothing on offer
        Assert.Equal((1, new HourlyRate(500), start.AddHours(8)), cheapest.At(start.AddHours(8)));
        Assert.Null(cheapest.At(start.AddHours(16)));
    }
}
