using System.Collections.Concurrent;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Prices;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Prices;

/// <summary>Where an offer's price stands among the lowest prices of the hours of the last 30 days. What was read is kept for ten minutes.</summary>
internal sealed class PriceShares(TimeProvider time)
{
    private const int EnoughHours = 24;
    private const int HourSeconds = 3_600;
    private static readonly TimeSpan Month = TimeSpan.FromDays(30);
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<PriceSeries, (DateTimeOffset At, IReadOnlyList<HourlyRate> Hours)> _known = new();

    /// <returns>The share of those hours in which even the cheapest was dearer than the offer; null where too little is known.</returns>
    public async Task<Func<Market, Offer, decimal?>> ReadAsync(AppDbContext db, IEnumerable<(Market Market, Offer Offer)> offers, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var wanted = offers.Select(o => PriceSeries.Of(o.Market, o.Offer, verifiedOnly: true)).Distinct().Where(s => !_known.TryGetValue(s, out var known) || now - known.At >= Kept).ToList();
        foreach (var market in wanted.GroupBy(s => s.Market))
        {
            var (provider, url, names) = (market.Key.Provider, market.Key.BaseUrl, market.Select(s => s.GpuName).Distinct().ToList());
            var rows = (await db.PriceSeries.AsNoTracking().Where(s => s.Provider == provider && s.BaseUrl == url && names.Contains(s.GpuName)).ToListAsync(ct)).ToDictionary(r => r.Series, r => r.Id);
            var from = (int)((now - Month).ToUnixTimeSeconds() / HourSeconds);
            foreach (var series in market)
            {
                var hours = rows.TryGetValue(series, out var id)
                    ? await db.PriceHours.AsNoTracking().Where(h => h.SeriesId == id && h.T >= from && h.Polls > 0).Select(h => new { h.MinSum, h.Polls }).ToListAsync(ct)
                    : [];
                _known[series] = (now, [.. hours.Select(h => new HourlyRate(h.MinSum / h.Polls))]);
            }
        }

        return (market, offer) => _known.TryGetValue(PriceSeries.Of(market, offer, verifiedOnly: true), out var known) && known.Hours.Count >= EnoughHours
            ? PriceStatistics.DearerShare(known.Hours, PriceStatistics.PerGpu(offer))
            : null;
    }
}
