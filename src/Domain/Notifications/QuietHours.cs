namespace Dashboard.Domain.Notifications;

/// <summary>Hours of the day in which a channel says nothing that can wait; over midnight when it ends before it begins.</summary>
/// <param name="From">Minutes since midnight.</param>
/// <param name="Until">Minutes since midnight; not in it any more.</param>
/// <param name="Zone">IANA name of where these are read off the clock.</param>
public sealed record QuietHours(int From, int Until, string Zone)
{
    private const int Day = 24 * 60;

    /// <summary>The first instant at which it may be said; null: now. A zone that this machine does not know is read as UTC.</summary>
    public DateTimeOffset? EndsAt(DateTimeOffset now)
    {
        var zone = TimeZoneInfo.TryFindSystemTimeZoneById(Zone, out var found) ? found : TimeZoneInfo.Utc;
        var local = TimeZoneInfo.ConvertTime(now, zone);
        var minute = (local.Hour * 60) + local.Minute;
        var left = From == Until ? 0 : Left(minute);
        if (left == 0)
        {
            return null;
        }

        var end = local.DateTime.Date.AddMinutes(minute + left); // what the clock on the wall shows then
        if (zone.IsInvalidTime(end))
        {
            end = end.AddHours(1); // the hour that is skipped in spring
        }

        var at = new DateTimeOffset(end, zone.GetUtcOffset(end)).ToUniversalTime();
        return at > now ? at : null; // in the hour that comes twice in autumn it has ended already
    }

    public override string ToString() => $"{From / 60:00}:{From % 60:00} to {Until / 60:00}:{Until % 60:00}, {Zone}";

    /// <summary>Minutes on the clock until it ends; zero outside of it.</summary>
    private int Left(int minute)
    {
        var inside = From < Until ? minute >= From && minute < Until : minute >= From || minute < Until;
        return inside ? (Until - minute + Day) % Day : 0;
    }
}
