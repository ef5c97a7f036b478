using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Prices;

/// <param name="Wanted">The chance asked for, of one.</param>
/// <param name="Bid">Per GPU-hour, without disk; null: on demand costs no more.</param>
/// <param name="Chance">What the bid has; at least what was asked for.</param>
public sealed record BidChoice(decimal Wanted, HourlyRate? Bid, decimal Chance);

/// <summary>What to bid. Closed: every caller answers each case.</summary>
public abstract record BidAdvice
{
    private BidAdvice() { }

    /// <summary>Nothing is said, because there is too little to say it from.</summary>
    /// <param name="Why">A sentence for people.</param>
    public sealed record Silent(string Why) : BidAdvice;

    /// <param name="Choices">By rising chance; of equal bids the one with the highest chance.</param>
    public sealed record Known(IReadOnlyList<BidChoice> Choices, BidChances Chances) : BidAdvice;
}

/// <summary>The lowest bid for a chance of not being outbid before a run is over. What that stands on, and what it does not know, is said at <see cref="BidChances"/>.</summary>
public static class LowestBid
{
    /// <summary>Runs that fit one after the other into the history. With fewer, nine of ten would stand on less than two that failed.</summary>
    public const int EnoughRuns = 20;

    private const int LongestMemory = 8 * 7; // days
    private const int LongestGap = 8; // hours: a model that nobody watches is polled three or four times a day
    private static readonly decimal[] Chances = [0.5m, 0.7m, 0.9m];

    /// <param name="hours">Of one series and one measure, in any order; those after <paramref name="now"/> are not looked at.</param>
    /// <param name="run">How long the machine is wanted.</param>
    /// <param name="onDemand">The same machine's price on demand, per GPU-hour; null: not known.</param>
    public static BidAdvice Advise(IReadOnlyList<HourPrice> hours, DateTimeOffset now, TimeSpan run, HourlyRate? onDemand)
    {
        ArgumentNullException.ThrowIfNull(hours);
        var thisHour = HourOf(now);
        var prices = new SortedDictionary<long, long>();
        foreach (var hour in hours.Where(h => h.At <= now && h.Price > HourlyRate.Zero && HourOf(h.At) > thisHour - LongestMemory * WeekMap.HoursADay))
        {
            prices[HourOf(hour.At)] = hour.Price.MicrosPerHour;
        }

        var days = prices.Keys.Select(h => h / WeekMap.HoursADay).Distinct().Count();
        if (days < WeekMap.EnoughDays)
        {
            return new BidAdvice.Silent($"It takes two weeks of prices to know how long a bid lasts; there {(days == 1 ? "is 1 day" : $"are {days} days")}.");
        }

        var age = thisHour - prices.Keys.Last();
        if (age > LongestGap)
        {
            return new BidAdvice.Silent($"The latest price is {age} h old.");
        }

        var runHours = (int)Math.Clamp(Math.Ceiling(run.TotalHours), 1, LongestMemory * WeekMap.HoursADay);
        var chances = BidChances.Read(prices, runHours, LongestGap, out var independent);
        if (independent < EnoughRuns)
        {
            return new BidAdvice.Silent($"It takes {EnoughRuns} past runs of {runHours} h, one after the other, to know how often a bid lasts so long; the prices of the last {LongestMemory / 7} weeks hold {independent}.");
        }

        var choices = Chances.Select(wanted => (Wanted: wanted, Bid: chances.LowestFor(wanted)))
            .Select(c => c.Bid >= onDemand ? new BidChoice(c.Wanted, null, 1) : new BidChoice(c.Wanted, c.Bid, chances.Of(c.Bid)));
        return new BidAdvice.Known([.. choices.GroupBy(c => c.Bid).Select(same => same.Last())], chances);
    }

    private static long HourOf(DateTimeOffset at) => at.ToUnixTimeSeconds() / 3_600;
}
