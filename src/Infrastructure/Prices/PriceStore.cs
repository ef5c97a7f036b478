using System.Data.Common;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Prices;
using Dashboard.Infrastructure.Persistence;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Prices;

/// <summary>What was seen of one series.</summary>
/// <param name="Seen">The offers behind the point, also those whose price cannot be meant; empty for the provider's own figures.</param>
public sealed record SeenPrices(int SeriesId, PricePoint Point, IReadOnlyList<Offer> Seen);

/// <summary>
/// Writes points with their raw rows and roll-ups, reads long stretches of them, and prunes them. Prepared statements beside EF,
/// a poll in one transaction: a tenth of the time that tracking entities takes, and no half of a poll is ever seen.
/// </summary>
public sealed class PriceStore(AppDatabase database)
{
    private const int SecondsAnHour = 3_600;
    private const int HoursADay = 24;

    /// <summary>Rows that one deletion takes at most: it holds the database's only writer for some milliseconds.</summary>
    private const int PruneBatch = 2_000;

    private static readonly string[] BucketColumns =
        ["Polls", "Empty", "Low", "High", "MinSum", "Fifths", "FifthSum", "Depths", "P10Sum", "MedianSum", "P90Sum", "Quartiles", "P25Sum", "P75Sum", "Counts", "CountSum"];

