using Dashboard.Domain.Costs;
using Dashboard.Domain.Prices;

namespace Dashboard.Domain.Tests.Prices;

public sealed class BestTimeTests(ITestOutputHelper output)
{
    private static readonly DateTimeOffset Start = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>A market that follows the day and the week, drifts, and is noisy besides.</summary>
    private static List<HourPrice> Market(int weeks, int seed, double daily)
    {
        var random = new Random(seed);
        var (drift, hours) = (0d, new List<HourPrice>());
        for (var hour = 0; hour < weeks * 7 * 24; hour++)
        {
            drift = drift * 0.97 + 0.008 * Normal(random);
            var ratio = 1 + daily * Math.Sin(2 * Math.PI * (hour / 24d - 0.42)) + 0.035 * Math.Sin(2 * Math.PI * (hour / 168d - 0.3)) + drift + 0.012 * Normal(random);
            hours.Add(new HourPrice(Start.AddHours(hour), new HourlyRate((long)(400_000 * ratio))));
        }

        return hours;
    }

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    /// <summary>Asks every five hours of the last four weeks, each time with the weeks before alone, and looks up what came of it.</summary>
    private static (int Asked, List<(TimeAdvice.Wait Advice, decimal Saved)> Waits) BackTest(List<HourPrice> market)
    {
        var (asked, waits) = (0, new List<(TimeAdvice.Wait, decimal)>());
        for (var at = 8 * 7 * 24; at < market.Count - 24; at += 5)
        {
            asked++;
            var now = market[at].At.AddMinutes(20);
            if (BestTime.Advise([.. market.Skip(at + 1 - 8 * 7 * 24).Take(8 * 7 * 24)], now, market[at].Price) is TimeAdvice.Wait wait)
            {
                var then = market.Single(h => h.At == wait.Until).Price;
                waits.Add((wait, 1 - (decimal)then.MicrosPerHour / market[at].Price.MicrosPerHour));
            }
        }

        return (asked, waits);
    }

    [Fact]
    public void On_weeks_it_has_not_seen_waiting_as_advised_beats_starting_now()
    {
        var tests = Enumerable.Range(1, 8).Select(seed => BackTest(Market(12, seed, daily: 0.055))).ToList();
        var waits = tests.SelectMany(t => t.Waits).ToList();
        var (saved, said, asked) = (waits.Average(w => w.Saved), waits.Average(w => w.Advice.Saving), tests.Sum(t => t.Asked));
        output.WriteLine($"advised {waits.Count} of {asked} times; said {said:P1}, saved {saved:P1}; cheaper in {waits.Count(w => w.Saved > 0)}");
        Assert.True(saved > 0.02m, $"saved {saved:P1}");
        Assert.True(waits.Count >= 0.3 * asked, $"{waits.Count} of {asked}");
        Assert.InRange(said - saved, -0.02m, 0.02m); // what is said is what comes
    }

    [Fact]
    public void Where_no_hour_is_cheaper_it_does_not_send_anybody_away()
    {
        var tests = Enumerable.Range(1, 8).Select(seed => BackTest(Market(12, seed, daily: 0))).ToList();
        var (waits, asked) = (tests.Sum(t => t.Waits.Count), tests.Sum(t => t.Asked));
        Assert.True(waits <= 0.1 * asked, $"{waits} of {asked}");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(13)]
    public void With_less_than_two_weeks_it_says_nothing_and_why(int days)
    {
        var market = Market(12, 1, daily: 0.055)[..(days * 24)];
        var silent = Assert.IsType<TimeAdvice.Silent>(BestTime.Advise(market, market[^1].At.AddHours(1), market[^1].Price));
        Assert.Contains($"there are {days} day", silent.Why);
    }

    [Fact]
    public void Two_weeks_of_hours_with_holes_are_not_two_weeks()
    {
        var market = Market(12, 1, daily: 0.055).Where((_, n) => n % 24 < 5).Take(20 * 5).ToList();
        Assert.IsType<TimeAdvice.Silent>(BestTime.Advise(market, market[^1].At.AddHours(1), market[^1].Price));
    }

    [Fact]
    public void It_never_looks_at_what_comes_after_now()
    {
        var market = Market(12, 3, daily: 0.055);
        var now = market[9 * 7 * 24].At;
        Assert.Equal(BestTime.Advise([.. market.Where(h => h.At < now)], now, new HourlyRate(400_000)), BestTime.Advise(market, now, new HourlyRate(400_000)));
    }

    [Fact]
    public void The_week_map_sets_each_hour_against_its_own_week()
    {
        // Twice as dear every week, yet Mondays at three stay a tenth below.
        var hours = Enumerable.Range(0, 4 * 168).Select(n => new HourPrice(Start.AddHours(n), new HourlyRate((100_000L << (n / 168)) * (n % 168 == 3 ? 90 : 100) / 100))).ToList();
        var map = WeekMap.Of(hours, at => at.UtcDateTime);
        Assert.Equal((28, 0, 3), (map.Days, map.NeedsDays, map.Cells.Select((c, n) => (c!.Ratio, n)).MinBy(c => c.Ratio).n)); // 1 June 2026 is a Monday
        Assert.InRange(map.Cells[3]!.Ratio, 0.900m, 0.901m);
        Assert.InRange(map.Cells[3]!.Typical.MicrosPerHour, 719_000, 721_000);
        Assert.Equal(4, map.Cells[3]!.Days);
    }
}
