using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Prices;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Prices;

namespace Dashboard.Web.Tests.Jobs;

/// <summary>Three weeks of prices of one model until <see cref="SeededTeam.Start"/>, polled once an hour.</summary>
internal static class BidHistory
{
    public static readonly Market Market = new(Provider.VastAi, "http://127.0.0.1:1", Simulated: true);

    /// <param name="usd">Per GPU-hour of the cheapest, by the hour of the history; the fifth cheapest costs a cent more, if there is one.</param>
    public static async Task<int> AddAsync(AppDatabase database, string gpu, Func<int, decimal> usd, RentalType rental = RentalType.Interruptible, int gpuCount = 1, Market? market = null, bool fifth = false, DateTimeOffset? until = null)
    {
        await using var db = await database.ForSystemAsync(default);
        var last = until ?? SeededTeam.Start;
        var row = PriceSeriesRow.Of(new PriceSeries(market ?? Market, gpu, 24, gpuCount, rental, VerifiedOnly: true), last);
        db.PriceSeries.Add(row);
        await db.SaveChangesAsync();
        var first = new DateTimeOffset(last.UtcDateTime.Date, TimeSpan.Zero).AddDays(-21);
        var points = Enumerable.Range(0, (int)(last - first).TotalHours + 1)
            .Select(hour => new PricePoint(first.AddHours(hour), PointKind.Floor, 10, AtLeast: true, HourlyRate.FromUsd(usd(hour)), fifth ? HourlyRate.FromUsd(usd(hour) + 0.01m) : null, null));
        await new PriceStore(database).StoreAsync([.. points.Select(p => new SeenPrices(row.Id, p, []))], default);
        return row.Id;
    }
}
