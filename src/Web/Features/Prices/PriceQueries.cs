using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Prices;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Prices;
using Dashboard.Web.Components;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Dashboard.Web.Features.Prices;

/// <param name="Rows">Taken today.</param>
/// <param name="NextPollAt">Null: nothing is due.</param>
public sealed record PollerRows(RowsUsed Rows, RowRation Ration, DateTimeOffset? NextPollAt, DateTimeOffset? StoppedUntil, string? StoppedWhy);

/// <param name="Week">Lowest price of each hour of the last seven days.</param>
public sealed record WatchedPrice(string Token, string Name, Market Market, PricePoint? Latest, IReadOnlyList<double> Week);

public sealed record WatchedPrices(IReadOnlyList<WatchedPrice> Rows);

/// <summary>Prices of the markets that the team has connections to. What was polled is the same for all teams; whose markets it sees is not.</summary>
public sealed class PriceQueries(AppDatabase database, IOptions<PricePollingOptions> options, TimeProvider time)
{
    /// <summary>More points a line than a screen has pixels.</summary>
    public const int MostPoints = 1_500;

    private const string UsualGpu = "RTX 4090";
    private const int HourSeconds = 3_600;
    private const int DaySeconds = 86_400;
    private const int EnoughHours = 24;
    private static readonly TimeSpan Month = TimeSpan.FromDays(30);
    private static readonly TimeSpan Memory = TimeSpan.FromDays(56);

    public async Task<PricesView> TrendAsync(TeamContext team, PricesQuestion question, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var scene = await SceneAsync(db, question, ct);
        var lines = new List<PriceLine>();
        foreach (var row in scene.Chosen)
        {
            var moments = await MomentsAsync(db, row.Id, question.Range, ct);
            var (latest, deep) = (await LatestAsync(db, row.Id, ct), await DeepAsync(db, row.Id, ct));
            lines.Add(new PriceLine(
                row.Id, row.Series, scene.NameOf(row, question), Thinning.KeepLowAndHigh(moments, m => m.Low ?? m.P10 ?? m.Median, m => m.High ?? m.P90 ?? m.Median, MostPoints),
                latest, deep, row.PolledAt, scene.Watched.Contains(row.Id), latest?.Min is { } min ? await CheaperAsync(db, row.Id, min, ct) : null) { Token = scene.TokenOf(row) });
        }

        return new PricesView(scene.Market, scene.Markets, scene.Models, scene.Counts, lines, scene.Chosen.Count == 0 ? null : scene.Chosen.Min(r => r.NextFloorAt), scene.Unknown) { Compared = scene.Compared, LeftOut = scene.LeftOut };
    }

    /// <summary>Every moment of the chosen lines, for a file: nothing is left out of it.</summary>
    public async Task<IReadOnlyList<(PriceSeries Series, string Name, IReadOnlyList<PriceMoment> Moments)>> ExportAsync(TeamContext team, PricesQuestion question, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var scene = await SceneAsync(db, question, ct);
        var lines = new List<(PriceSeries, string, IReadOnlyList<PriceMoment>)>();
        foreach (var row in scene.Chosen)
        {
            lines.Add((row.Series, scene.NameOf(row, question), await MomentsAsync(db, row.Id, question.Range, ct)));
        }

        return lines;
    }

    /// <summary>All models of a market as they stand now, cheapest first.</summary>
    public async Task<PriceTable> TableAsync(TeamContext team, PricesQuestion question, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var scene = await SceneAsync(db, question, ct);
        var now = time.GetUtcNow();
        var rows = new List<PriceTableRow>();
        foreach (var row in scene.All.Where(r => r.GpuCount == question.Count && question.Takes(r.Rental)))
        {
            if (await LatestAsync(db, row.Id, ct) is not { } latest)
            {
                continue;
            }

            var min = latest.Min;
            rows.Add(new PriceTableRow(
                row.Id, row.Series, scene.TokenOf(row), scene.NameOf(row, question), latest, await DeepAsync(db, row.Id, ct),
                await ChangeAsync(1), await ChangeAsync(7), await ChangeAsync(30), scene.Watched.Contains(row.Id)));

            async Task<decimal?> ChangeAsync(int days)
            {
                var hour = (int)((now.ToUnixTimeSeconds() - (long)days * DaySeconds) / HourSeconds);
                var then = await db.PriceHours.AsNoTracking().Where(h => h.SeriesId == row.Id && h.T <= hour && h.T > hour - 12 && h.Polls > 0).OrderByDescending(h => h.T).FirstOrDefaultAsync(ct);
                return min is { } rate && then?.ToBucket().Min is { MicrosPerHour: > 0 } before ? (decimal)rate.MicrosPerHour / before.MicrosPerHour - 1 : null;
            }
        }

        return new PriceTable(scene.Market, [.. rows.OrderBy(r => r.Latest?.Min is null).ThenBy(r => r.Latest?.Min).ThenBy(r => r.Name, StringComparer.Ordinal)]);
    }

