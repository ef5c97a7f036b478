using System.Collections.Concurrent;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Prices;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Marketplaces;

/// <summary>How many offers of one kind of machine a poll found. Of verified hosts: no others are polled.</summary>
/// <param name="VramGb">Of one GPU, as sold.</param>
/// <param name="Count">GPUs in one machine.</param>
/// <param name="AtLeast">The poll saw the cheapest alone.</param>
public sealed record PolledKind(string GpuName, int VramGb, int Count, RentalType Rental, int Offers, bool AtLeast, DateTimeOffset At);

/// <summary>
/// What polls of the last day counted: a search is answered with its cheapest page alone and cannot say what else there is. Of
/// each kind the last poll that saw every offer, else the last one. Kept for a minute per market.
/// </summary>
internal sealed class PolledKinds(TimeProvider time)
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<Market, (DateTimeOffset At, IReadOnlyList<PolledKind> Kinds)> _known = new();

    public async Task<IReadOnlyList<PolledKind>> ReadAsync(AppDbContext db, IEnumerable<Market> markets, CancellationToken ct)
    {
        var all = new List<PolledKind>();
        foreach (var market in markets.Distinct())
        {
            var now = time.GetUtcNow();
            if (!_known.TryGetValue(market, out var known) || now - known.At >= Kept)
            {
                _known[market] = known = (now, await ReadAsync(db, market, now, ct));
            }

            all.AddRange(known.Kinds);
        }

        return all;
    }

    private static async Task<IReadOnlyList<PolledKind>> ReadAsync(AppDbContext db, Market market, DateTimeOffset now, CancellationToken ct)
    {
        var (provider, url, from) = (market.Provider, market.BaseUrl, (now - Day).ToUnixTimeSeconds());
        var series = await db.PriceSeries.AsNoTracking().Where(s => s.Provider == provider && s.BaseUrl == url && s.VerifiedOnly).ToListAsync(ct);
        var ids = series.Select(s => s.Id).ToList();
        var newest = await db.PricePoints.AsNoTracking().Where(p => ids.Contains(p.SeriesId) && p.T >= from && p.Kind != PointKind.Provider)
            .GroupBy(p => new { p.SeriesId, p.AtLeast })
            .Select(g => g.OrderByDescending(p => p.T).First())
            .ToListAsync(ct);
        var best = newest.GroupBy(p => p.SeriesId).ToDictionary(g => g.Key, g => g.MinBy(p => p.AtLeast)!);
        return [.. series.Where(s => best.ContainsKey(s.Id)).Select(s => (Series: s, Point: best[s.Id])).Select(x => new PolledKind(
            x.Series.GpuName, x.Series.VramGb, x.Series.GpuCount, x.Series.Rental, x.Point.Count, x.Point.AtLeast, DateTimeOffset.FromUnixTimeSeconds(x.Point.T)))];
    }
}
