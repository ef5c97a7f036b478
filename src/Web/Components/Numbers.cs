using System.Globalization;
using Dashboard.Domain.Costs;

namespace Dashboard.Web.Components;

/// <summary>
/// How every number is written, as text. Pages use the components, which dim units and carry exact values; this is for
/// what is text by nature: labels for screen readers, titles of charts, sentences.
/// </summary>
public static class Numbers
{
    private const string Minus = "−";

    /// <summary><c>$812.47</c>; below a cent four decimals, <c>$0.0041</c>.</summary>
    public static string Amount(Money amount)
    {
        var usd = Math.Abs(amount.Usd);
        var digits = usd switch
        {
            0 => "0.00",
            < 0.0001m => "0.0001",
            < 0.01m => usd.ToString("0.0000", CultureInfo.InvariantCulture),
            _ => usd.ToString("#,##0.00", CultureInfo.InvariantCulture),
        };
        return (amount < Money.Zero ? Minus : "") + (usd is > 0 and < 0.0001m ? "< $" : "$") + digits;
    }

    /// <summary>A running meter: two decimals, then two that are dimmed. Cut, not rounded: a meter shows what has passed.</summary>
    public static (string Whole, string Dimmed) Meter(Money amount)
    {
        var cut = Math.Truncate(Math.Abs(amount.Usd) * 10_000m) / 10_000m;
        var digits = cut.ToString("#,##0.0000", CultureInfo.InvariantCulture);
        return ((amount < Money.Zero ? Minus : "") + "$" + digits[..^2], digits[^2..]);
    }

    /// <summary>The figure of a rate without its unit: three decimals an hour below $10, two above; a day or a month is an amount. A rate that three decimals would show as zero keeps four.</summary>
    public static string RateFigure(HourlyRate rate, RatePeriod period)
    {
        if (period != RatePeriod.Hour)
        {
            return Amount(rate.For(Length(period)));
        }

        var format = rate.Usd switch { 0 => "0.000", < 0.0005m => "0.0000", < 9.9995m => "0.000", _ => "#,##0.00" };
        return "$" + rate.Usd.ToString(format, CultureInfo.InvariantCulture);
    }

    /// <summary><c>/h</c>, <c>/day</c>, <c>/month</c>.</summary>
    public static string Unit(RatePeriod period) => period switch
    {
        RatePeriod.Hour => "/h",
        RatePeriod.Day => "/day",
        RatePeriod.Month => "/month",
    };

    /// <summary><c>$0.412/h</c>, <c>$0.17/day</c>.</summary>
    public static string Rate(HourlyRate rate, RatePeriod period = RatePeriod.Hour) => RateFigure(rate, period) + Unit(period);

    /// <summary><c>≈ $2.90</c>.</summary>
    public static string About(Money amount) => "≈ " + Amount(amount);

    /// <summary><c>likely $2.70 to $3.20</c>.</summary>
    public static string Likely(Money low, Money high) => $"likely {Amount(low)} to {Amount(high)}";

    /// <summary>Always signed: <c>+$0.48</c>, <c>−$0.48</c>; no difference is <c>$0.00</c>.</summary>
    public static string Difference(Money difference) => (difference > Money.Zero ? "+" : "") + Amount(difference);

    /// <summary>Always signed, of a fraction, in whole percent: <c>−6%</c>; no difference is <c>0%</c>.</summary>
    public static string Difference(decimal fraction)
    {
        var percent = Math.Round(fraction * 100m, MidpointRounding.AwayFromZero);
        return (percent < 0 ? Minus : percent > 0 ? "+" : "") + Math.Abs(percent).ToString("#,##0", CultureInfo.InvariantCulture) + "%";
    }