    /// <summary>The week of the first chosen line, on the reader's clock, and whether to wait; null without a line.</summary>
    public async Task<PriceWeek?> WeekAsync(TeamContext team, PricesQuestion question, ReaderZone zone, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var scene = await SceneAsync(db, question, ct);
        if (scene.Chosen.Count == 0)
        {
            return null;
        }

        var row = scene.Chosen[0];
        var now = time.GetUtcNow();
        var from = (int)((now - Memory).ToUnixTimeSeconds() / HourSeconds);
        var buckets = await PriceStore.HoursAsync(db, row.Id, from, ct);

        // One measure for all hours: the fifth cheapest where polls told it, else whatever most hours have.
        (string Name, List<HourPrice> Hours)[] measures =
        [
            ("fifth cheapest", Hours(b => b.Fifth)), ("lowest price", Hours(b => b.Min)), ("the provider's 10th percentile", Hours(b => b.Quantiles?.P10)),
        ];
        var (measure, hours) = measures.MaxBy(m => m.Hours.Count);
        var latest = await LatestAsync(db, row.Id, ct);
        var current = hours.Count > 0 && now - hours[^1].At < TimeSpan.FromHours(3) ? hours[^1].Price : (HourlyRate?)null;
        return new PriceWeek(
            scene.NameOf(row, question), WeekMap.Of(hours, at => TimeZoneInfo.ConvertTime(at, zone.Zone).DateTime), measure,
            current is { } price ? BestTime.Advise(hours, now, price) : new TimeAdvice.Silent("The latest price is too old to compare with."), latest?.Min);

        List<HourPrice> Hours(Func<PriceBucket, HourlyRate?> of) =>
            [.. buckets.Select(b => (b.T, Rate: of(b.ToBucket()))).Where(b => b.Rate is { MicrosPerHour: > 0 }).Select(b => new HourPrice(DateTimeOffset.FromUnixTimeSeconds((long)b.T * HourSeconds), b.Rate!.Value))];
    }

    public async Task<WatchedPrices> WatchedAsync(TeamContext team, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var rows = await db.PriceWatches.OrderBy(w => w.Since).Join(db.PriceSeries, w => w.SeriesId, s => s.Id, (_, s) => s).AsNoTracking().ToListAsync(ct);
        var markets = (await MarketsAsync(db, ct)).Select(m => m.Market).ToHashSet();
        var all = await db.PriceSeries.AsNoTracking().ToListAsync(ct);
        var from = (int)((time.GetUtcNow() - TimeSpan.FromDays(7)).ToUnixTimeSeconds() / HourSeconds);
        var watched = new List<WatchedPrice>();
        foreach (var row in rows.Where(r => markets.Contains(r.Market)))
        {
            var week = await db.PriceHours.AsNoTracking().Where(h => h.SeriesId == row.Id && h.T >= from && h.Polls > 0).OrderBy(h => h.T).ToListAsync(ct);
            var name = Name(row, SizesOf(all.Where(s => s.Market == row.Market), row.GpuName)) + (row.GpuCount > 1 ? $" ×{row.GpuCount}" : "") + (row.Rental == RentalType.Interruptible ? " bid" : "");
            watched.Add(new WatchedPrice(Name(row, SizesOf(all.Where(s => s.Market == row.Market), row.GpuName)), name, row.Market, await LatestAsync(db, row.Id, ct), [.. week.Select(h => (double)h.ToBucket().Min!.Value.Usd)]));
        }

        return new WatchedPrices(watched);
    }

