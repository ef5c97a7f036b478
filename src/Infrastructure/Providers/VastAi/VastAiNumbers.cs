using Dashboard.Domain.Costs;

namespace Dashboard.Infrastructure.Providers.VastAi;

/// <summary>The one conversion of wire numbers into our types. What is out of any sense is as good as absent.</summary>
internal static class VastAiNumbers
{
    private const decimal MostUsd = 1_000_000m;

    // The years 2001 to 2286; zero and -1 mean "none".
    private const decimal FirstSecond = 1_000_000_000m;
    private const decimal LastSecond = 9_999_999_999m;

    public static decimal? Usd(decimal? usd) => usd is >= 0 and <= MostUsd ? usd : null;

    public static HourlyRate? Rate(decimal? usdPerHour) => Usd(usdPerHour) is { } usd ? HourlyRate.FromUsd(usd) : null;

    /// <summary>Zero when absent: traffic that is not priced is not charged.</summary>
    public static Money PerGb(decimal? usd) => Money.FromUsd(Usd(usd) ?? 0);

    /// <summary>The disk's rate from its size and monthly price; else from the provider's own figure for the same disk.</summary>
    public static HourlyRate? Disk(decimal? gb, decimal? usdPerGbMonth, decimal? usdPerHour) =>
        gb is >= 0 and <= 1_000_000 && Usd(usdPerGbMonth) is { } price ? HourlyRate.OfDisk(gb.Value, price) : Rate(usdPerHour);

    public static DateTimeOffset? Instant(decimal? unixSeconds) =>
        unixSeconds is >= FirstSecond and <= LastSecond ? DateTimeOffset.FromUnixTimeMilliseconds((long)(unixSeconds.Value * 1000)) : null;
}
