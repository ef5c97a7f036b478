using System.Globalization;

namespace Dashboard.Web.Components;

/// <summary>The reader's time zone: everything is stored in UTC, and only the page knows where its reader sits. Cascaded by the layout.</summary>
public sealed record ReaderZone(TimeZoneInfo Zone)
{
    public static ReaderZone Utc { get; } = new(TimeZoneInfo.Utc);

    /// <summary>By its IANA name; a name this machine does not know, or none, reads as UTC.</summary>
    public static ReaderZone Named(string? iana) => iana is not null && TimeZoneInfo.TryFindSystemTimeZoneById(iana, out var zone) ? new(zone) : Utc;

    /// <summary><c>18:04:12</c>.</summary>
    public string Seconds(DateTimeOffset at) => Local(at).ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary><c>20:22</c> today, <c>Thu 12:00</c> within six days, else <c>12 Dec</c>, with the year when it is another one.</summary>
    public string Clock(DateTimeOffset at, DateTimeOffset now)
    {
        var (then, today) = (Local(at), Local(now));
        var days = Math.Abs((then.Date - today.Date).TotalDays);
        var format = days == 0 ? "HH:mm" : days < 7 ? "ddd HH:mm" : then.Year == today.Year ? "d MMM" : "d MMM yyyy";
        return then.ToString(format, CultureInfo.InvariantCulture);
    }

    /// <summary>For tooltips: seconds, in the reader's zone and in UTC.</summary>
    public string Exact(DateTimeOffset at) =>
        Local(at).ToString("d MMM yyyy HH:mm:ss", CultureInfo.InvariantCulture) + (Zone.BaseUtcOffset == TimeSpan.Zero && !Zone.SupportsDaylightSavingTime
            ? " UTC"
            : at.UtcDateTime.ToString(" (HH:mm:ss 'UTC')", CultureInfo.InvariantCulture));

    /// <summary>The calendar day there.</summary>
    public DateOnly Day(DateTimeOffset at) => DateOnly.FromDateTime(Local(at).DateTime);

    private DateTimeOffset Local(DateTimeOffset at) => TimeZoneInfo.ConvertTime(at, Zone);
}
