using System.Diagnostics;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Prices;
using Dashboard.Infrastructure;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Prices;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Benchmarks.Prices;

/// <summary>A database as the product makes and opens it, with 192 series in it.</summary>
internal sealed class Bench : IAsyncDisposable
{
    public const int Series = 192;

    private readonly ServiceProvider _services;

    private Bench(string folder)
    {
        File = Path.Combine(folder, "dashboard.db");
        _services = new ServiceCollection().AddLogging().AddPersistence($"Data Source={File};Default Timeout=30").AddSingleton(new DataDirectory(folder)).AddSingleton(TimeProvider.System).AddSingleton<PriceStore>().BuildServiceProvider();
    }

    public string File { get; }

    public AppDatabase Database => _services.GetRequiredService<AppDatabase>();

    public PriceStore Store => _services.GetRequiredService<PriceStore>();

    public static async Task<Bench> OpenAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        var bench = new Bench(folder);
        await bench._services.GetRequiredService<DatabaseStart>().RunAsync(default);
        await using var db = await bench.Database.ForSystemAsync(default);
        db.AddRange(Enumerable.Range(0, Series).Select(n => PriceSeriesRow.Of(
            new PriceSeries(new Market(Provider.VastAi, "https://vast.example", false), $"GPU {n / 4}", 24, 1 + n % 2, n % 4 < 2 ? RentalType.OnDemand : RentalType.Interruptible, true), DateTimeOffset.UnixEpoch)));
        await db.SaveChangesAsync();
        return bench;
    }

    /// <summary>One poll of 5,000 offers, every offer of every series.</summary>
    public static IReadOnlyList<SeenPrices> Poll(DateTimeOffset at, Random random, int offers = 5_000) =>
    [
        .. Enumerable.Range(0, offers).GroupBy(n => n % Series).Select(series =>
        {
            List<Offer> seen = [.. series.Select(n => new Offer
            {
                Id = $"{9_000_000 + n}", MachineId = $"{30_000 + n}", GpuName = $"GPU {series.Key / 4}", GpuCount = 1, VramMb = 24_564, Rental = RentalType.OnDemand, GpuRate = new HourlyRate(random.Next(200_000, 900_000)),
                DiskRate = HourlyRate.Zero, StorageUsdPerGbMonth = 0.1m, DownloadPerGb = Money.Zero, UploadPerGb = Money.Zero, DiskGb = 500, Verified = true,
            })];
            return new SeenPrices(1 + series.Key, PriceStatistics.Point(seen, at, complete: true), seen);
        }),
    ];

    public static async Task<double> SecondsAsync(Func<Task> work)
    {
        var clock = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(clock).TotalSeconds;
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
