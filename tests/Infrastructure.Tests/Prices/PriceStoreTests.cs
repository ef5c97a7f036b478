using CsCheck;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Prices;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Prices;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Tests.Prices;

public sealed class PriceStoreTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 2, 0, 0, 0, TimeSpan.Zero);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static Offer OfferAt(long micros, string id) => new()
    {
        Id = id, MachineId = "m", GpuName = "RTX 9999", GpuCount = 1, VramMb = 24_564, Rental = RentalType.OnDemand, GpuRate = new HourlyRate(micros), DiskRate = HourlyRate.Zero,
        StorageUsdPerGbMonth = 0, DownloadPerGb = Money.Zero, UploadPerGb = Money.Zero, DiskGb = 100, Verified = true,
    };

    private static SeenPrices Poll(int series, DateTimeOffset at, bool complete, params long[] micros)
    {
        List<Offer> offers = [.. micros.Select((m, n) => OfferAt(m, $"{n}"))];
        return new SeenPrices(series, PriceStatistics.Point(offers, at, complete), offers);
    }

    private static async Task<PriceHost> WithSeriesAsync(int count)
    {
        var host = await PriceHost.StartAsync();
        await using var db = await host.Database.ForSystemAsync(Ct);
        db.AddRange(Enumerable.Range(0, count).Select(n => PriceSeriesRow.Of(new PriceSeries(new Market(Provider.VastAi, "https://vast.example", false), $"RTX {n}", 24, 1, RentalType.OnDemand, true), Start)));
        await db.SaveChangesAsync(Ct);
        return host;
    }

    [Fact]
    public async Task Hours_and_days_are_what_their_points_add_up_to_however_they_were_stored()
    {
        await using var host = await WithSeriesAsync(3);
        var random = new Random(7);
        var polls = Enumerable.Range(0, 400).Select(n => Poll(
            1 + n % 3, Start.AddMinutes(11 * n), n % 5 == 0, [.. Enumerable.Range(0, random.Next(0, 12)).Select(_ => random.NextInt64(100_000, 900_000))])).ToArray();
        random.Shuffle(polls);
        foreach (var batch in polls.Chunk(37))
        {
            await host.Store.StoreAsync(batch, Ct);
        }

        var (points, hours, days) = await host.ReadAsync(async db => (await db.PricePoints.AsNoTracking().ToListAsync(Ct), await db.PriceHours.AsNoTracking().ToListAsync(Ct), await db.PriceDays.AsNoTracking().ToListAsync(Ct)));
        Assert.Equal(polls.Length, points.Count);
        Assert.Equal(polls.Select(p => p.Point).OrderBy(p => p.At), points.Select(p => p.ToPoint()).OrderBy(p => p.At));
        Assert.Equal(Sums(polls, 3_600), hours.ToDictionary(h => (h.SeriesId, (long)h.T), h => h.ToBucket()));
        Assert.Equal(Sums(polls, 86_400), days.ToDictionary(d => (d.SeriesId, (long)d.T), d => d.ToBucket()));

        static Dictionary<(int, long), PriceBucket> Sums(IEnumerable<SeenPrices> polls, int seconds) => polls
            .GroupBy(p => (p.SeriesId, p.Point.At.ToUnixTimeSeconds() / seconds))
            .ToDictionary(g => g.Key, g => g.Select(p => PriceBucket.Of(p.Point)).Aggregate((a, b) => a + b));
    }

    [Fact]
    public async Task A_point_that_is_stored_again_counts_once()
    {
        await using var host = await WithSeriesAsync(1);
        var poll = Poll(1, Start, complete: true, 400_000, 500_000);
        await host.Store.StoreAsync([poll], Ct);
        await host.Store.StoreAsync([poll, Poll(1, Start.AddMinutes(5), complete: true, 300_000)], Ct);

        var hour = await host.ReadAsync(db => db.PriceHours.AsNoTracking().SingleAsync(Ct));
        Assert.Equal((2, 300_000, 400_000, 700_000), (hour.Polls, hour.Low, hour.High, hour.MinSum));
    }

    [Fact]
    public async Task Whoever_was_not_first_stores_nothing()
    {
        await using var host = await WithSeriesAsync(1);
        await using var db = await host.Database.ForSystemAsync(Ct);
        Assert.False(await PriceStore.StoreAsync(db, [Poll(1, Start, true, 400_000)], (_, _) => Task.FromResult(false), Ct));
        Assert.Equal(0, await host.ReadAsync(db => db.PricePoints.CountAsync(Ct)) + await host.ReadAsync(db => db.PriceHours.CountAsync(Ct)));
    }

    [Fact]
    public async Task A_price_that_cannot_be_meant_is_kept_and_flagged()
    {
        await using var host = await WithSeriesAsync(1);
        Offer[] offers = [OfferAt(10_000, "typo") with { GpuName = "B200" }, OfferAt(6_500_000, "meant") with { GpuName = "B200" }];
        await host.Store.StoreAsync([new SeenPrices(1, PriceStatistics.Point(offers, Start, complete: true), offers)], Ct);

        var rows = await host.ReadAsync(db => db.Set<PriceOfferRow>().AsNoTracking().OrderBy(o => o.PerGpu).ToListAsync(Ct));
        Assert.Equal([("typo", 10_000, true), ("meant", 6_500_000, false)], rows.Select(r => (r.OfferId, r.PerGpu, r.Implausible)));
        Assert.Equal(6_500_000, (await host.ReadAsync(db => db.PricePoints.AsNoTracking().SingleAsync(Ct))).Min);
    }

    [Fact]
    public async Task Pruning_keeps_what_is_young_enough_and_days_for_ever()
    {
        await using var host = await WithSeriesAsync(2);
        var now = Start.AddDays(800);
        var ages = new[] { 1, 47, 49, 13 * 24, 15 * 24, 700 * 24, 760 * 24 }.Select(hours => TimeSpan.FromHours(hours)).ToList();
        await host.Store.StoreAsync([.. ages.SelectMany(age => new[] { Poll(1, now - age, true, 400_000, 500_000), Poll(2, now - age, false, 300_000) })], Ct);

        Assert.Equal((2 + 1) * 5 + 2 * 3 + 2, await host.Store.PruneAsync(new PriceRetention(), now, Ct));
        Assert.Equal(
            (2 * 3, 2 * 4, 2 * 6, 2 * 7),
            await host.ReadAsync(async db => (await db.Set<PriceOfferRow>().CountAsync(Ct), await db.PricePoints.CountAsync(Ct), await db.PriceHours.CountAsync(Ct), await db.PriceDays.CountAsync(Ct))));
    }

    [Fact]
    public async Task Pruning_much_holds_up_nobody_who_writes()
    {
        await using var host = await WithSeriesAsync(2);
        await host.Store.StoreAsync([.. Enumerable.Range(0, 18_000).Select(n => Poll(1, Start.AddMinutes(5 * n), true, 400_000, 500_000, 600_000))], Ct);
        var pruning = Task.Run(() => host.Store.PruneAsync(new PriceRetention(), Start.AddDays(800), Ct), Ct);
        var written = 0;
        do
        {
            await host.Store.StoreAsync([Poll(2, Start.AddDays(800).AddSeconds(written++), true, 1)], Ct); // throws when the database stays busy
        }
        while (!pruning.IsCompleted);

        Assert.Equal(4 * 18_000 + 1_500, await pruning);
        Assert.True(written > 1, $"only {written} polls were stored meanwhile");
    }

    [Fact]
    public async Task The_tables_of_many_rows_have_no_second_copy_of_their_key()
    {
        await using var host = await WithSeriesAsync(0);
        var without = await host.ReadAsync(db => db.Database.SqlQuery<string>($"SELECT name AS Value FROM sqlite_master WHERE sql LIKE '%WITHOUT ROWID%' ORDER BY name").ToListAsync(Ct));
        Assert.Equal(["PriceDays", "PriceHours", "PriceOffers", "PricePoints"], without);
    }
}
