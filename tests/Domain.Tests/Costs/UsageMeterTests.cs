using CsCheck;
using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Tests.Costs;

public sealed class UsageMeterTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 23, 9, 0, 0, TimeSpan.Zero);
    private static readonly Gen<(long Micros, List<int> Gaps)> Polls = Gen.Select(Gen.Long[1, 50_000_000], Gen.Int[1, 7200].List[1, 200]);

    [Fact]
    public void Ledger_total_does_not_depend_on_how_often_usage_is_polled() =>
        Polls.Sample((micros, gaps) =>
        {
            var (rate, now, posted) = (new HourlyRate(micros), Start, Money.Zero);
            foreach (var seconds in gaps)
            {
                now += TimeSpan.FromSeconds(seconds);
                posted += UsageMeter.ChargeDue(rate, Start, now, posted);
            }

            Assert.Equal(rate.For(now - Start), posted);
        });

    [Fact]
    public void A_poll_that_did_not_happen_is_made_good_by_the_next_one() =>
        Gen.Select(Polls, Gen.Int[0, 199]).Where((polls, skipped) => skipped < polls.Gaps.Count - 1).Sample((polls, skipped) =>
            Assert.Equal(Ledger(polls, skippedPoll: skipped, droppedEntry: null), Ledger(polls, skippedPoll: null, droppedEntry: null)));

    [Fact]
    public void A_ledger_that_drops_one_interval_is_noticed() =>
        Gen.Select(Gen.Long[36_000, 50_000_000], Gen.Int[1, 7200].List[1, 200], Gen.Int[0, 199]).Where((_, gaps, dropped) => dropped < gaps.Count)
            .Sample((micros, gaps, dropped) =>
                Assert.True(Ledger((micros, gaps), null, droppedEntry: dropped) < new HourlyRate(micros).For(TimeSpan.FromSeconds(gaps.Sum()))));

    [Fact]
    public void Nothing_is_due_twice_for_the_same_moment() =>
        Gen.Select(Gen.Long[1, 50_000_000], Gen.Int[1, 1_000_000]).Sample((micros, seconds) =>
        {
            var (rate, until) = (new HourlyRate(micros), Start + TimeSpan.FromSeconds(seconds));
            var first = UsageMeter.ChargeDue(rate, Start, until, Money.Zero);
            Assert.Equal(Money.Zero, UsageMeter.ChargeDue(rate, Start, until, first));
        });

    [Fact]
    public void A_clock_that_jumped_back_behind_the_start_charges_nothing() =>
        Assert.Equal(Money.Zero, UsageMeter.ChargeDue(new HourlyRate(412_000), Start, Start - TimeSpan.FromHours(1), Money.Zero));

    [Fact]
    public void Charging_past_the_end_is_taken_back_by_the_proven_end()
    {
        var rate = new HourlyRate(3_600_000);
        var posted = UsageMeter.ChargeDue(rate, Start, Start + TimeSpan.FromSeconds(30), Money.Zero);
        Assert.Equal(new Money(-10_000), UsageMeter.ChargeDue(rate, Start, Start + TimeSpan.FromSeconds(20), posted));
    }

    [Theory]
    [InlineData(1_000_000_000, 20_000, 20_000)] // a decimal gigabyte
    [InlineData(500_000_000, 20_000, 10_000)]
    [InlineData(0, 20_000, 0)]
    [InlineData(25_000, 20_000, 0)] // half a micro-dollar: to even
    public void Traffic_is_priced_by_the_decimal_gigabyte(long bytes, long perGigabyte, long micros) =>
        Assert.Equal(new Money(micros), UsageMeter.Traffic(bytes, new Money(perGigabyte)));

    /// <summary>What a ledger holds after the polls. A skipped poll never ran; a dropped entry was computed and counted as posted, and then lost.</summary>
    private static Money Ledger((long Micros, List<int> Gaps) polls, int? skippedPoll, int? droppedEntry)
    {
        var (rate, now, posted, stored) = (new HourlyRate(polls.Micros), Start, Money.Zero, Money.Zero);
        for (var poll = 0; poll < polls.Gaps.Count; poll++)
        {
            now += TimeSpan.FromSeconds(polls.Gaps[poll]);
            if (poll == skippedPoll)
            {
                continue;
            }

            var due = UsageMeter.ChargeDue(rate, Start, now, posted);
            posted += due;
            stored += poll == droppedEntry ? Money.Zero : due;
        }

        return stored;
    }
}
