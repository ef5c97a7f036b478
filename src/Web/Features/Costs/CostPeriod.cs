using System.Globalization;
using Dashboard.Domain.Budgets;
using Dashboard.Web.Components;

namespace Dashboard.Web.Features.Costs;

/// <summary>How long the bars of a chart are.</summary>
public enum CostGrain
{
    Day,
    Week,
    Month,
}

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

    /// <summary>The bars that were asked for; null: by the period's length.</summary>
    public CostGrain? Asked { get; init; }

    /// <summary>The bars there are: days when they fit, else weeks.</summary>
    public CostGrain Grain => Asked switch
    {
        CostGrain.Month => CostGrain.Month,
        CostGrain.Week => CostGrain.Week,
        CostGrain.Day or null => Days <= MostBars ? CostGrain.Day : CostGrain.Week,
    };

    public int Bars => BarOf(To) + 1;

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
    public int BarOf(DateOnly day) => Grain switch
    {
        CostGrain.Day => day.DayNumber - From.DayNumber,
        CostGrain.Week => (day.DayNumber - From.DayNumber) / 7,
        CostGrain.Month => (day.Year * 12) + day.Month - (From.Year * 12) - From.Month,
    };

    /// <summary>First day of a bar.</summary>
    public DateOnly FirstOf(int bar) => Grain switch
    {
        CostGrain.Day => From.AddDays(bar),
        CostGrain.Week => From.AddDays(bar * 7),
        CostGrain.Month => bar == 0 ? From : new DateOnly(From.Year, From.Month, 1).AddMonths(bar),
    };

    /// <summary>Last day of a bar; the last bar may be a short one.</summary>
    public DateOnly LastOf(int bar) => bar + 1 < Bars ? FirstOf(bar + 1).AddDays(-1) : To;

    /// <summary>The period as runs of days that are all as long: <c>Length</c> is 24 hours, but for a day on which the clocks change, which is a run of its own.</summary>
    public IEnumerable<(DateTimeOffset Start, DateTimeOffset End, DateOnly First, TimeSpan Length)> Stretches()
    {
        var (first, day) = (From, TimeSpan.FromDays(1));
        for (var at = From; at <= To; at = at.AddDays(1))
        {
            var length = Midnight(at.AddDays(1)) - Midnight(at);
            if (length == day)
            {
                continue;
            }

            if (first < at)
            {
                yield return (Midnight(first), Midnight(at), first, day);
            }

            yield return (Midnight(at), Midnight(at.AddDays(1)), at, length);
            first = at.AddDays(1);
        }

        if (first <= To)
        {
            yield return (Midnight(first), End, first, day);
        }
    }

    /// <summary>The days from now to its end, the rest of today first.</summary>
    public IReadOnlyList<DayAhead> Ahead(DateTimeOffset now)
    {
        var today = Zone.Day(now);
        return [.. Enumerable.Range(0, Math.Max(0, To.DayNumber - today.DayNumber + 1)).Select(today.AddDays).Select(day => new DayAhead(day, day == today ? now : Midnight(day), Midnight(day.AddDays(1))))];
    }

    /// <summary>The part of it that has passed.</summary>
    public TimeSpan Passed(DateTimeOffset now) => Within(Start, End, now);

    /// <summary>The part of a bar that has passed.</summary>
    public TimeSpan PassedOf(int bar, DateTimeOffset now) => Within(Midnight(FirstOf(bar)), Midnight(LastOf(bar).AddDays(1)), now);

    private static TimeSpan Within(DateTimeOffset start, DateTimeOffset end, DateTimeOffset now) => now <= start ? TimeSpan.Zero : (now < end ? now : end) - start;

    private static bool Sane(DateOnly day) => day.Year is > 2000 and < 9000;

    private static DateOnly? Day(string? text) => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null;

    private static string Text(DateOnly day, string format) => day.ToString(format, CultureInfo.InvariantCulture);

    private DateTimeOffset Midnight(DateOnly day)
    {
        var local = day.ToDateTime(TimeOnly.MinValue);
        return new DateTimeOffset(local, Zone.Zone.GetUtcOffset(local)).ToUniversalTime();
    }
}
