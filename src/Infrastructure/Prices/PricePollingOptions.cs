using System.ComponentModel.DataAnnotations;

namespace Dashboard.Infrastructure.Prices;

/// <summary>How prices are polled. Section <c>Prices</c>.</summary>
public sealed class PricePollingOptions
{
    public const string Section = "Prices";

    /// <summary>Default true. False: no prices are polled, and the history stands still.</summary>
    public bool Poll { get; init; } = true;

    /// <summary>Offer rows that a provider account may be given in a UTC day, people's searches included. Vast.ai is reported to stop at 20,000.</summary>
    [Range(100, 10_000_000)] public int RowsPerDay { get; init; } = 20_000;

    /// <summary>Searches that the poller makes in a minute at most. Vast.ai lets an address make ten; the rest is for people. Default 4.</summary>
    [Range(1, 60)] public int SearchesPerMinute { get; init; } = 4;

    /// <summary>The same on a simulated market, which does not limit. Default 60.</summary>
    [Range(1, 1_000)] public int SimulatedSearchesPerMinute { get; init; } = 60;

    /// <summary>A GPU model rented within this time is polled as often as a watched one. Default 14 days.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "366.00:00:00")] public TimeSpan RecentlyUsed { get; init; } = TimeSpan.FromDays(14);

    /// <summary>How far back the provider's own history is taken over, where the key may read it. Default 90 days; zero: not at all.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "366.00:00:00")] public TimeSpan Backfill { get; init; } = TimeSpan.FromDays(90);
}
