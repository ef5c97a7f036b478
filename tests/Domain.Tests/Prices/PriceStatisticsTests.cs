using CsCheck;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Prices;

namespace Dashboard.Domain.Tests.Prices;

public sealed class PriceStatisticsTests
{
    internal static readonly DateTimeOffset Now = new(2026, 11, 23, 18, 0, 0, TimeSpan.Zero);
    private static readonly Market VastAi = new(Provider.VastAi, "https://vast.example", Simulated: false);

    internal static Offer Offer(decimal usd, string gpu = "RTX 4090", int gpus = 1, int vramMb = 24_564, RentalType rental = RentalType.OnDemand, bool verified = true) => new()
    {
        Id = Guid.NewGuid().ToString(), MachineId = "1", GpuName = gpu, GpuCount = gpus, VramMb = vramMb, Rental = rental, GpuRate = HourlyRate.FromUsd(usd), DiskRate = HourlyRate.FromUsd(0.01m),
        StorageUsdPerGbMonth = 0.1m, DownloadPerGb = Money.Zero, UploadPerGb = Money.Zero, DiskGb = 100, Verified = verified,
    };

    private static HourlyRate Usd(decimal usd) => HourlyRate.FromUsd(usd);

    [Fact]
    public void A_floor_poll_gives_the_lowest_price_the_fifth_and_how_many_there_are_at_least()
    {
        var point = PriceStatistics.Point([.. Enumerable.Range(0, 10).Select(n => Offer(0.50m - 0.01m * n))], Now, complete: false);
        Assert.Equal(new PricePoint(Now, PointKind.Floor, 10, AtLeast: true, Usd(0.41m), Usd(0.45m), Quantiles: null), point);
    }

    [Fact]
    public void Only_a_complete_list_has_quantiles_and_a_true_count()
    {
        var point = PriceStatistics.Point([.. Enumerable.Range(1, 101).Select(n => Offer(0.20m + 0.001m * n))], Now, complete: true);
        Assert.Equal(new PriceQuantiles(Usd(0.211m), Usd(0.226m), Usd(0.251m), Usd(0.276m), Usd(0.291m)), point.Quantiles);
        Assert.Equal((PointKind.Depth, 101, false), (point.Kind, point.Count, point.AtLeast));
    }

    [Fact]
    public void A_price_that_cannot_be_meant_is_in_no_figure()
    {
        var point = PriceStatistics.Point([Offer(0.01m, "B200", vramMb: 183_000), Offer(6.50m, "B200", vramMb: 183_000)], Now, complete: true);
        Assert.Equal((1, Usd(6.50m), Usd(6.50m)), (point.Count, point.Min!.Value, point.Quantiles!.P10));
    }

    [Fact]
    public void Prices_are_per_gpu_and_without_disk() =>
        Assert.Equal(Usd(0.40m), PriceStatistics.Point([Offer(1.60m, gpus: 4)], Now, complete: true).Min);

    [Fact]
    public void An_empty_market_is_a_point_without_prices() =>
        Assert.Equal(new PricePoint(Now, PointKind.Depth, 0, AtLeast: false, null, null, null), PriceStatistics.Point([], Now, complete: true));

    [Fact]
    public void A_quantile_is_an_observed_price_with_its_share_of_the_others_below_and_above() =>
        Gen.Select(Gen.Long[1, 5_000_000].List[1, 200], Gen.Int[0, 100]).Sample((micros, percent) =>
        {
            var sorted = micros.Order().Select(m => new HourlyRate(m)).ToList();
            var quantile = PriceStatistics.Quantile(sorted, percent);
            return sorted.Contains(quantile) && 100 * sorted.Count(p => p < quantile) <= percent * (sorted.Count - 1) && 100 * sorted.Count(p => p > quantile) < (100 - percent) * (sorted.Count - 1) + 100;
        });

    [Fact]
    public void Cheaper_than_a_share_of_the_history_counts_what_was_dearer()
    {
        HourlyRate[] history = [Usd(0.30m), Usd(0.40m), Usd(0.50m), Usd(0.60m)];
        Assert.Equal((0.75m, 0.5m, 0m, null), (PriceStatistics.DearerShare(history, Usd(0.35m)), PriceStatistics.DearerShare(history, Usd(0.40m)), PriceStatistics.DearerShare(history, Usd(0.60m)), PriceStatistics.DearerShare([], Usd(1))));
    }

    [Theory]
    [InlineData(24_564, "RTX 4090", true, RentalType.OnDemand, true)]
    [InlineData(49_140, "RTX 4090", true, RentalType.OnDemand, false)] // a modified card of 48 GB is another thing
    [InlineData(24_564, "RTX 3090", true, RentalType.OnDemand, false)]
    [InlineData(24_564, "RTX 4090", false, RentalType.OnDemand, false)]
    [InlineData(24_564, "RTX 4090", true, RentalType.Interruptible, false)]
    public void A_series_holds_offers_of_its_own_kind_alone(int vramMb, string gpu, bool verified, RentalType rental, bool holds) =>
        Assert.Equal(holds, new PriceSeries(VastAi, "RTX 4090", 24, 1, RentalType.OnDemand, VerifiedOnly: true).Holds(Offer(0.4m, gpu, vramMb: vramMb, rental: rental, verified: verified)));

    [Fact]
    public void The_search_of_a_series_finds_what_the_series_holds()
    {
        var query = new PriceSeries(VastAi, "RTX 4090", 24, 2, RentalType.Interruptible, VerifiedOnly: false).Query(10);
        Assert.True(query.MinVramMb <= 24_564);
        Assert.Equal((2, RentalType.Interruptible, false, 10), (query.GpuCount, query.Rental, query.VerifiedOnly, query.Limit));
    }
}
