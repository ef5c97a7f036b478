using System.Globalization;
using Dashboard.Web.Components;

namespace Dashboard.Web.Features.Costs;

/// <summary>Days that costs are asked for, by a reader's midnights.</summary>
/// <param name="From">First day, included.</param>
/// <param name="To">Last day, included.</param>
/// <param name="Zone">Whose midnight ends a day.</param>
public sealed record CostPeriod(DateOnly From, DateOnly To, ReaderZone Zone)
{
    /// <summary>A chart shows no more bars than this; a longer period is shown by the week.</summary>
    public const int MostBars = 62;

    private const int LongestDays = 366;

    public int Days => To.DayNumber - From.DayNumber + 1;

    /// <summary>Days in one bar: 1 or 7.</summary>
    public int BarDays => Days <= MostBars ? 1 : 7;

    public int Bars => (Days + BarDays - 1) / BarDays;

    /// <summary>Whether it is one whole calendar month.</summary>
    public bool IsMonth => From.Day == 1 && To == From.AddMonths(1).AddDays(-1);

    /// <summary>First instant that counts.</summary>
    public DateTimeOffset Start => Midnight(From);

    /// <summary>First instant that does not count any more.</summary>
    public DateTimeOffset End => Midnight(To.AddDays(1));

    /// <summary><c>November 2026</c>, <c>17 Nov 2026</c>, <c>1 to 23 Nov 2026</c>, <c>28 Oct to 3 Nov 2026</c>.</summary>
    public string Words => IsMonth ? Text(From, "MMMM yyyy")
        : Days == 1 ? Text(From, "d MMM yyyy")
        : (From.Year, From.Month) == (To.Year, To.Month) ? $"{From.Day} to {Text(To, "d MMM yyyy")}"
        : $"{Text(From, From.Year == To.Year ? "d MMM" : "d MMM yyyy")} to {Text(To, "d MMM yyyy")}";

    public static CostPeriod Month(DateOnly day, ReaderZone zone)
    {
        var first = new DateOnly(day.Year, day.Month, 1);
        return new CostPeriod(first, first.AddMonths(1).AddDays(-1), zone);
    }

    /// <summary>What an address asks for. A month wins over days.</summary>
    /// <returns>Null when it names no period, or one that does not exist or is longer than a year.</returns>
    public static CostPeriod? Read(string? month, string? from, string? to, ReaderZone zone)
    {
        if (DateOnly.TryParseExact(month, "yyyy-MM", CultureInfo.InvariantCulture, DateTimeStyles.None, out var first))
        {
            return Sane(first) ? Month(first, zone) : null;
        }

        return Day(from) is { } start && Day(to) is { } end && Sane(start) && Sane(end) && start <= end && end.DayNumber - start.DayNumber < LongestDays
            ? new CostPeriod(start, end, zone)
            : null;
    }

    /// <summary>The days to compare with, so that a half month is never compared with a whole one: of a month its like days in the month before, else as many days just before.</summary>
    public CostPeriod Before(DateOnly today)
    {
        if (!IsMonth)
        {
            return new CostPeriod(From.AddDays(-Days), From.AddDays(-1), Zone);
        }

        var month = Month(From.AddMonths(-1), Zone);
        return Includes(today) && month.From.AddDays(today.Day - 1) is var like && like < month.To ? month with { To = like } : month;
    }

    public bool Includes(DateOnly day) => From <= day && day <= To;

    /// <summary>The bar that a day belongs to, from 0.</summary>
    public int BarOf(DateOnly day) => (day.DayNumber - From.DayNumber) / BarDays;

    /// <summary>First day of a bar.</summary>
    public DateOnly FirstOf(int bar) => From.AddDays(bar * BarDays);

    /// <summary>Last day of a bar; the last bar may be a short one.</summary>
    public DateOnly LastOf(int bar) => Earlier(FirstOf(bar).AddDays(BarDays - 1), To);

    /// <summary>The part of it that has passed.</summary>
    public TimeSpan Passed(DateTimeOffset now) => Within(Start, End, now);

    /// <summary>The part of a bar that has passed.</summary>
    public TimeSpan PassedOf(int bar, DateTimeOffset now) => Within(Midnight(FirstOf(bar)), Midnight(LastOf(bar).AddDays(1)), now);

    private static TimeSpan Within(DateTimeOffset start, DateTimeOffset end, DateTimeOffset now) => now <= start ? TimeSpan.Zero : (now < end ? now : end) - start;

    private static DateOnly Earlier(DateOnly a, DateOnly b) => a < b ? a : b;

    private static bool Sane(DateOnly day) => day.Year is > 2000 and < 9000;

    private static DateOnly? Day(string? text) => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null;

    private static string Text(DateOnly day, string format) => day.ToString(format, CultureInfo.InvariantCulture);

    private DateTimeOffset Midnight(DateOnly day)
    {
        var local = day.ToDateTime(TimeOnly.MinValue);
        return new DateTimeOffset(local, Zone.Zone.GetUtcOffset(local)).ToUniversalTime();
    }
}
