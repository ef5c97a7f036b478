using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;

namespace Dashboard.Domain.Prices;

/// <summary>
/// How bids would have lasted over every past run of some length. What it takes for the price of being outbid is the
/// market's: a bid lasts while machines of this model can be had for it or less. A rival's bid on one machine is not in it,
/// because providers show their floors and not what others bid; a particular machine may be lost earlier, or kept longer.
/// </summary>
/// <remarks>
/// Prices drift over weeks, so each past run is judged by how far the price rose above the one it began at, and a bid by how
/// far it is above the price now. Each hour of the week weighs the same, however often it was seen. An hour between two
/// polls counts as the dearer of them; a peak between polls is not seen.
/// </remarks>
public sealed class BidChances
{
    /// <summary>By rising rise; the share of the runs that rose at most so far, this one included.</summary>
    private readonly IReadOnlyList<(decimal Rise, decimal Share)> _rises;

    private BidChances(IReadOnlyList<(decimal, decimal)> rises, HourlyRate now, TimeSpan run, int weeks) => (_rises, Now, Run, Weeks) = (rises, now, run, weeks);

    /// <summary>The latest price: for less there is hardly a machine.</summary>
    public HourlyRate Now { get; }

    /// <summary>Whole hours.</summary>
    public TimeSpan Run { get; }

    /// <summary>That the past runs were taken from.</summary>
    public int Weeks { get; }

    /// <summary>Share of the past runs that a bid as far above its price as this one would have lasted.</summary>
    /// <param name="bid">Per GPU-hour, without disk.</param>
    public decimal Of(HourlyRate bid) => _rises.LastOrDefault(r => bid.MicrosPerHour >= Now.MicrosPerHour * r.Rise).Share;

    /// <summary>The lowest bid with a chance, in whole tenths of a cent: what providers take.</summary>
    /// <param name="chance">Above 0, at most 1.</param>
    public HourlyRate LowestFor(decimal chance)
    {
        const long step = 1_000;
        var rise = _rises.First(r => r.Share >= Math.Min(chance, _rises[^1].Share)).Rise;
        return new HourlyRate((long)Math.Ceiling(Now.MicrosPerHour * rise / step) * step);
    }

    /// <summary>What a run for this bid costs on average, GPU part: each interruption repeats some of it. Null: the bid never lasted.</summary>
    /// <param name="run">Its own time, which need not be whole hours.</param>
    public Money? Expected(HourlyRate bid, TimeSpan run) => Of(bid) is > 0 and var chance ? bid.For(run + InterruptionRules.Reserve * -Math.Log((double)chance)) : null; // as many as come when they come at random

    /// <param name="prices">By hour since 1970, in micro-dollars: those that polls saw.</param>
    /// <param name="longestGap">Hours between two polls at most; a run over a longer one is not known.</param>
    /// <param name="independent">How many runs of the length fit one after the other into what is known: runs that overlap say the same twice.</param>
    internal static BidChances Read(SortedDictionary<long, long> prices, int runHours, int longestGap, out int independent)
    {
        var (first, last) = (prices.Keys.First(), prices.Keys.Last());
        var known = Filled(prices, first, last, longestGap);
        var runs = new List<(long Slot, decimal Rise)>();
        foreach (var (begin, price) in prices)
        {
            // A run that begins within an hour ends within the one after its length.
            var hours = begin + runHours <= last ? known.AsSpan((int)(begin - first), runHours + 1) : [];
            if (!hours.IsEmpty && !hours.Contains(0))
            {
                var peak = price;
                foreach (var then in hours)
                {
                    peak = Math.Max(peak, then);
                }

                runs.Add((begin % (7 * WeekMap.HoursADay), (decimal)peak / price));
            }
        }

        independent = Math.Min(known.Count(k => k > 0) / runHours, runs.Count);
        return new BidChances(Cumulated(runs), new HourlyRate(prices[last]), TimeSpan.FromHours(runHours), (int)Math.Round((last - first) / (7d * WeekMap.HoursADay)));
    }

    private static long[] Filled(SortedDictionary<long, long> prices, long first, long last, int longestGap)
    {
        var known = new long[last - first + 1];
        var (before, priceBefore) = (first, prices[first]);
        foreach (var (hour, price) in prices)
        {
            for (var between = before + 1; between < hour && hour - before <= longestGap; between++)
            {
                known[between - first] = Math.Max(priceBefore, price);
            }

            (known[hour - first], before, priceBefore) = (price, hour, price);
        }

        return known;
    }

    private static List<(decimal Rise, decimal Share)> Cumulated(List<(long Slot, decimal Rise)> runs)
    {
        var seen = runs.CountBy(r => r.Slot).ToDictionary();
        var (sum, rises) = (0m, new List<(decimal, decimal)>());
        foreach (var same in runs.GroupBy(r => r.Rise).OrderBy(r => r.Key))
        {
            sum += same.Sum(r => 1m / seen[r.Slot]) / seen.Count;
            rises.Add((same.Key, Math.Round(sum, 9))); // thirds add up to a whole
        }

        return rises;
    }
}