    /// <summary>What polling took from the account of one of the team's connections today; null while it was never polled.</summary>
    public async Task<PollerRows?> RowsAsync(TeamContext team, ConnectionId connection, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        if (await db.Connections.AsNoTracking().SingleOrDefaultAsync(c => c.Id == connection, ct) is not { } owner)
        {
            return null;
        }

        var (provider, url, account) = (owner.Market.Provider, owner.Market.BaseUrl, owner.AccountId);
        if (await db.PriceAccounts.AsNoTracking().SingleOrDefaultAsync(a => a.Provider == provider && a.BaseUrl == url && a.AccountId == account, ct) is not { } row)
        {
            return null;
        }

        var now = time.GetUtcNow();
        var next = await db.PriceSeries.Where(s => s.Provider == provider && s.BaseUrl == url).MinAsync(s => (DateTimeOffset?)s.NextFloorAt, ct);
        return new PollerRows(row.UsedOn(now), new RowRation(options.Value.RowsPerDay), next, row.StoppedUntil > now ? row.StoppedUntil : null, row.StoppedWhy);
    }

    private static async Task<IReadOnlyList<(string Word, Market Market)>> MarketsAsync(AppDbContext db, CancellationToken ct) =>
    [
        .. (await db.Connections.AsNoTracking().Where(c => c.Status != ConnectionStatus.Removed).OrderBy(c => c.CreatedAt).Select(c => c.Market).ToListAsync(ct))
            .Distinct().OrderBy(m => m.Simulated).Select(m => (m.Name.ToLowerInvariant(), m)),
    ];

    private static async Task<Scene> SceneAsync(AppDbContext db, PricesQuestion question, CancellationToken ct)
    {
        var markets = await MarketsAsync(db, ct);
        var compared = question.Market == PricesQuestion.AllMarkets && markets.Count > 1;
        var market = markets.FirstOrDefault(m => m.Word == question.Market).Market ?? (markets.Count > 0 ? markets[0].Market : null);
        var known = await db.PriceSeries.AsNoTracking().Where(s => s.VerifiedOnly && (compared || (market != null && s.Provider == market.Provider && s.BaseUrl == market.BaseUrl))).OrderBy(s => s.GpuName).ThenBy(s => s.VramGb).ToListAsync(ct);
        var shown = markets.Select(m => m.Market).Where(m => compared || m == market).ToList();
        var all = known.Where(s => shown.Contains(s.Market)).OrderBy(s => shown.IndexOf(s.Market)).ToList();
        var watched = (await db.PriceWatches.Select(w => w.SeriesId).ToListAsync(ct)).ToHashSet();
        return new Scene(market, markets, all, watched, question) { Compared = compared };
    }

    private async Task<IReadOnlyList<PriceMoment>> MomentsAsync(AppDbContext db, int series, PriceRange range, CancellationToken ct)
    {
        var from = range.Length is { } length ? (time.GetUtcNow() - length).ToUnixTimeSeconds() : 0;
        var (hour, day) = ((int)(from / HourSeconds), (int)(from / DaySeconds));
        return range.Grain switch
        {
            PriceGrain.Point => [.. (await db.PricePoints.AsNoTracking().Where(p => p.SeriesId == series && p.T >= from).OrderBy(p => p.T).ToListAsync(ct)).Select(PriceMoment.Of)],
            PriceGrain.Hour => [.. (await PriceStore.HoursAsync(db, series, hour, ct)).Select(h => PriceMoment.Of(h, HourSeconds))],
            PriceGrain.Day => [.. (await db.PriceDays.AsNoTracking().Where(d => d.SeriesId == series && d.T >= day).OrderBy(d => d.T).ToListAsync(ct)).Select(d => PriceMoment.Of(d, DaySeconds))],
        };
    }

    private static async Task<PricePoint?> LatestAsync(AppDbContext db, int series, CancellationToken ct) =>
        (await db.PricePoints.AsNoTracking().Where(p => p.SeriesId == series && p.Kind != PointKind.Provider).OrderByDescending(p => p.T).FirstOrDefaultAsync(ct))?.ToPoint();

