using CsCheck;
using Dashboard.Domain.Prices;

namespace Dashboard.Domain.Tests.Prices;

public sealed class ThinningTests
{
    [Fact]
    public void Every_bucket_keeps_its_lowest_and_its_highest_in_their_order_and_no_more_come_out_than_asked() =>
        Gen.Select(Gen.Long[1, 1_000_000].List[0, 3_000], Gen.Int[2, 1_500]).Sample((values, most) =>
        {
            var points = values.Select((value, at) => (At: at, Value: value)).ToList();
            var kept = Thinning.KeepLowAndHigh(points, p => p.Value, p => p.Value, most);
            if (points.Count <= most)
            {
                return kept.SequenceEqual(points);
            }

            var buckets = most / 2;
            int Start(int bucket) => (int)((long)points.Count * bucket / buckets);
            return kept.Count <= most
                && kept.Zip(kept.Skip(1)).All(pair => pair.First.At < pair.Second.At)
                && Enumerable.Range(0, buckets).All(bucket =>
                {
                    var all = points[Start(bucket)..Start(bucket + 1)].Select(p => p.Value).ToList();
                    var left = kept.Where(p => p.At >= Start(bucket) && p.At < Start(bucket + 1)).Select(p => p.Value).ToList();
                    return left.Min() == all.Min() && left.Max() == all.Max();
                });
        });

    [Fact]
    public void A_point_without_a_value_never_hides_one_that_has()
    {
        (int At, long? Value)[] points = [(0, null), (1, 7), (2, null), (3, 3), (4, null), (5, null), (6, null), (7, null)];
        Assert.Equal([1, 3, 4], Thinning.KeepLowAndHigh(points, p => p.Value, p => p.Value, 4).Select(p => p.At));
    }
}
