using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Web.Features.Jobs;

namespace Dashboard.Web.Tests.Jobs;

public sealed class LifeStripLayoutTests
{
    private static readonly DateTimeOffset One = new(2026, 11, 23, 13, 0, 0, TimeSpan.Zero);

    // Rented 13:00, disk bills from then, the GPU from 13:02, the program from 13:04.
    private static readonly AttemptLife First = new(
        1, One, One, One.AddMinutes(2), One.AddMinutes(4), null, null, HourlyRate.FromUsd(0.60m), HourlyRate.FromUsd(0.06m), "Poland", null);

    [Fact]
    public void A_running_attempt_has_a_start_a_run_up_to_now_and_a_future_up_to_its_expected_end()
    {
        var strip = Strip([First], now: One.AddMinutes(30), left: TimeSpan.FromMinutes(10));
        Assert.Equal(
            [(LifeKind.Starting, 0, 4), (LifeKind.Running, 4, 30), (LifeKind.Future, 30, 40)],
            Minutes(strip.Rows.Single()));
        Assert.Equal(75, strip.Now);
    }

    [Fact]
    public void A_segments_money_is_its_time_at_the_frozen_rates_from_the_moment_each_bills()
    {
        var row = Strip([First], now: One.AddMinutes(64)).Rows.Single();
        Assert.Equal(Money.FromUsd(0.024m), row.Segments[0].Cost); // 4 min of disk, 2 of GPU
        Assert.Equal(Money.FromUsd(0.66m), row.Segments[1].Cost); // an hour of both
    }

    [Fact]
    public void Money_is_left_out_for_a_reader_who_may_not_see_it() =>
        Assert.All(LifeStripLayout.Of(One, null, [First], null, One.AddMinutes(30), seesMoney: false).Rows.Single().Segments, s => Assert.Null(s.Cost));

    [Fact]
    public void Attempts_are_rows_on_one_axis_and_only_the_last_has_a_future()
    {
        var lost = First with { EndedAt = One.AddMinutes(20), Caption = "lost, outbid" };
        var second = First with { Number = 2, CreatedAt = One.AddMinutes(25), BilledFrom = One.AddMinutes(25), GpuFrom = One.AddMinutes(26), StartedAt = One.AddMinutes(30) };
        var strip = Strip([second, lost], now: One.AddMinutes(50), left: TimeSpan.FromMinutes(50));

        Assert.Equal([1, 2], strip.Rows.Select(r => r.Attempt.Number));
        Assert.Equal([(LifeKind.Starting, 0, 4), (LifeKind.Running, 4, 20)], Minutes(strip.Rows[0]));
        Assert.Equal([(LifeKind.Starting, 25, 30), (LifeKind.Running, 30, 50), (LifeKind.Future, 50, 100)], Minutes(strip.Rows[1]));
        Assert.Equal((30d, 20d), (strip.Rows[1].Segments[1].Left, strip.Rows[1].Segments[1].Width));
    }

    [Fact]
    public void While_another_renter_has_the_machine_only_its_disk_costs()
    {
        var row = Strip([First with { Pauses = [new Pause(One.AddMinutes(10), One.AddMinutes(40)), new Pause(One.AddMinutes(50), null)] }], now: One.AddMinutes(60)).Rows.Single();
        Assert.Equal([(LifeKind.Starting, 0, 4), (LifeKind.Running, 4, 10), (LifeKind.Kept, 10, 40), (LifeKind.Running, 40, 50), (LifeKind.Kept, 50, 60)], Minutes(row));
        Assert.Equal(First.DiskRate.For(TimeSpan.FromMinutes(30)), row.Segments[2].Cost);
    }

    [Fact]
    public void Collecting_follows_the_run_and_has_no_future()
    {
        var strip = Strip([First with { CollectingAt = One.AddMinutes(29) }], now: One.AddMinutes(30), left: null);
        Assert.Equal([(LifeKind.Starting, 0, 4), (LifeKind.Running, 4, 29), (LifeKind.Collecting, 29, 30)], Minutes(strip.Rows.Single()));
    }

    [Fact]
    public void A_machine_that_never_ran_is_all_start() =>
        Assert.Equal([(LifeKind.Starting, 0, 7)], Minutes(Strip([First with { StartedAt = null, EndedAt = One.AddMinutes(7) }], now: One.AddMinutes(9)).Rows.Single()));

    [Fact]
    public void A_job_that_ended_years_ago_has_the_same_strip_as_on_its_last_day()
    {
        AttemptLife[] attempts = [First with { CollectingAt = One.AddMinutes(29), EndedAt = One.AddMinutes(30) }];
        var then = LifeStripLayout.Of(One, One.AddMinutes(30), attempts, null, One.AddMinutes(31), true);
        var years = LifeStripLayout.Of(One, One.AddMinutes(30), attempts, null, One.AddYears(3), true);
        Assert.Null(years.Now);
        Assert.Equal(then.Rows.SelectMany(r => r.Segments), years.Rows.SelectMany(r => r.Segments));
        Assert.Equal(then.Ticks, years.Ticks);
    }

    [Fact]
    public void Ticks_keep_their_distance_and_now_always_has_its_place()
    {
        var second = First with { Number = 2, CreatedAt = One.AddMinutes(2) };
        var ticks = Strip([First, second], now: One.AddMinutes(99), left: TimeSpan.FromMinutes(1)).Ticks;
        Assert.Contains(ticks, t => t.Kind == LifeTickKind.Now);
        Assert.All(ticks.Zip(ticks.Skip(1)), pair => Assert.True(pair.Second.Left - pair.First.Left >= 18));
    }

    [Fact]
    public void Before_the_first_machine_there_is_an_axis_and_no_row() => Assert.Empty(Strip([], now: One.AddSeconds(5)).Rows);

    private static LifeStripLayout Strip(AttemptLife[] attempts, DateTimeOffset now, TimeSpan? left = null) => LifeStripLayout.Of(One, null, attempts, left, now, seesMoney: true);

    private static IEnumerable<(LifeKind, int, int)> Minutes(LifeRow row) => row.Segments.Select(s => (s.Kind, (int)(s.From - One).TotalMinutes, (int)(s.To - One).TotalMinutes));
}
