using System.Globalization;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;

namespace Dashboard.Web.Features.Jobs;

/// <summary>Figures inside sentences and labels, by the same rules as the components that show them alone.</summary>
public static class Say
{
    /// <summary><c>$812.47</c>; below a cent four decimals: <c>$0.0041</c>.</summary>
    public static string Money(Money amount)
    {
        var small = amount != Domain.Costs.Money.Zero && Math.Abs(amount.Usd) < 0.01m;
        return (amount < Domain.Costs.Money.Zero ? "−$" : "$") + Math.Abs(amount.Usd).ToString(small ? "0.0000" : "#,0.00", CultureInfo.InvariantCulture);
    }

    /// <summary><c>$0.412/h</c>, from ten dollars on <c>$12.60/h</c>.</summary>
    public static string Rate(HourlyRate rate) => "$" + rate.Usd.ToString(rate.Usd < 10 ? "0.000" : "#,0.00", CultureInfo.InvariantCulture) + "/h";

    /// <summary>Two units at most: <c>6 h 53 min</c>, <c>42 s</c>, <c>3 days</c>.</summary>
    public static string Duration(TimeSpan time) => time switch
    {
        { TotalSeconds: < 60 } => $"{Math.Max(0, (int)time.TotalSeconds)} s",
        { TotalMinutes: < 10 } when time.Seconds > 0 => $"{time.Minutes} min {time.Seconds} s",
        { TotalMinutes: < 60 } => $"{(int)Math.Round(time.TotalMinutes)} min",
        { TotalHours: < 48 } => time.Minutes > 0 ? $"{(int)time.TotalHours} h {time.Minutes} min" : $"{(int)time.TotalHours} h",
        _ => $"{(int)time.TotalDays} days",
    };

    /// <summary>Decimal: <c>84.0 MB</c>.</summary>
    public static string Bytes(decimal bytes) => bytes switch
    {
        < 1_000 => $"{bytes:0} B",
        < 1_000_000 => Scaled(bytes / 1_000, "kB"),
        < 1_000_000_000 => Scaled(bytes / 1_000_000, "MB"),
        _ => Scaled(bytes / 1_000_000_000, "GB"),
    };

    public static string Count(int n) => n.ToString("N0", CultureInfo.InvariantCulture);

    public static string Loss(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);

    /// <summary>Seconds a step: <c>8.3 s</c>, below a second <c>45 ms</c>.</summary>
    public static string StepTime(double seconds) => seconds < 1
        ? (seconds * 1000).ToString("0", CultureInfo.InvariantCulture) + " ms"
        : seconds.ToString("0.0", CultureInfo.InvariantCulture) + " s";

    /// <summary>VRAM as it is sold: a card that reports 24,564 MB is a 24 GB card.</summary>
    public static string Vram(int megabytes) => $"{Math.Round(megabytes / 1024m):0} GB";

    /// <summary>Why it ended, for a caption under an attempt or a chip.</summary>
    public static string Reason(StopReason reason) => reason switch
    {
        StopReason.Finished => "finished",
        StopReason.CancelledByUser => "stopped by a person",
        StopReason.BudgetExhausted => "budget reached",
        StopReason.CreditExhausted => "credit used up",
        StopReason.DeadlineReached => "time limit reached",
        StopReason.ScriptFailed => "script failed",
        StopReason.OutOfMemory => "out of memory",
        StopReason.DiskFull => "disk full",
        StopReason.Diverged => "loss diverged",
        StopReason.Hung => "no progress",
        StopReason.NoCapacity => "no machine",
        StopReason.StartFailed => "did not start",
        StopReason.Interrupted => "lost, outbid",
        StopReason.HostLost => "host lost",
        StopReason.HostKeyChanged => "host key changed",
        StopReason.ArtifactMissing => "result missing",
        StopReason.ConnectionBroken => "key refused",
    };

    private static string Scaled(decimal value, string unit) => value.ToString(value < 100 ? "0.0" : "0", CultureInfo.InvariantCulture) + " " + unit;
}
