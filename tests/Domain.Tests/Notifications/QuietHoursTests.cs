using System.Globalization;
using CsCheck;
using Dashboard.Domain.Notifications;

namespace Dashboard.Domain.Tests.Notifications;

public sealed class QuietHoursTests
{
    private static readonly QuietHours Night = new(22 * 60, 7 * 60, "Europe/Berlin");

    private static DateTimeOffset Utc(string text) => DateTimeOffset.Parse(text + "Z", CultureInfo.InvariantCulture);

    [Theory]
    [InlineData("2026-11-10T21:30", "2026-11-11T06:00")] // 22:30 there: until 7 in the morning
    [InlineData("2026-11-11T05:59", "2026-11-11T06:00")]
    [InlineData("2026-11-11T06:00", null)]
    [InlineData("2026-11-11T20:59", null)]
    [InlineData("2026-07-10T20:30", "2026-07-11T05:00")] // summer: two hours ahead of UTC
    [InlineData("2026-03-28T22:00", "2026-03-29T05:00")] // over the hour that is skipped
    [InlineData("2026-10-24T21:00", "2026-10-25T06:00")] // over the hour that comes twice
    public void Over_midnight_they_end_in_the_morning_of_their_own_zone(string now, string? end) =>
        Assert.Equal(end is null ? null : Utc(end), Night.EndsAt(Utc(now)));

    [Fact]
    public void By_day_they_end_the_same_day()
    {
        var noon = new QuietHours(12 * 60, (13 * 60) + 30, "UTC");

        Assert.Equal(Utc("2026-11-10T13:30"), noon.EndsAt(Utc("2026-11-10T12:00")));
        Assert.Null(noon.EndsAt(Utc("2026-11-10T13:30")));
        Assert.Null(noon.EndsAt(Utc("2026-11-10T11:59")));
    }

    [Fact]
    public void Hours_that_begin_when_they_end_are_none() => Assert.Null(new QuietHours(60, 60, "UTC").EndsAt(Utc("2026-11-10T01:00")));

    [Fact]
    public void They_always_end_after_now_and_within_a_day_and_an_hour()
    {
        var zones = new[] { "UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe" };
        Gen.Select(Gen.Int[0, 1439], Gen.Int[0, 1439], Gen.Int[0, zones.Length - 1], Gen.Long[0, 525_600]).Sample((from, until, zone, minute) =>
        {
            var now = Utc("2026-01-01T00:00").AddMinutes(minute);
            return new QuietHours(from, until, zones[zone]).EndsAt(now) is not { } end || (end > now && end - now <= TimeSpan.FromHours(25));
        });
    }
}
