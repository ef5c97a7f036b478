using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Prices;

/// <summary>Whether waiting some hours has been worth it. Closed: every caller answers each case.</summary>
public abstract record TimeAdvice
{
    private TimeAdvice() { }

    /// <summary>Nothing is said, because there is too little to say it from.</summary>
    /// <param name="Why">A sentence for people.</param>
    public sealed record Silent(string Why) : TimeAdvice;

    /// <summary>Waiting would not have helped: no hour is reliably cheaper, or this is one of the cheap ones.</summary>
    public sealed record NothingToGain(int Weeks) : TimeAdvice;

    /// <param name="Until">The hour, within a day from now.</param>
    /// <param name="Typical">What is expected then.</param>
    /// <param name="Saving">Mean share that waiting has saved in the back-test, losses included.</param>
    /// <param name="Helped">Trials in which it was cheaper.</param>
    /// <param name="Tried">Trials on days whose prices the advice had not seen.</param>
    public sealed record Wait(DateTimeOffset Until, HourlyRate Typical, decimal Saving, int Helped, int Tried, int Weeks) : TimeAdvice;
}

/// <summary>
/// Advice from the hours of the day. Each hour is set against the mean of its own day; the profile of the days before
/// predicts the cheapest hour of the next 24. The same is done for every day of the last four weeks with what was known
/// then, and only what helped there is said.
/// </summary>
public static class BestTime
{
    private const int HoursADay = 24;
    private const int LongestMemory = 8 * 7;
    private const int TestDays = 28;
    private const int LeastTests = 8;
    private const int HoursOfADay = 12; // a day of fewer says little about its mean
    private const double WorthWaiting = 0.02;
    private const double OftenEnough = 0.6;
    private static readonly int[] DecisionHours = [1, 7, 13, 19];

    /// <param name="hours">Of one series and one measure, in any order; those of <paramref name="now"/> and later are not looked at.</param>
    /// <param name="price">What it costs now.</param>
    public static TimeAdvice Advise(IReadOnlyList<HourPrice> hours, DateTimeOffset now, HourlyRate price)
    {
        ArgumentNullException.ThrowIfNull(hours);
        var today = DayOf(now);
        var prices = new Dictionary<long, double>();
        foreach (var hour in hours.Where(h => h.At < now && h.Price > HourlyRate.Zero && DayOf(h.At) >= today - LongestMemory))
        {
            prices[HourOf(hour.At)] = hour.Price.MicrosPerHour;
        }

        var days = prices.GroupBy(p => p.Key / HoursADay).Where(d => d.Key < today && d.Count() >= HoursOfADay)
            .OrderBy(d => d.Key).Select(d => (Day: d.Key, Ratios: Ratios(d))).ToList();
        if (days.Count < WeekMap.EnoughDays)
        {
            return new TimeAdvice.Silent($"It takes two weeks of prices to know the hours of a day; there are {days.Count} {(days.Count == 1 ? "day" : "days")}.");
        }

        var weeks = (int)Math.Round((today - days[0].Day) / 7d);
        var (tried, helped, saved) = (0, 0, 0d);
        var profile = new Profile();
        foreach (var (day, ratios) in days)
        {
            if (day >= today - TestDays && profile.Days >= WeekMap.EnoughDays / 2)
            {
                foreach (var hour in DecisionHours)
                {
                    if (profile.Best(hour) is { } best && prices.TryGetValue(day * HoursADay + hour, out var then) && prices.TryGetValue(day * HoursADay + hour + best.Ahead, out var later))
                    {
                        tried++;
                        helped += later < then ? 1 : 0;
                        saved += 1 - later / then;
                    }
                }
            }

            profile.Add(ratios);
        }

        if (profile.Best(now.UtcDateTime.Hour) is not { } wait || tried < LeastTests || saved / tried < WorthWaiting / 2 || helped < OftenEnough * tried)
        {
            return new TimeAdvice.NothingToGain(weeks);
        }

        var until = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero).AddHours(now.UtcDateTime.Hour + wait.Ahead);
        return new TimeAdvice.Wait(until, new HourlyRate((long)(price.MicrosPerHour * (1 - wait.Saving))), (decimal)(saved / tried), helped, tried, weeks);
    }

    private static double?[] Ratios(IEnumerable<KeyValuePair<long, double>> day)
    {
        var prices = day.ToList();
        var mean = prices.Average(p => p.Value);
        var ratios = new double?[HoursADay];
        prices.ForEach(p => ratios[p.Key % HoursADay] = p.Value / mean);
        return ratios;
    }

    private static long HourOf(DateTimeOffset at) => at.ToUnixTimeSeconds() / 3_600;

    private static long DayOf(DateTimeOffset at) => HourOf(at) / HoursADay;

    /// <summary>Mean ratio of each hour to its day.</summary>
    private sealed class Profile
    {
        private readonly double[] _sum = new double[HoursADay];
        private readonly int[] _count = new int[HoursADay];

        public int Days { get; private set; }

        public void Add(double?[] ratios)
        {
            Days++;
            for (var hour = 0; hour < HoursADay; hour++)
            {
                if (ratios[hour] is { } ratio)
                {
                    _sum[hour] += ratio;
                    _count[hour]++;
                }
            }
        }

        /// <summary>The cheapest of the next 23 hours; null when it is not worth the wait.</summary>
        public (int Ahead, double Saving)? Best(int hour)
        {
            if (_count[hour] == 0)
            {
                return null;
            }

            var here = _sum[hour] / _count[hour];
            (int Ahead, double Saving)? best = null;
            for (var ahead = 1; ahead < HoursADay; ahead++)
            {
                var then = (hour + ahead) % HoursADay;
                if (_count[then] > 0 && 1 - _sum[then] / _count[then] / here is var saving && saving >= WorthWaiting && (best is null || saving > best.Value.Saving))
                {
                    best = (ahead, saving);
                }
            }

            return best;
        }
    }
}
