using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Prices;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Prices;

/// <param name="Measure">What price of each hour it stands on, in words.</param>
public sealed record BidHint(BidAdvice Advice, string Measure);

/// <summary>What the price history says of bids, in the markets that the team has connections to.</summary>
public sealed class BidHelp(AppDatabase database, TimeProvider time)
{
    private const int HourSeconds = 3_600;
    private static readonly TimeSpan Memory = TimeSpan.FromDays(56);
    private static readonly TimeSpan Fresh = TimeSpan.FromHours(8); // as old as a price may be that the advice stands on

    /// <summary>For a machine like <paramref name="offer"/>, however that one is rented.</summary>
    public async Task<BidHint> AdviseAsync(TeamContext team, ConnectionId connection, Offer offer, TimeSpan run, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var market = await db.Connections.AsNoTracking().Where(c => c.TeamId == team.TeamId && c.Id == connection && c.Status != ConnectionStatus.Removed).Select(c => c.Market).SingleOrDefaultAsync(ct);
        return await AdviseAsync(db, market is null ? null : PriceSeries.Of(market, offer, verifiedOnly: true), run, ct);
    }

    public async Task<BidHint> AdviseAsync(TeamContext team, PriceSeries series, TimeSpan run, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var (provider, url) = (series.Market.Provider, series.Market.BaseUrl);
        var ours = await db.Connections.AnyAsync(c => c.TeamId == team.TeamId && c.Status != ConnectionStatus.Removed && c.Market.Provider == provider && c.Market.BaseUrl == url, ct);
        return await AdviseAsync(db, ours ? series : null, run, ct);
    }

    private async Task<BidHint> AdviseAsync(AppDbContext db, PriceSeries? series, TimeSpan run, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var bids = await HoursAsync(db, series, RentalType.Interruptible, now - Memory, ct);

        // One measure for all hours: the fifth cheapest where every hour has one, for the cheapest alone is often a fluke.
        var (measure, of) = bids.Count > 0 && bids.All(b => b.Fifths > 0)
            ? ("the fifth cheapest machine", (Func<PriceBucket, HourlyRate?>)(b => b.Fifth))
            : ("the cheapest machine", b => b.Polls == 0 ? null : new HourlyRate(b.High));
        var onDemand = (await HoursAsync(db, series, RentalType.OnDemand, now - Fresh, ct)).Select(b => of(b.ToBucket())).LastOrDefault(rate => rate is not null);
        var prices = bids.Select(b => (b.T, Rate: of(b.ToBucket()))).Where(b => b.Rate is not null).Select(b => new HourPrice(DateTimeOffset.FromUnixTimeSeconds((long)b.T * HourSeconds), b.Rate!.Value));
        return new BidHint(LowestBid.Advise([.. prices], now, run, onDemand), measure);
    }

    /// <summary>By rising time.</summary>
    private static async Task<IReadOnlyList<PriceHourRow>> HoursAsync(AppDbContext db, PriceSeries? series, RentalType rental, DateTimeOffset since, CancellationToken ct)
    {
        if (series is null)
        {
            return [];
        }

        var (provider, url, gpu, vram, count, verified, from) = (series.Market.Provider, series.Market.BaseUrl, series.GpuName, series.VramGb, series.GpuCount, series.VerifiedOnly, (int)(since.ToUnixTimeSeconds() / HourSeconds));
        return await db.PriceSeries.AsNoTracking().Where(s => s.Provider == provider && s.BaseUrl == url && s.GpuName == gpu && s.VramGb == vram && s.GpuCount == count && s.Rental == rental && s.VerifiedOnly == verified)
            .Join(db.PriceHours.AsNoTracking(), s => s.Id, h => h.SeriesId, (_, h) => h).Where(h => h.T >= from && (h.Polls > 0 || h.Fifths > 0)).OrderBy(h => h.T).ToListAsync(ct);
    }
}
