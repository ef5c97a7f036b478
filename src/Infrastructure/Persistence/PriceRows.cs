using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Prices;

namespace Dashboard.Infrastructure.Persistence;

/// <summary>A series and when it is polled next. Prices of a market are the same for every team, so no team owns it; teams see those of their connections' markets.</summary>
public sealed class PriceSeriesRow
{
    public int Id { get; init; }

    public required Provider Provider { get; init; }

    public required string BaseUrl { get; init; }

    public required bool Simulated { get; init; }

    public required string GpuName { get; init; }

    public required int VramGb { get; init; }

    public required int GpuCount { get; init; }

    public required RentalType Rental { get; init; }

    public required bool VerifiedOnly { get; init; }

    public required DateTimeOffset NextFloorAt { get; set; }

    public required DateTimeOffset NextDepthAt { get; set; }

    /// <summary>Somebody polls it at the moment; null or past: nobody.</summary>
    public DateTimeOffset? ClaimedUntil { get; set; }

    /// <summary>Rows that the last depth poll took: what the next one will need.</summary>
    public int? DepthRows { get; set; }

    /// <summary>When it was last polled with success, whatever was found.</summary>
    public DateTimeOffset? PolledAt { get; set; }

    /// <summary>When the provider's own history was taken over; null: not yet.</summary>
    public DateTimeOffset? BackfilledAt { get; set; }

    public Market Market => new(Provider, BaseUrl, Simulated);

    public PriceSeries Series => new(Market, GpuName, VramGb, GpuCount, Rental, VerifiedOnly);

    public static PriceSeriesRow Of(PriceSeries series, DateTimeOffset from) => new()
    {
        Provider = series.Market.Provider, BaseUrl = series.Market.BaseUrl, Simulated = series.Market.Simulated, GpuName = series.GpuName, VramGb = series.VramGb, GpuCount = series.GpuCount,
        Rental = series.Rental, VerifiedOnly = series.VerifiedOnly, NextFloorAt = from, NextDepthAt = from,
    };
}

/// <summary>A team watches a series: it is polled often, and shown on Home.</summary>
public sealed class PriceWatch
{
    public required TeamId TeamId { get; init; }

    public required int SeriesId { get; init; }

    public required UserId By { get; init; }

    public required DateTimeOffset Since { get; init; }
}

/// <summary>A team wants to know when a GPU is cheap. Where it stands is here too, so that a restart neither forgets nor repeats.</summary>
public sealed class PriceAlertRow
{
    public required Guid Id { get; init; }

    public required TeamId TeamId { get; init; }

    /// <summary>Comma separated; empty: any model.</summary>
    public required string GpuNames { get; init; }

    public int? MinVramGb { get; init; }

    public int? GpuCount { get; init; }

    public RentalType? Rental { get; init; }

    /// <summary>Null: it watches what is polled anyway.</summary>
    public HostFilter? Hosts { get; init; }

    public required PriceMeasure Measure { get; init; }

    /// <summary>Micro-dollars per GPU-hour, at most; null: <see cref="BelowPercent"/> decides.</summary>
    public long? Below { get; init; }

    /// <summary>Among so many percent of the last 30 days' hours that were cheapest.</summary>
    public int? BelowPercent { get; init; }

    public required TimeSpan HoldFor { get; init; }

    public required UserId CreatedBy { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public AlertState State { get; set; }

    public required DateTimeOffset Since { get; set; }

    /// <summary>Points up to this one have been looked at.</summary>
    public required DateTimeOffset SeenAt { get; set; }

    public int Fired { get; set; }

    /// <summary>Says nothing before.</summary>
    public DateTimeOffset? SnoozedUntil { get; set; }

    /// <summary>What each market answered last for its hosts; empty where it watches what is polled anyway.</summary>
    public IReadOnlyList<HostAnswer> Answers { get; set; } = [];

    public PriceFilter Filter => new(GpuNames.Split(',', StringSplitOptions.RemoveEmptyEntries), MinVramGb, GpuCount, Rental, Hosts);
}

/// <summary>What a market has of the hosts of an alert.</summary>
/// <param name="NextAt">When it is asked again.</param>
/// <param name="At">When it answered; null: not yet.</param>
/// <param name="Price">Of the alert's measure, micro-dollars per GPU-hour without disk; null: there are no such offers, or not enough.</param>
/// <param name="GpuName">Of the cheapest offer; null: there is none.</param>
/// <param name="Place">Where the cheapest is; null: not known.</param>
public sealed record HostAnswer(Market Market, DateTimeOffset NextAt, DateTimeOffset? At = null, long? Price = null, string? GpuName = null, string? Place = null);

/// <summary>What polling has taken from a provider account today. However many teams connect it, it has one row.</summary>
public sealed class PriceAccountRow
{
    public required Provider Provider { get; init; }

