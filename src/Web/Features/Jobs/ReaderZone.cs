using System.Globalization;
using Microsoft.JSInterop;

namespace Dashboard.Web.Features.Jobs;

/// <summary>The reader's time zone: everything is stored in UTC, and only the page knows where its reader sits. UTC until the browser has said.</summary>
public sealed record ReaderZone(TimeZoneInfo Zone)
{
    public static ReaderZone Utc { get; } = new(TimeZoneInfo.Utc);

    /// <summary>Asks the browser through a module that exports <c>zone()</c>, an IANA name. A name this machine does not know reads as UTC.</summary>
    public static async Task<ReaderZone> AskAsync(IJSObjectReference module, CancellationToken ct) =>
        TimeZoneInfo.TryFindSystemTimeZoneById(await module.InvokeAsync<string?>("zone", ct) ?? "UTC", out var zone) ? new(zone) : Utc;

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

    /// <summary>For tooltips and tables of events: date, seconds and zone left no doubt about.</summary>
    public string Exact(DateTimeOffset at) => Local(at).ToString("d MMM yyyy HH:mm:ss", CultureInfo.InvariantCulture);

    private DateTimeOffset Local(DateTimeOffset at) => TimeZoneInfo.ConvertTime(at, Zone);
}
