using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Prices;

/// <summary>The price of an hour.</summary>
/// <param name="At">When the hour began.</param>
public readonly record struct HourPrice(DateTimeOffset At, HourlyRate Price);

/// <param name="Ratio">To its week's mean: 0.94 is six percent cheaper.</param>
/// <param name="Typical">That, of the mean of the latest week.</param>
/// <param name="Days">How many days it stands on.</param>
public sealed record WeekCell(decimal Ratio, HourlyRate Typical, int Days);

/// <summary>What each hour of the week typically costs beside the rest of its week, so that a price that rises over months favours no hour.</summary>
/// <param name="Cells">168, Monday's first hour first; null: no data.</param>
/// <param name="Days">Days with data.</param>
public sealed record WeekMap(IReadOnlyList<WeekCell?> Cells, int Days)
{
    /// <summary>Below it the map is shown as unfinished, and no advice is given.</summary>
    public const int EnoughDays = 14;

    public const int HoursADay = 24;

    private const int HoursAWeek = 7 * HoursADay;

    public int NeedsDays => Math.Max(0, EnoughDays - Days);

    /// <param name="local">The reader's clock.</param>
    public static WeekMap Of(IReadOnlyList<HourPrice> hours, Func<DateTimeOffset, DateTime> local)
    {
        ArgumentNullException.ThrowIfNull(hours);
        ArgumentNullException.ThrowIfNull(local);
        if (hours.Count == 0)
        {
            return new WeekMap(new WeekCell?[HoursAWeek], 0);
        }

        var latest = hours.Max(h => h.At);
        var weeks = hours.GroupBy(h => (int)((latest - h.At).Ticks / (7 * TimeSpan.TicksPerDay))).ToDictionary(w => w.Key, w => w.Average(h => (decimal)h.Price.MicrosPerHour));
        var cells = new WeekCell?[HoursAWeek];
        foreach (var cell in hours.Select(h => (At: local(h.At), Ratio: h.Price.MicrosPerHour / weeks[(int)((latest - h.At).Ticks / (7 * TimeSpan.TicksPerDay))])).GroupBy(h => SlotOf(h.At)))
        {
            var ratio = cell.Average(c => c.Ratio);
            cells[cell.Key] = new WeekCell(ratio, new HourlyRate((long)Math.Round(ratio * weeks[0])), cell.Select(c => c.At.Date).Distinct().Count());
        }

        return new WeekMap(cells, hours.Select(h => local(h.At).Date).Distinct().Count());
    }

    /// <summary>Monday's first hour is 0, Sunday's last 167.</summary>
    public static int SlotOf(DateTime local) => ((int)local.DayOfWeek + 6) % 7 * HoursADay + local.Hour;
}
