using System.Globalization;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Prices;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Components;

namespace Dashboard.Web.Features.Prices;

/// <summary>How far back a chart goes.</summary>
/// <param name="Word">As it stands in an address.</param>
/// <param name="Length">Null: all time.</param>
/// <param name="Grain">What is drawn: points as polled, hours or days.</param>
public sealed record PriceRange(string Word, string Name, TimeSpan? Length, PriceGrain Grain)
{
    public static IReadOnlyList<PriceRange> All { get; } =
    [
        new("24h", "24 h", TimeSpan.FromHours(24), PriceGrain.Point), new("7d", "7 d", TimeSpan.FromDays(7), PriceGrain.Point), new("30d", "30 d", TimeSpan.FromDays(30), PriceGrain.Hour),
        new("90d", "90 d", TimeSpan.FromDays(90), PriceGrain.Hour), new("1y", "1 y", TimeSpan.FromDays(366), PriceGrain.Day), new("all", "All", null, PriceGrain.Day),
    ];

    public static PriceRange Default => All[2];

    public static PriceRange? Read(string? word) => word is null ? null : All.FirstOrDefault(r => r.Word == word);
}

public enum PriceGrain
{
    Point,
    Hour,
    Day,
}

/// <summary>Which way of renting is shown.</summary>
public enum PriceTypes
{
    OnDemand,
    Bid,

    /// <summary>One against the other.</summary>
    Both,
}

/// <summary>What the Prices page was asked for. The whole of it is in the address.</summary>
/// <param name="Gpus">As in the address: a model, with <c>80GB</c> behind it where its name has several sizes. None: what is watched, else a usual one.</param>
/// <param name="Market">By its name in lower case, or <see cref="AllMarkets"/>; null: a real one before a simulated one.</param>
public sealed record PricesQuestion(IReadOnlyList<string> Gpus, int Count, PriceTypes Types, PriceRange Range, string? Market)
{
    /// <summary>More models in one picture tell nobody anything.</summary>
    public const int MostGpus = 4;

    /// <summary>More lines neither, nor are there more colours.</summary>
    public const int MostLines = 7;

    /// <summary>One market against the other, at equal terms: model, memory, number, rental, verified hosts, without disk.</summary>
    public const string AllMarkets = "all";

