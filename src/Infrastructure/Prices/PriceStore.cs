using System.Data.Common;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Prices;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace Dashboard.Infrastructure.Prices;

/// <summary>What was seen of one series.</summary>
/// <param name="Seen">The offers behind the point, also those whose price cannot be meant; empty for the provider's own figures.</param>
public sealed record SeenPrices(int SeriesId, PricePoint Point, IReadOnlyList<Offer> Seen);

/// <summary>
/// Writes points with their raw rows and roll-ups, and prunes them. Prepared statements beside EF, all in one
/// transaction: a tenth of the time that tracking entities takes, and no half of a poll is ever seen.
/// </summary>
public sealed class PriceStore(AppDatabase database)
{
    private const int SecondsAnHour = 3_600;
    private const int HoursADay = 24;

    /// <summary>Rows that one deletion takes at most: it holds the database's only writer for some milliseconds.</summary>
    private const int PruneBatch = 2_000;

    private static readonly string[] BucketColumns =
        ["Polls", "Empty", "Low", "High", "MinSum", "Fifths", "FifthSum", "Depths", "P10Sum", "MedianSum", "P90Sum", "Quartiles", "P25Sum", "P75Sum", "Counts", "CountSum"];

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

            Insert(db.Database.GetDbConnection(), transaction.GetDbTransaction(), seen);
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

    private static void Insert(DbConnection connection, DbTransaction transaction, IReadOnlyCollection<SeenPrices> seen)
    {
        using var points = new Statement(connection, transaction, KeyedTables.Points, ["SeriesId", "T", "Kind", "Count", "AtLeast", "Min", "Fifth", "P10", "P25", "Median", "P75", "P90"], "DO NOTHING");
        using var offers = new Statement(connection, transaction, KeyedTables.Offers, ["SeriesId", "T", "OfferId", "MachineId", "PerGpu", "Implausible"], "DO NOTHING");
        using var hours = new Statement(connection, transaction, KeyedTables.Hours, ["SeriesId", "T", .. BucketColumns], AddTo(KeyedTables.Hours));
        using var days = new Statement(connection, transaction, KeyedTables.Days, ["SeriesId", "T", .. BucketColumns], AddTo(KeyedTables.Days));
        var roll = new SortedDictionary<(int Series, int Hour), PriceBucket>();
        foreach (var (series, point, rows) in seen)
        {
            var (t, q) = (point.At.ToUnixTimeSeconds(), point.Quantiles);
            if (points.Run(
                series, t, (int)point.Kind, point.Count, point.AtLeast ? 1 : 0, point.Min?.MicrosPerHour, point.Fifth?.MicrosPerHour,
                q?.P10.MicrosPerHour, q?.P25?.MicrosPerHour, q?.Median.MicrosPerHour, q?.P75?.MicrosPerHour, q?.P90.MicrosPerHour) == 0)
            {
                continue;
            }

            foreach (var offer in rows)
            {
                offers.Run(series, t, offer.Id, offer.MachineId, PriceStatistics.PerGpu(offer).MicrosPerHour, PlausiblePrice.Holds(offer) ? 0 : 1);
            }

            var key = (series, (int)(t / SecondsAnHour));
            roll[key] = roll.GetValueOrDefault(key) + PriceBucket.Of(point);
        }

        foreach (var ((series, hour), bucket) in roll)
        {
            hours.Run(Values(series, hour, bucket));
        }

        foreach (var day in roll.GroupBy(r => (r.Key.Series, Day: r.Key.Hour / HoursADay)))
        {
            days.Run(Values(day.Key.Series, day.Key.Day, day.Aggregate(default(PriceBucket), (sum, hour) => sum + hour.Value)));
        }
    }

    private static object?[] Values(int series, int t, PriceBucket b) =>
        [series, t, b.Polls, b.Empty, b.Low, b.High, b.MinSum, b.Fifths, b.FifthSum, b.Depths, b.P10Sum, b.MedianSum, b.P90Sum, b.Quartiles, b.P25Sum, b.P75Sum, b.Counts, b.CountSum];

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

    /// <summary>One prepared insertion, run row by row: several rows in one statement are slower.</summary>
    private sealed class Statement : IDisposable
    {
        private readonly DbCommand _command;
        private readonly DbParameter[] _parameters;

        public Statement(DbConnection connection, DbTransaction transaction, string table, string[] columns, string onConflict)
        {
            _command = connection.CreateCommand();
            _command.Transaction = transaction;
            _command.CommandText = $"INSERT INTO \"{table}\" ({string.Join(", ", columns.Select(c => $"\"{c}\""))}) VALUES ({string.Join(", ", columns.Select((_, i) => $"@p{i}"))}) ON CONFLICT {onConflict}";
            _parameters = [.. columns.Select((_, i) =>
            {
                var parameter = _command.CreateParameter();
                parameter.ParameterName = $"@p{i}";
                _command.Parameters.Add(parameter);
                return parameter;
            })];
        }

        /// <returns>Rows written: none when it was there.</returns>
        public int Run(params ReadOnlySpan<object?> values)
        {
            for (var at = 0; at < values.Length; at++)
            {
                _parameters[at].Value = values[at] ?? DBNull.Value;
            }

            return _command.ExecuteNonQuery();
        }

        public void Dispose() => _command.Dispose();
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