    private static readonly string SelectHours =
        $"SELECT \"T\", {string.Join(", ", BucketColumns.Select(column => $"\"{column}\""))} FROM \"{KeyedTables.Hours}\" WHERE \"SeriesId\" = ? AND \"T\" >= ? ORDER BY \"T\"";

    /// <summary>Stores in a transaction of its own.</summary>
    public async Task StoreAsync(IReadOnlyCollection<SeenPrices> seen, CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        await StoreAsync(db, seen, static (_, _) => Task.FromResult(true), ct);
    }

    /// <summary>Stores in one transaction with whatever else has to be true together with it.</summary>
    /// <param name="alongside">Runs first, in the same transaction; false: somebody else was faster, and nothing is stored.</param>
    /// <returns>What <paramref name="alongside"/> said.</returns>
    /// <remarks>A point that is there already is left as it is and counts in no roll-up again.</remarks>
    public static async Task<bool> StoreAsync(AppDbContext db, IReadOnlyCollection<SeenPrices> seen, Func<AppDbContext, CancellationToken, Task<bool>> alongside, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(db);
        ArgumentNullException.ThrowIfNull(seen);
        ArgumentNullException.ThrowIfNull(alongside);
        await db.Database.OpenConnectionAsync(ct);
        try
        {
            await RelaxAsync(db, ct);
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            if (!await alongside(db, ct))
            {
                return false;
            }

            Insert((SqliteConnection)db.Database.GetDbConnection(), seen);
            await transaction.CommitAsync(ct);
            return true;
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    /// <summary>Takes over the provider's own past figures: straight into the roll-ups, and as points where those are still kept.</summary>
    /// <remarks>Once a series; the caller says in <paramref name="alongside"/> that it was done.</remarks>
    public static Task<bool> BackfillAsync(AppDbContext db, int seriesId, IReadOnlyList<PricePoint> points, DateTimeOffset now, Func<AppDbContext, CancellationToken, Task<bool>> alongside, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(points);
        return StoreAsync(db, [.. points.Where(p => p.At < now).Select(p => new SeenPrices(seriesId, p, []))], alongside, ct);
    }

    /// <summary>The hours of a series from one on, as they follow each other: thousands of rows at once.</summary>
    /// <param name="fromHour">Hours since 1970.</param>
    public static async Task<IReadOnlyList<PriceHourRow>> HoursAsync(AppDbContext db, int series, int fromHour, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(db);
        await db.Database.OpenConnectionAsync(ct);
        try
        {
            var hours = new List<PriceHourRow>();
            using var read = new SqliteStatement((SqliteConnection)db.Database.GetDbConnection(), SelectHours);
            read.With(series).With(fromHour);
            while (read.Next())
            {
                hours.Add(new PriceHourRow
                {
                    SeriesId = series, T = (int)read.Number(0), Polls = (int)read.Number(1), Empty = (int)read.Number(2), Low = read.Number(3), High = read.Number(4), MinSum = read.Number(5),
                    Fifths = (int)read.Number(6), FifthSum = read.Number(7), Depths = (int)read.Number(8), P10Sum = read.Number(9), MedianSum = read.Number(10), P90Sum = read.Number(11),
                    Quartiles = (int)read.Number(12), P25Sum = read.Number(13), P75Sum = read.Number(14), Counts = (int)read.Number(15), CountSum = read.Number(16),
                });
            }

            return hours;
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    /// <summary>Deletes what has outlived its retention, a few milliseconds at a time, so that nobody who writes waits long.</summary>
    /// <returns>How many rows.</returns>
    public async Task<int> PruneAsync(PriceRetention keep, DateTimeOffset now, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(keep);
        await using var db = await database.ForSystemAsync(ct);
        var series = await db.PriceSeries.Select(s => s.Id).ToListAsync(ct);
        var deleted = 0;
        await db.Database.OpenConnectionAsync(ct);
        try
        {
            await RelaxAsync(db, ct);
            foreach (var (table, horizon) in new[]
            {
                (KeyedTables.Offers, (now - keep.Offers).ToUnixTimeSeconds()),
                (KeyedTables.Points, (now - keep.Points).ToUnixTimeSeconds()),
                (KeyedTables.Hours, (now - keep.Hours).ToUnixTimeSeconds() / SecondsAnHour),
            })
            {
                foreach (var id in series)
                {
                    int gone;
                    do
                    {
                        ct.ThrowIfCancellationRequested();
                        gone = DeleteSome(db.Database.GetDbConnection(), table, id, horizon);
                        deleted += gone;
                    }
                    while (gone > 0);
                }
            }
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }

        return deleted;
    }

    // A poll lost in a power cut is polled again; what is deleted here was never secret. The next user of the connection sets its own.
    private static async Task RelaxAsync(AppDbContext db, CancellationToken ct)
    {
        if (db.Database.ProviderName == "Microsoft.EntityFrameworkCore.Sqlite")
        {
            await db.Database.ExecuteSqlRawAsync("PRAGMA synchronous=NORMAL; PRAGMA secure_delete=OFF;", ct);
        }
    }

    private static void Insert(SqliteConnection connection, IReadOnlyCollection<SeenPrices> seen)
    {
        using var points = Insertion(connection, KeyedTables.Points, ["SeriesId", "T", "Kind", "Count", "AtLeast", "Min", "Fifth", "P10", "P25", "Median", "P75", "P90"], "DO NOTHING");
        using var offers = Insertion(connection, KeyedTables.Offers, ["SeriesId", "T", "OfferId", "MachineId", "PerGpu", "Implausible"], "DO NOTHING");
        using var hours = Insertion(connection, KeyedTables.Hours, ["SeriesId", "T", .. BucketColumns], AddTo(KeyedTables.Hours));
        using var days = Insertion(connection, KeyedTables.Days, ["SeriesId", "T", .. BucketColumns], AddTo(KeyedTables.Days));
        var roll = new SortedDictionary<(int Series, int Hour), PriceBucket>();
        foreach (var (series, point, rows) in seen)
        {
            var (t, q) = (point.At.ToUnixTimeSeconds(), point.Quantiles);
            points.With(series).With(t).With((int)point.Kind).With(point.Count).With(point.AtLeast ? 1 : 0).With(point.Min?.MicrosPerHour).With(point.Fifth?.MicrosPerHour)
                .With(q?.P10.MicrosPerHour).With(q?.P25?.MicrosPerHour).With(q?.Median.MicrosPerHour).With(q?.P75?.MicrosPerHour).With(q?.P90.MicrosPerHour).Run();
            if (points.Written == 0)
            {
                continue;
            }

            offers.Keeping(0).With(series).With(t);
            foreach (var offer in rows)
            {
                offers.Keeping(2).With(offer.Id).With(offer.MachineId).With(PriceStatistics.PerGpu(offer).MicrosPerHour).With(PlausiblePrice.Holds(offer) ? 0 : 1).Run();
            }

            var key = (series, (int)(t / SecondsAnHour));
            roll[key] = roll.GetValueOrDefault(key) + PriceBucket.Of(point);
        }

        foreach (var ((series, hour), bucket) in roll)
        {
            Add(hours, series, hour, bucket);
        }

        foreach (var day in roll.GroupBy(r => (r.Key.Series, Day: r.Key.Hour / HoursADay)))
        {
            Add(days, day.Key.Series, day.Key.Day, day.Aggregate(default(PriceBucket), (sum, hour) => sum + hour.Value));
        }
    }

    /// <summary>One row at a time: several rows in one statement are slower.</summary>
    private static SqliteStatement Insertion(SqliteConnection connection, string table, string[] columns, string onConflict) =>
        new(connection, $"INSERT INTO \"{table}\" ({string.Join(", ", columns.Select(c => $"\"{c}\""))}) VALUES ({string.Join(", ", columns.Select(_ => "?"))}) ON CONFLICT {onConflict}");

    private static void Add(SqliteStatement rollUps, int series, int t, PriceBucket b) => rollUps
        .With(series).With(t).With(b.Polls).With(b.Empty).With(b.Low).With(b.High).With(b.MinSum).With(b.Fifths).With(b.FifthSum).With(b.Depths).With(b.P10Sum).With(b.MedianSum).With(b.P90Sum)
        .With(b.Quartiles).With(b.P25Sum).With(b.P75Sum).With(b.Counts).With(b.CountSum).Run();

    // As PriceBucket's addition.
    private static string AddTo(string table) => "(\"SeriesId\", \"T\") DO UPDATE SET " + string.Join(", ", BucketColumns.Select(column => column switch
    {
        "Low" => $"\"Low\" = CASE WHEN excluded.\"Polls\" = 0 OR (\"{table}\".\"Polls\" > 0 AND \"{table}\".\"Low\" <= excluded.\"Low\") THEN \"{table}\".\"Low\" ELSE excluded.\"Low\" END",
        "High" => $"\"High\" = CASE WHEN \"{table}\".\"High\" >= excluded.\"High\" THEN \"{table}\".\"High\" ELSE excluded.\"High\" END",
        _ => $"\"{column}\" = \"{table}\".\"{column}\" + excluded.\"{column}\"",
    }));

    private static int DeleteSome(DbConnection connection, string table, int series, long before)
    {
        using var find = connection.CreateCommand();
        find.CommandText = $"SELECT \"T\" FROM \"{table}\" WHERE \"SeriesId\" = {series} AND \"T\" < {before} ORDER BY \"T\" LIMIT 1 OFFSET {PruneBatch}";
        var until = find.ExecuteScalar() is { } beyond and not DBNull ? Math.Min(before, Convert.ToInt64(beyond, System.Globalization.CultureInfo.InvariantCulture) + 1) : before;
        using var delete = connection.CreateCommand();
        delete.CommandText = $"DELETE FROM \"{table}\" WHERE \"SeriesId\" = {series} AND \"T\" < {until}";
        return delete.ExecuteNonQuery();
    }
}

/// <summary>How long prices are kept. Days are kept for ever. Section <c>Retention:Prices</c>.</summary>
public sealed class PriceRetention
{
    /// <summary>Every offer of every poll. Default 48 h.</summary>
    public TimeSpan Offers { get; init; } = TimeSpan.FromHours(48);

    /// <summary>Points as polled. Default 14 days.</summary>
    public TimeSpan Points { get; init; } = TimeSpan.FromDays(14);

    /// <summary>Roll-ups of an hour. Default 2 years.</summary>
    public TimeSpan Hours { get; init; } = TimeSpan.FromDays(731);
}