    /// <summary>Of a fraction: <c>68%</c>; below 10% one decimal, <c>4.6%</c>.</summary>
    public static string Share(decimal fraction)
    {
        var percent = fraction * 100m;
        return percent switch
        {
            0 => "0%",
            < 9.95m => percent.ToString("0.0", CultureInfo.InvariantCulture) + "%",
            _ => percent.ToString("0", CultureInfo.InvariantCulture) + "%",
        };
    }

    /// <summary>Two units at most: <c>42 s</c>, <c>6 h 53 min</c>, <c>3 days</c>.</summary>
    public static string Duration(TimeSpan time)
    {
        var seconds = (long)Math.Max(0, Math.Round(time.TotalSeconds));
        return seconds switch
        {
            < 60 => $"{seconds} s",
            < 600 => Two(seconds / 60, "min", seconds % 60, "s"),
            < 3_600 => $"{seconds / 60} min",
            < 86_400 => Two(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
            _ => Two(seconds / 86_400, seconds < 172_800 ? "day" : "days", seconds % 86_400 / 3_600, "h"),
        };
    }

    /// <summary><c>just now</c> under 5 s, then <c>40 s</c>, <c>47 min</c>, <c>5 h</c>, <c>11 d</c>.</summary>
    public static string Age(TimeSpan age) => age.TotalSeconds switch
    {
        < 5 => "just now",
        < 60 => $"{(int)age.TotalSeconds} s",
        < 3_600 => $"{(int)age.TotalMinutes} min",
        < 86_400 => $"{(int)age.TotalHours} h",
        _ => $"{(int)age.TotalDays} d",
    };

    /// <summary>Decimal, for files and traffic: <c>84.0 MB</c>.</summary>
    public static string Bytes(long bytes) => bytes switch
    {
        < 1_000 => $"{bytes} B",
        < 999_950 => Scaled(bytes, 1_000m, "kB"),
        < 999_950_000 => Scaled(bytes, 1_000_000m, "MB"),
        _ => Scaled(bytes, 1_000_000_000m, "GB"),
    };

    /// <summary><c>300 Mb/s</c>, <c>1.8 Gb/s</c>.</summary>
    public static string Speed(decimal megabits) => megabits < 999.5m
        ? megabits.ToString("0", CultureInfo.InvariantCulture) + " Mb/s"
        : (megabits / 1_000m).ToString("0.0", CultureInfo.InvariantCulture) + " Gb/s";

    /// <summary>As the card is sold: the 24,564 MB it reports are <c>24 GB</c>.</summary>
    public static string Vram(int megabytes) => Math.Round(megabytes / 1024m).ToString("0", CultureInfo.InvariantCulture) + " GB";

    /// <summary>Three decimals; a loss that is no number says so.</summary>
    public static string Loss(double loss) => double.IsFinite(loss) ? loss.ToString("0.000", CultureInfo.InvariantCulture) : "not finite";

    /// <summary>Grouped: <c>1,820</c>.</summary>
    public static string Count(long count) => count.ToString("#,##0", CultureInfo.InvariantCulture);

    /// <summary><c>1 machine</c>, <c>4 machines</c>.</summary>
    public static string Count(long count, string one, string many) => $"{Count(count)} {(count == 1 ? one : many)}";

    private static TimeSpan Length(RatePeriod period) => period switch
    {
        RatePeriod.Hour => TimeSpan.FromHours(1),
        RatePeriod.Day => TimeSpan.FromHours(24),
        RatePeriod.Month => TimeSpan.FromHours(720),
    };

    private static string Two(long large, string largeUnit, long small, string smallUnit) =>
        small == 0 ? $"{large} {largeUnit}" : $"{large} {largeUnit} {small} {smallUnit}";

    private static string Scaled(long bytes, decimal unit, string name) =>
        (bytes / unit).ToString("0.0", CultureInfo.InvariantCulture) + " " + name;
}

/// <summary>What a rate is shown for. A month is 720 hours, as storage is billed.</summary>
public enum RatePeriod
{
    Hour,
    Day,
    Month,
}
