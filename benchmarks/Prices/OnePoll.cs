using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Prices;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Prices;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Benchmarks.Prices;

/// <summary>
/// Storing one poll of 5,000 offers with its points and roll-ups, against <c>sqlite3 .import</c> and EF of the raw rows alone,
/// each on a database of its own, by turns; then four readers beside it.
/// </summary>
internal static class OnePoll
{
    private const int Readers = 4;
    private static readonly DateTimeOffset Start = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(5);

    public static async Task MeasureAsync(string folder, int rounds, Dictionary<string, double[]> samples)
    {
        await using var ours = await Bench.OpenAsync(Path.Combine(folder, "ours"));
        await using var ef = await Bench.OpenAsync(Path.Combine(folder, "ef"));
        await using var peer = await Bench.OpenAsync(Path.Combine(folder, "peer"));
        using var import = new Import(peer.File);
        var (random, store, byImport, byEf) = (new Random(7), new List<double>(), new List<double>(), new List<double>());
        for (var round = -2; round < rounds; round++) // two to warm up
        {
            var at = Start.AddMinutes(5 * (round + 2));
            var poll = Bench.Poll(at, random);
            var (csv, rows) = (Path.Combine(folder, "rows.csv"), Rows(poll).ToList());
            await File.WriteAllLinesAsync(csv, rows.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.SeriesId},{r.T},{r.OfferId},{r.MachineId},{r.PerGpu},{(r.Implausible ? 1 : 0)}")));
            double[] took =
            [
                await Bench.SecondsAsync(() => ours.Store.StoreAsync(poll, default)),
                await import.SecondsAsync(csv),
                await Bench.SecondsAsync(async () =>
                {
                    await using var db = await ef.Database.ForSystemAsync(default);
                    db.AddRange(rows);
                    await db.SaveChangesAsync();
                }),
            ];
            if (round >= 0)
            {
                store.Add(took[0]);
                byImport.Add(took[1]);
                byEf.Add(took[2]);
            }
        }

        (samples["store"], samples["import"], samples["ef"]) = ([.. store], [.. byImport], [.. byEf]);
        await ReadAsync(ours, samples);
    }

    private static IEnumerable<PriceOfferRow> Rows(IEnumerable<SeenPrices> poll) => poll.SelectMany(p => p.Seen.Select(o => new PriceOfferRow
    {
        SeriesId = p.SeriesId, T = p.Point.At.ToUnixTimeSeconds(), OfferId = o.Id, MachineId = o.MachineId, PerGpu = PriceStatistics.PerGpu(o).MicrosPerHour, Implausible = !PlausiblePrice.Holds(o),
    }));

    /// <summary>Four readers of a day's points, quiet and while polls are stored back to back.</summary>
    private static async Task ReadAsync(Bench bench, Dictionary<string, double[]> samples)
    {
        var busy = 0;
        samples["read quiet"] = await ReadersAsync();
        using var enough = new CancellationTokenSource();
        var polls = 0;
        var writing = Task.Run(async () =>
        {
            var random = new Random(8);
            while (!enough.IsCancellationRequested)
            {
                await bench.Store.StoreAsync(Bench.Poll(Start.AddDays(1).AddMinutes(5 * polls++), random), default);
            }
        });
        samples["read while storing"] = await ReadersAsync();
        await enough.CancelAsync();
        try
        {
            await writing;
        }
        catch (SqliteException error) when (error.SqliteErrorCode == 5)
        {
            busy++;
        }

        (samples["polls meanwhile"], samples["busy errors"]) = ([polls], [busy]);

        async Task<double[]> ReadersAsync()
        {
            var seconds = new ConcurrentBag<double>();
            var began = Stopwatch.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, Readers).Select(reader => Task.Run(async () =>
            {
                var random = new Random(reader);
                while (Stopwatch.GetElapsedTime(began) < Watched)
                {
                    try
                    {
                        seconds.Add(await Bench.SecondsAsync(async () =>
                        {
                            await using var db = await bench.Database.ForSystemAsync(default);
                            var (series, from) = (1 + random.Next(Bench.Series), Start.ToUnixTimeSeconds());
                            await db.PricePoints.AsNoTracking().Where(p => p.SeriesId == series && p.T >= from && p.T < from + 86_400).OrderBy(p => p.T).ToListAsync();
                        }));
                    }
                    catch (SqliteException error) when (error.SqliteErrorCode == 5)
                    {
                        Interlocked.Increment(ref busy);
                    }
                }
            })));
            return [.. seconds];
        }
    }

    /// <summary>One sqlite3 that stays: its own start is not counted against it.</summary>
    private sealed class Import : IDisposable
    {
        private readonly Process _process;

        public Import(string database)
        {
            _process = Process.Start(new ProcessStartInfo("sqlite3", [database]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
            _process.StandardInput.WriteLine("PRAGMA synchronous=NORMAL;");
            _process.StandardInput.WriteLine(".mode csv");
        }

        public Task<double> SecondsAsync(string csv) => Bench.SecondsAsync(async () =>
        {
            await _process.StandardInput.WriteLineAsync($".import \"{csv}\" PriceOffers\nSELECT 'stored';");
            await _process.StandardInput.FlushAsync();
            while (await _process.StandardOutput.ReadLineAsync() is { } line && line != "stored")
            {
            }
        });

        public void Dispose()
        {
            _process.StandardInput.Close();
            _process.WaitForExit(10_000);
            _process.Dispose();
        }
    }
}
