using CsCheck;
using Dashboard.Domain.Prices;

namespace Dashboard.Domain.Tests.Prices;

public sealed class RowRationTests
{
    private static readonly RowRation Ration = new(20_000);

    [Fact]
    public void Half_are_for_floor_polls_a_fifth_for_depth_polls_and_thirty_percent_are_left_for_people() =>
        Assert.Equal((10_000, 4_000, 6_000), (Ration.Floor, Ration.Depth, Ration.People));

    [Fact]
    public void Polls_never_take_what_is_kept_for_people_and_never_exceed_the_day() =>
        Gen.Select(Gen.Int[1, 30_000], Gen.Select(Gen.Int[0, 2], Gen.Int[1, 200]).List[0, 600]).Sample((perDay, asks) =>
        {
            var ration = new RowRation(perDay);
            var used = default(RowsUsed);
            foreach (var (who, rows) in asks)
            {
                used = who switch
                {
                    0 when rows <= ration.Left(PointKind.Floor, used) => used with { Floor = used.Floor + rows },
                    1 when rows <= ration.Left(PointKind.Depth, used) => used with { Depth = used.Depth + rows },
                    2 when used.All + rows <= perDay => used with { People = used.People + rows }, // people are asked nothing; the provider stops them
                    _ => used,
                };
            }

            return used.Floor <= ration.Floor && used.Depth <= ration.Depth && used.All <= perDay
                && (used.People > ration.People || used.All + (ration.People - used.People) <= perDay);
        });

    [Fact]
    public void What_people_take_beyond_their_share_is_not_polled()
    {
        Assert.Equal(1_000, Ration.Left(PointKind.Floor, new RowsUsed(9_000, 0, 6_000)));
        Assert.Equal(500, Ration.Left(PointKind.Floor, new RowsUsed(9_000, 4_000, 6_500)));
        Assert.Equal(0, Ration.Left(PointKind.Depth, new RowsUsed(9_000, 1_000, 10_000)));
    }

    [Theory]
    [InlineData(6, 0, 9)] // 1,000 polls a day
    [InlineData(1, 0, 5)] // never more often
    [InlineData(6, 80, 11)] // 800 of them
    public void Watched_series_are_polled_as_often_as_the_rows_allow(int often, int rotation, int minutes) =>
        Assert.Equal(TimeSpan.FromMinutes(minutes), PollPlan.FloorInterval(often: true, often, rotation, Ration));

    [Fact]
    public void A_day_of_polls_at_these_intervals_fits_the_ration() =>
        Gen.Select(Gen.Int[0, 400], Gen.Int[0, 400], Gen.Int[100, 40_000]).Sample((often, rotation, perDay) =>
        {
            var ration = new RowRation(perDay);
            decimal Rows(bool of, int count) => count * (decimal)TimeSpan.FromDays(1).Ticks / PollPlan.FloorInterval(of, often, rotation, ration).Ticks * PollPlan.FloorRows;
            return Rows(true, often) + Rows(false, rotation) <= ration.Floor;
        });
}
