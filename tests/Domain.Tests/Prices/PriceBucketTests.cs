using CsCheck;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Prices;
using static Dashboard.Domain.Tests.Prices.PriceStatisticsTests;

namespace Dashboard.Domain.Tests.Prices;

public sealed class PriceBucketTests
{
    private static readonly Gen<PricePoint> APoint = Gen.Select(Gen.Long[10_000, 900_000].List[0, 12], Gen.Bool, (micros, complete) =>
        PriceStatistics.Point(micros.Select(m => Offer(m / 1_000_000m, "RTX 9999")), Now, complete));

    [Fact]
    public void Buckets_add_up_in_any_order_and_grouping() =>
        Gen.Select(APoint.List[0, 40], Gen.Int[0, 40], Gen.Int[0, 1_000]).Sample((points, cut, seed) =>
        {
            var shuffled = points.ToArray();
            new Random(seed).Shuffle(shuffled);
            var first = shuffled.Take(cut).Select(PriceBucket.Of).Aggregate(default(PriceBucket), (a, b) => a + b);
            var second = shuffled.Skip(cut).Select(PriceBucket.Of).Aggregate(default(PriceBucket), (a, b) => a + b);
            return first + second == points.Select(PriceBucket.Of).Aggregate(default(PriceBucket), (a, b) => a + b);
        });

    [Fact]
    public void A_bucket_keeps_the_lowest_and_the_highest_and_lies_between_them_itself() =>
        APoint.List[1, 40].Sample(points =>
        {
            var bucket = points.Select(PriceBucket.Of).Aggregate((a, b) => a + b);
            var mins = points.Where(p => p.Min is not null).Select(p => p.Min!.Value.MicrosPerHour).ToList();
            return mins.Count == 0
                ? bucket is { Polls: 0, Low: 0, High: 0, Min: null }
                : bucket.Polls == mins.Count && bucket.Low == mins.Min() && bucket.High == mins.Max() && bucket.Min!.Value.MicrosPerHour >= bucket.Low && bucket.Min.Value.MicrosPerHour <= bucket.High;
        });

    [Fact]
    public void Quantiles_come_from_complete_lists_alone() =>
        APoint.List[1, 40].Sample(points =>
        {
            var bucket = points.Select(PriceBucket.Of).Aggregate((a, b) => a + b);
            return bucket.Depths == points.Count(p => p is { Kind: PointKind.Depth, Count: > 0 }) && bucket.Counts == points.Count(p => p.Kind == PointKind.Depth);
        });

    [Fact]
    public void The_providers_own_figures_have_no_lowest_price_and_no_count()
    {
        var bucket = PriceBucket.Of(new PricePoint(Now, PointKind.Provider, 165, AtLeast: false, null, null, new PriceQuantiles(new(254_000), null, new(500_000), null, new(970_000))));
        Assert.Equal((0, 0, 1, 0, 0, null), (bucket.Polls, bucket.Empty, bucket.Depths, bucket.Quartiles, bucket.Counts, bucket.Min));
        Assert.Equal(new PriceQuantiles(new(254_000), null, new(500_000), null, new(970_000)), bucket.Quantiles);
    }

    [Fact]
    public void The_mean_is_of_the_points_and_in_whole_micro_dollars()
    {
        var bucket = new[] { 400_000, 400_001, 400_003 }.Select(m => PriceBucket.Of(new PricePoint(Now, PointKind.Floor, 1, true, new HourlyRate(m), null, null))).Aggregate((a, b) => a + b);
        Assert.Equal(new HourlyRate(400_001), bucket.Min);
    }
}