    private static async Task<PricePoint?> DeepAsync(AppDbContext db, int series, CancellationToken ct) =>
        (await db.PricePoints.AsNoTracking().Where(p => p.SeriesId == series && p.Kind == PointKind.Depth && p.Median != null).OrderByDescending(p => p.T).FirstOrDefaultAsync(ct))?.ToPoint();

    private async Task<decimal?> CheaperAsync(AppDbContext db, int series, HourlyRate rate, CancellationToken ct)
    {
        var from = (int)((time.GetUtcNow() - Month).ToUnixTimeSeconds() / HourSeconds);
        var hours = await db.PriceHours.AsNoTracking().Where(h => h.SeriesId == series && h.T >= from && h.Polls > 0).Select(h => new { h.MinSum, h.Polls }).ToListAsync(ct);
        return hours.Count < EnoughHours ? null : PriceStatistics.DearerShare([.. hours.Select(h => new HourlyRate(h.MinSum / h.Polls))], rate);
    }

    private static int SizesOf(IEnumerable<PriceSeriesRow> all, string gpu) => all.Where(s => s.GpuName == gpu).Select(s => s.VramGb).Distinct().Count();

    private static string Name(PriceSeriesRow row, int sizes) => sizes > 1 ? $"{row.GpuName} {row.VramGb}GB" : row.GpuName;

    /// <summary>What a question means in the market as it is.</summary>
    private sealed class Scene
    {
        private readonly Dictionary<string, int> _sizes;

        public Scene(Market? market, IReadOnlyList<(string Word, Market Market)> markets, List<PriceSeriesRow> all, HashSet<int> watched, PricesQuestion question)
        {
            (Market, Markets, All, Watched) = (market, markets, all, watched);
            _sizes = all.GroupBy(s => s.GpuName).ToDictionary(g => g.Key, g => g.Select(s => s.VramGb).Distinct().Count());
            Counts = [.. all.Select(s => s.GpuCount).Distinct().Order()];
            Models = [.. all.Where(s => s.GpuCount == question.Count).GroupBy(TokenOf).Select(g => new PriceModel(g.Key, g.Key, g.Any(s => watched.Contains(s.Id)))).OrderByDescending(m => m.Watched).ThenBy(m => m.Name, StringComparer.Ordinal)];
            Unknown = [.. question.Gpus.Where(g => all.All(s => !Named(s, g)))];
            var asked = question.Gpus.Where(g => !Unknown.Contains(g)).ToList();
            if (asked.Count == 0)
            {
                asked = [.. Models.Where(m => m.Watched).Take(1).Select(m => m.Token).DefaultIfEmpty(UsualGpu)];
            }

            var chosen = asked.SelectMany(g => all.Where(s => Named(s, g) && s.GpuCount == question.Count && question.Takes(s.Rental)).GroupBy(s => (s.Rental, s.Market)).OrderBy(r => r.Key.Rental).Select(r => r.First())).ToList();
            (Chosen, LeftOut) = ([.. chosen.Take(PricesQuestion.MostLines)], Math.Max(0, chosen.Count - PricesQuestion.MostLines));
        }

        /// <summary>Several markets, one against the other.</summary>
        public bool Compared { get; init; }

        public int LeftOut { get; }

        public Market? Market { get; }

        public IReadOnlyList<(string Word, Market Market)> Markets { get; }

        public List<PriceSeriesRow> All { get; }

        public HashSet<int> Watched { get; }

        public IReadOnlyList<PriceModel> Models { get; }

        public IReadOnlyList<int> Counts { get; }

        public IReadOnlyList<string> Unknown { get; }

        public IReadOnlyList<PriceSeriesRow> Chosen { get; }

        public string TokenOf(PriceSeriesRow row) => Name(row, _sizes[row.GpuName]);

        public string NameOf(PriceSeriesRow row, PricesQuestion question) => TokenOf(row) + (row.Rental == RentalType.Interruptible && question.Types == PriceTypes.Both ? " bid" : "") + (Compared ? $" · {row.Market.Name}" : "");

        private bool Named(PriceSeriesRow row, string token) => string.Equals(TokenOf(row), token, StringComparison.OrdinalIgnoreCase) || string.Equals(row.GpuName, token, StringComparison.OrdinalIgnoreCase);
    }
}
