using Dashboard.Domain.Costs;
using Dashboard.Domain.Prices;

namespace Dashboard.Domain.Tests.Prices;

public sealed class LowestBidTests(ITestOutputHelper output)
{
    private static readonly DateTimeOffset Monday = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);

    private static List<HourPrice> Hours(int days, Func<int, decimal?> usd) =>
        [.. Enumerable.Range(0, days * 24).Where(n => usd(n) is not null).Select(n => new HourPrice(Monday.AddHours(n), HourlyRate.FromUsd(usd(n)!.Value)))];

    /// <summary>Asked in the last hour of the history.</summary>
    private static BidAdvice Advise(List<HourPrice> hours, int run, decimal? onDemandUsd = null) =>
        LowestBid.Advise(hours, hours[^1].At.AddMinutes(20), TimeSpan.FromHours(run), onDemandUsd is { } usd ? HourlyRate.FromUsd(usd) : null);

    private static IEnumerable<(decimal Wanted, decimal? Usd, decimal Chance)> Choices(BidAdvice advice) =>
        Assert.IsType<BidAdvice.Known>(advice).Choices.Select(c => (c.Wanted, c.Bid?.Usd, Math.Round(c.Chance, 4)));

    [Fact]
    public void A_price_that_stands_still_is_the_bid_for_every_chance() => Assert.Equal([(0.9m, 0.2m, 1m)], Choices(Advise(Hours(14, _ => 0.2m), 6)));

    [Theory]
    [InlineData(6, 0.75)] // noon costs half more: of the 24 hours to begin at, the six before noon meet it
    [InlineData(12, 0.5)]
    [InlineData(1, 0.9583)]
    public void Runs_that_meet_the_dear_hour_are_lost_to_the_price_they_began_at(int run, double chance)
    {
        var advice = Assert.IsType<BidAdvice.Known>(Advise(Hours(21, n => n % 24 == 12 ? 0.3m : 0.2m), run));
        Assert.Equal((decimal)chance, Math.Round(advice.Chances.Of(HourlyRate.FromUsd(0.2m)), 4));
        Assert.Equal(1, advice.Chances.Of(HourlyRate.FromUsd(0.3m)));
        Assert.Equal(0, advice.Chances.Of(HourlyRate.FromUsd(0.199m)));
    }

    [Fact]
    public void Each_chance_has_the_lowest_bid_that_reaches_it()
    {
        var advice = Advise(Hours(21, n => n % 24 == 12 ? 0.3m : n % 24 == 18 ? 0.22m : 0.2m), 6);

        // Of 24 beginnings six meet noon and five more the evening; at noon and in the evening itself it only falls.
        Assert.Equal([(0.5m, 0.2m, 0.5417m), (0.7m, 0.22m, 0.75m), (0.9m, 0.3m, 1m)], Choices(advice));
    }

    [Fact]
    public void A_market_that_got_dearer_is_judged_by_its_rises_and_the_bid_stands_on_the_price_now()
    {
        var advice = Advise(Hours(21, n => (n < 10 * 24 ? 0.1m : 0.4m) * (n % 24 == 12 ? 1.5m : 1m)), 6);
        Assert.Equal([(0.7m, 0.4m), (0.9m, 0.6m)], Choices(advice).Select(c => (c.Wanted, c.Usd!.Value)));
    }

    [Fact]
    public void Every_hour_of_the_week_weighs_the_same_however_often_it_was_seen()
    {
        // Two whole weeks stand still. Of four more weeks Mondays from midnight to two are known alone, and there it doubles.
        var hours = Hours(6 * 7, n => n < 2 * 168 ? 0.2m : (n % 168) switch { 0 => 0.2m, 1 or 2 => 0.4m, _ => null });
        hours.Add(new HourPrice(Monday.AddDays(6 * 7), HourlyRate.FromUsd(0.2m)));
        var advice = Assert.IsType<BidAdvice.Known>(LowestBid.Advise(hours, hours[^1].At, TimeSpan.FromHours(1), null));
        Assert.Equal(Math.Round(1 - 4 / 6m / 168, 6), Math.Round(advice.Chances.Of(HourlyRate.FromUsd(0.2m)), 6)); // four of the six runs from midnight, one hour of 168
    }

    [Fact]
    public void An_hour_between_two_polls_is_the_dearer_of_them_and_a_long_gap_is_not_known()
    {
        // Polled at 0, 6, 12 and 18 o'clock: a run of an hour from 6 meets the dear poll of noon, because nobody knows when it rose.
        var advice = Assert.IsType<BidAdvice.Known>(Advise(Hours(21, n => n % 6 != 0 ? null : n % 24 == 12 ? 0.3m : 0.2m), 1));
        Assert.Equal(0.75m, Math.Round(advice.Chances.Of(HourlyRate.FromUsd(0.2m)), 2));
        Assert.Contains("hold 0.", Assert.IsType<BidAdvice.Silent>(Advise(Hours(21, n => n % 12 == 0 ? 0.2m : null), 1)).Why);
    }

    [Theory]
    [InlineData(0.31, new[] { 0.2, 0.3 })]
    [InlineData(0.3, new[] { 0.2, -1 })]
    [InlineData(0.2, new[] { -1.0 })]
    public void Nobody_is_advised_to_bid_what_a_machine_costs_on_demand(double onDemand, double[] usd) => Assert.Equal(
        usd.Select(u => u < 0 ? (decimal?)null : (decimal)u), Choices(Advise(Hours(21, n => n % 24 == 12 ? 0.3m : 0.2m), 6, (decimal)onDemand)).Select(c => c.Usd));

    [Fact]
    public void A_bid_is_rounded_up_to_what_providers_take() =>
        Assert.Equal([(0.9m, 0.334m, 1m)], Choices(Advise(Hours(14, _ => 0.333333m), 6)));

    [Fact]
    public void What_a_run_costs_counts_what_interruptions_repeat()
    {
        var chances = Assert.IsType<BidAdvice.Known>(Advise(Hours(21, n => n % 24 == 12 ? 0.3m : 0.2m), 6)).Chances;
        Assert.Equal(Money.FromUsd(1.80m), chances.Expected(HourlyRate.FromUsd(0.3m), TimeSpan.FromHours(6))); // never lost: six hours
        Assert.Equal(1.2288m, Math.Round(chances.Expected(HourlyRate.FromUsd(0.2m), TimeSpan.FromHours(6))!.Value.Usd, 4)); // 0.2877 interruptions of half an hour
        Assert.Null(chances.Expected(HourlyRate.FromUsd(0.1m), TimeSpan.FromHours(6)));
    }

    [Theory]
    [InlineData(1, 6, "there is 1 day")]
    [InlineData(13, 6, "there are 13 days")]
    [InlineData(14, 17, "It takes 20 past runs of 17 h, one after the other, to know how often a bid lasts so long; the prices of the last 8 weeks hold 19.")]
    [InlineData(70, 68, "hold 19.")]
    [InlineData(14, 5_000, "hold 0.")]
    public void With_too_little_to_stand_on_it_says_nothing_and_why(int days, int run, string why) =>
        Assert.Contains(why, Assert.IsType<BidAdvice.Silent>(Advise(Hours(days, _ => 0.2m), run)).Why);

    [Theory]
    [InlineData(14, 16)]
    [InlineData(70, 67)]
    public void Twenty_runs_one_after_the_other_are_enough(int days, int run) => Assert.IsType<BidAdvice.Known>(Advise(Hours(days, _ => 0.2m), run));

    [Fact]
    public void Without_a_price_of_today_it_says_nothing()
    {
        var hours = Hours(21, _ => 0.2m);
        Assert.IsType<BidAdvice.Known>(LowestBid.Advise(hours, hours[^1].At.AddHours(8), TimeSpan.FromHours(6), null));
        Assert.Equal("The latest price is 9 h old.", Assert.IsType<BidAdvice.Silent>(LowestBid.Advise(hours, hours[^1].At.AddHours(9), TimeSpan.FromHours(6), null)).Why);
    }

    [Fact]
    public void It_never_looks_at_what_comes_after_now()
    {
        var market = Market(12, 3);
        var now = market[9 * 168].At;
        Assert.Equal(
            Choices(LowestBid.Advise([.. market.Where(h => h.At <= now)], now, TimeSpan.FromHours(6), null)), Choices(LowestBid.Advise(market, now, TimeSpan.FromHours(6), null)));
    }

    /// <summary>Floors that follow the day and the week, drift, are noisy, and now and then jump for some hours because somebody wants many machines.</summary>
    private static List<HourPrice> Market(int weeks, int seed)
    {
        var random = new Random(seed);
        var (drift, rush, hours) = (0d, 0d, new List<HourPrice>());
        for (var hour = 0; hour < weeks * 168; hour++)
        {
            drift = drift * 0.99 + 0.008 * Normal(random);
            rush = random.NextDouble() < 0.015 ? 0.1 + 0.3 * random.NextDouble() : rush * 0.75;
            var ratio = 1 + 0.055 * Math.Sin(2 * Math.PI * (hour / 24d - 0.42)) + 0.035 * Math.Sin(2 * Math.PI * (hour / 168d - 0.3)) + drift + rush + 0.01 * Normal(random);
            hours.Add(new HourPrice(Monday.AddHours(hour), new HourlyRate((long)(200_000 * ratio))));
        }

        return hours;
    }

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    [Theory]
    [InlineData(2)]
    [InlineData(6)]
    [InlineData(24)]
    public void On_weeks_it_has_not_seen_a_bid_lasts_about_as_often_as_was_said(int run)
    {
        // Asked every eleven hours of four weeks, each time with the eight weeks before alone; then looked up what the price did.
        var (lasted, over, asked) = (new SortedDictionary<decimal, int>(), new SortedDictionary<decimal, decimal>(), 0);
        foreach (var seed in Enumerable.Range(1, 8))
        {
            var market = Market(12, seed);
            for (var at = 8 * 168; at < market.Count - run - 1; at += 11)
            {
                asked++;
                var past = market.GetRange(at + 1 - 8 * 168, 8 * 168);
                var peak = market.GetRange(at, run + 1).Max(h => h.Price.MicrosPerHour);
                var chances = Assert.IsType<BidAdvice.Known>(LowestBid.Advise(past, market[at].At.AddMinutes(20), TimeSpan.FromHours(run), null)).Chances;
                foreach (var chance in new[] { 0.5m, 0.7m, 0.9m })
                {
                    var bid = chances.LowestFor(chance);
                    lasted[chance] = lasted.GetValueOrDefault(chance) + (peak <= bid.MicrosPerHour ? 1 : 0);
                    over[chance] = over.GetValueOrDefault(chance) + (decimal)bid.MicrosPerHour / market[at].Price.MicrosPerHour - 1;
                }
            }
        }

        foreach (var (chance, times) in lasted)
        {
            output.WriteLine($"{run} h: said {chance:P0}, lasted {(decimal)times / asked:P1} of {asked}, {over[chance] / asked:P1} above the price");
            Assert.InRange((decimal)times / asked, chance - 0.06m, chance + 0.06m);
        }

        Assert.True(over[0.5m] < over[0.7m] && over[0.7m] < over[0.9m]); // more costs more
    }
}