    public required string BaseUrl { get; init; }

    public required string AccountId { get; init; }

    /// <summary>UTC day of the counts, days since 1970.</summary>
    public int Day { get; set; }

    public int FloorRows { get; set; }

    public int DepthRows { get; set; }

    /// <summary>Of searches that people and jobs made.</summary>
    public int PeopleRows { get; set; }

    /// <summary>Not polled before; the provider said so.</summary>
    public DateTimeOffset? StoppedUntil { get; set; }

    public string? StoppedWhy { get; set; }

    /// <summary>The key may not read the provider's own price history; asked again after that.</summary>
    public DateTimeOffset? NoHistoryUntil { get; set; }

    /// <summary>Who polls it at the moment.</summary>
    public string? LeaseOwner { get; set; }

    public DateTimeOffset? LeaseUntil { get; set; }

    public long Fence { get; set; }

    /// <summary>What was taken on the day of <paramref name="now"/>; nothing yet when the counts are of an earlier one.</summary>
    public RowsUsed UsedOn(DateTimeOffset now) => Day == DayOf(now) ? new RowsUsed(FloorRows, DepthRows, PeopleRows) : default;

    public static int DayOf(DateTimeOffset at) => (int)(at.ToUnixTimeSeconds() / 86_400);
}

/// <summary>An offer as a poll saw it, whether its price can be meant or not. Kept for two days.</summary>
public sealed class PriceOfferRow
{
    public required int SeriesId { get; init; }

    /// <summary>Unix seconds of the poll.</summary>
    public required long T { get; init; }

    public required string OfferId { get; init; }

    public required string MachineId { get; init; }

    /// <summary>Micro-dollars per GPU-hour, without disk.</summary>
    public required long PerGpu { get; init; }

    /// <summary>The price cannot be meant: it is in no statistic.</summary>
    public required bool Implausible { get; init; }
}

/// <summary>A point as polled, micro-dollars per GPU-hour. Kept for two weeks.</summary>
public sealed class PricePointRow
{
    public required int SeriesId { get; init; }

    /// <summary>Unix seconds.</summary>
    public required long T { get; init; }

    public required PointKind Kind { get; init; }

    public required int Count { get; init; }

    public required bool AtLeast { get; init; }

    public long? Min { get; init; }

    public long? Fifth { get; init; }

    public long? P10 { get; init; }

    public long? P25 { get; init; }

    public long? Median { get; init; }

    public long? P75 { get; init; }

    public long? P90 { get; init; }

    public PricePoint ToPoint() => new(
        DateTimeOffset.FromUnixTimeSeconds(T), Kind, Count, AtLeast, Rate(Min), Rate(Fifth),
        P10 is { } p10 && Median is { } median && P90 is { } p90 ? new PriceQuantiles(new(p10), Rate(P25), new(median), Rate(P75), new(p90)) : null);

    private static HourlyRate? Rate(long? micros) => micros is { } value ? new HourlyRate(value) : null;
}

/// <summary>A roll-up; the columns are those of <see cref="PriceBucket"/>.</summary>
public abstract class PriceBucketRow
{
    public required int SeriesId { get; init; }

    /// <summary>Hours, or days, since 1970.</summary>
    public required int T { get; init; }

    public int Polls { get; init; }

    public int Empty { get; init; }

    public long Low { get; init; }

    public long High { get; init; }

    public long MinSum { get; init; }

    public int Fifths { get; init; }

    public long FifthSum { get; init; }

    public int Depths { get; init; }

    public long P10Sum { get; init; }

    public long MedianSum { get; init; }

    public long P90Sum { get; init; }

    public int Quartiles { get; init; }

    public long P25Sum { get; init; }

    public long P75Sum { get; init; }

    public int Counts { get; init; }

    public long CountSum { get; init; }

    public PriceBucket ToBucket() => new()
    {
        Polls = Polls, Empty = Empty, Low = Low, High = High, MinSum = MinSum, Fifths = Fifths, FifthSum = FifthSum, Depths = Depths, P10Sum = P10Sum, MedianSum = MedianSum, P90Sum = P90Sum,
        Quartiles = Quartiles, P25Sum = P25Sum, P75Sum = P75Sum, Counts = Counts, CountSum = CountSum,
    };
}

/// <summary>Kept for two years.</summary>
public sealed class PriceHourRow : PriceBucketRow;

/// <summary>Kept for ever.</summary>
public sealed class PriceDayRow : PriceBucketRow;