    public static PricesQuestion Read(string? gpus, string? count, string? types, string? range, string? market) => new(
        [.. (gpus ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct(StringComparer.OrdinalIgnoreCase).Take(MostGpus)],
        int.TryParse(count, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 64 ? number : 1,
        Enum.TryParse<PriceTypes>(types, ignoreCase: true, out var type) && Enum.IsDefined(type) ? type : PriceTypes.OnDemand,
        PriceRange.Read(range) ?? PriceRange.Default,
        string.IsNullOrWhiteSpace(market) ? null : market.Trim().ToLowerInvariant());

    /// <summary>The same question at another address of the team; <paramref name="own"/> comes besides.</summary>
    public string Address(string path, params (string Name, string? Value)[] own) => Addresses.With(
        path,
        [
            ("gpu", Gpus.Count == 0 ? null : string.Join(',', Gpus)), ("count", Count == 1 ? null : Count.ToString(CultureInfo.InvariantCulture)),
            ("type", Types == PriceTypes.OnDemand ? null : Types.ToString().ToLowerInvariant()), ("range", Range == PriceRange.Default ? null : Range.Word), ("market", Market), .. own,
        ]);

    internal bool Takes(RentalType rental) => Types switch
    {
        PriceTypes.OnDemand => rental == RentalType.OnDemand,
        PriceTypes.Bid => rental == RentalType.Interruptible,
        PriceTypes.Both => true,
    };

    // Records compare lists by reference; a view must not be read again because its address was.
    public bool Equals(PricesQuestion? other) => other is not null && Gpus.SequenceEqual(other.Gpus) && (Count, Types, Range, Market) == (other.Count, other.Types, other.Range, other.Market);

    public override int GetHashCode() => HashCode.Combine(string.Join(',', Gpus), Count, Types, Range, Market);
}

/// <summary>A moment of a line: a point as polled, or what an hour or a day adds up to. Micro-dollars per GPU-hour; null where no poll told.</summary>
/// <param name="Low">Lowest of the lowest prices within it.</param>
/// <param name="High">Highest of them.</param>
/// <param name="Count">Offers, where a poll saw all of them; else at least so many.</param>
/// <param name="Kind">Null for an hour or a day, which may hold several kinds.</param>
public sealed record PriceMoment(DateTimeOffset At, long? Min, long? Low, long? High, long? Fifth, long? P10, long? P25, long? Median, long? P75, long? P90, int? Count, bool AtLeast, PointKind? Kind)
{
    internal static PriceMoment Of(PricePointRow p) => new(
        DateTimeOffset.FromUnixTimeSeconds(p.T), p.Min, p.Min, p.Min, p.Fifth, p.P10, p.P25, p.Median, p.P75, p.P90, p.Kind == PointKind.Provider ? null : p.Count, p.AtLeast, p.Kind);

    internal static PriceMoment Of(PriceBucketRow row, int seconds)
    {
        var bucket = row.ToBucket();
        var q = bucket.Quantiles;
        return new PriceMoment(
            DateTimeOffset.FromUnixTimeSeconds((long)row.T * seconds), bucket.Min?.MicrosPerHour, bucket.Polls == 0 ? null : bucket.Low, bucket.Polls == 0 ? null : bucket.High, bucket.Fifth?.MicrosPerHour,
            q?.P10.MicrosPerHour, q?.P25?.MicrosPerHour, q?.Median.MicrosPerHour, q?.P75?.MicrosPerHour, q?.P90.MicrosPerHour, bucket.Count, false, null);
    }
}

/// <summary>One line of the picture.</summary>
/// <param name="Name">Model, with its memory where that is needed, <c>bid</c>, and its market where there are several.</param>
/// <param name="Moments">Reduced to what pixels can show, by rising time.</param>
/// <param name="Latest">The newest point as polled.</param>
/// <param name="Deep">The newest point with quantiles that is not the provider's own.</param>
/// <param name="Cheaper">The share of the last 30 days' hours in which the lowest price was above the latest; null without enough of them.</param>
public sealed record PriceLine(int SeriesId, PriceSeries Series, string Name, IReadOnlyList<PriceMoment> Moments, PricePoint? Latest, PricePoint? Deep, DateTimeOffset? PolledAt, bool Watched, decimal? Cheaper)
{
    /// <summary>The model as it stands in the address.</summary>
    public required string Token { get; init; }

    /// <summary>A price older than this is not the present one.</summary>
    public static readonly TimeSpan StaleAfter = TimeSpan.FromHours(1);
}

/// <param name="Token">As in the address.</param>
public sealed record PriceModel(string Token, string Name, bool Watched);

/// <param name="Market">The one that is shown; of several, the first.</param>
/// <param name="Markets">Those the team has connections to, by the word in the address.</param>
/// <param name="NextPollAt">When the poller looks at the first of these series again.</param>
public sealed record PricesView(Market? Market, IReadOnlyList<(string Word, Market Market)> Markets, IReadOnlyList<PriceModel> Models, IReadOnlyList<int> Counts, IReadOnlyList<PriceLine> Lines, DateTimeOffset? NextPollAt, IReadOnlyList<string> Unknown)
{
    /// <summary>Several markets are shown, one against the other.</summary>
    public bool Compared { get; init; }

    /// <summary>Lines that there was no room for.</summary>
    public int LeftOut { get; init; }
}

/// <summary>The lowest price now and what it was; changes are of the hour's mean lowest price.</summary>
public sealed record PriceTableRow(int SeriesId, PriceSeries Series, string Token, string Name, PricePoint? Latest, PricePoint? Deep, decimal? Day, decimal? Week, decimal? Month, bool Watched);

public sealed record PriceTable(Market? Market, IReadOnlyList<PriceTableRow> Rows);

/// <param name="Measure">What the hours are of, in words.</param>
public sealed record PriceWeek(string Name, WeekMap Map, string Measure, TimeAdvice Advice, HourlyRate? Now);
