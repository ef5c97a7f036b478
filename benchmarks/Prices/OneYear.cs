using System.Data.Common;
using System.Diagnostics;
using System.Globalization;
using Dashboard.Domain.Prices;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Prices;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Benchmarks.Prices;

/// <summary>A year of 5-minute polls of 192 series: a trend read from hours, by ADO and by EF, against the points; and what is left of it after pruning.</summary>
internal static class OneYear
{
    private const int EveryMinutes = 5;
    private const int TrendDays = 90;
    private const int Reads = 200;
    private const int PointReads = 40;
    private const int Warm = 20;
    private static readonly string[] Names = ["@series", "@t", "@min", "@fifth"];
    private static readonly DateTimeOffset Start = new(2025, 11, 1, 0, 0, 0, TimeSpan.Zero);

    public static async Task MeasureAsync(string folder, int days, Dictionary<string, double[]> samples)
    {
        await using var bench = await Bench.OpenAsync(folder);
        var end = Start.AddDays(days);
        await FillAsync(bench, days);
        var from = end.AddDays(-Math.Min(TrendDays, days));
        await using (var db = await bench.Database.ForSystemAsync(default))
        {
            await db.Database.OpenConnectionAsync();
            samples["points"] = [await db.PricePoints.LongCountAsync()];
            var connection = db.Database.GetDbConnection();
            using var hours = connection.CreateCommand();
            hours.CommandText = "SELECT \"T\", \"MinSum\" / \"Polls\" FROM \"PriceHours\" WHERE \"SeriesId\" = @series AND \"T\" >= @from ORDER BY \"T\"";
            samples["trend by ADO"] = Read(hours, from.ToUnixTimeSeconds() / 3_600);
            samples["trend"] = Read((SqliteConnection)connection, hours.CommandText, from.ToUnixTimeSeconds() / 3_600, Reads);
            samples["trend from points"] = Read(
                (SqliteConnection)connection, "SELECT \"T\" / 3600, SUM(\"Min\") / COUNT(*) FROM \"PricePoints\" WHERE \"SeriesId\" = @series AND \"T\" >= @from GROUP BY \"T\" / 3600 ORDER BY 1", from.ToUnixTimeSeconds(), PointReads);
            samples["buckets"] = await BucketsAsync(db, (int)(from.ToUnixTimeSeconds() / 3_600));
        }

        var byEf = new List<double>();
        var random = new Random(3);
        IReadOnlyList<(int T, long Min, long Low, long High)> trend = [];
        for (var read = -Warm; read < Reads; read++)
        {
            var (series, hour) = (1 + random.Next(Bench.Series), (int)(from.ToUnixTimeSeconds() / 3_600));
            await using var db = await bench.Database.ForSystemAsync(default);
            await db.Database.OpenConnectionAsync();
            var took = await Bench.SecondsAsync(async () => trend = (await db.PriceHours.AsNoTracking().Where(h => h.SeriesId == series && h.T >= hour).OrderBy(h => h.T)
                .Select(h => new ValueTuple<int, long, long, long>(h.T, h.MinSum / h.Polls, h.Low, h.High)).ToListAsync()));
            if (read >= 0)
            {
                byEf.Add(took);
            }
        }

        samples["trend by EF"] = [.. byEf];
        var kept = Thinning.KeepLowAndHigh(trend, h => h.Low, h => h.High, 1_500);
        samples["hours read"] = [trend.Count];
        samples["points to the browser"] = [kept.Count];
        samples["shape kept"] = [kept.Min(h => h.Low) == trend.Min(h => h.Low) && kept.Max(h => h.High) == trend.Max(h => h.High) ? 1 : 0];

        var raw = new List<SeenPrices>();
        var dice = new Random(9);
        for (var poll = 0; poll < 48 * 60 / EveryMinutes; poll++) // two days of raw rows
        {
            await bench.Store.StoreAsync([.. Bench.Poll(end.AddMinutes(EveryMinutes * poll), dice).Select(s => s with { Point = s.Point with { At = s.Point.At.AddSeconds(1) } })], default);
        }

        samples["seconds to prune"] = [await Bench.SecondsAsync(() => bench.Store.PruneAsync(new PriceRetention(), end.AddDays(2), default))];
        samples["bytes kept"] = [await LiveBytesAsync(bench)];
    }

    /// <summary>Hour and lowest price of a random series, by ADO.</summary>
    private static double[] Read(DbCommand command, long from)
    {
        var (series, since) = (command.CreateParameter(), command.CreateParameter());
        (series.ParameterName, since.ParameterName, since.Value) = ("@series", "@from", from);
        command.Parameters.Add(series);
        command.Parameters.Add(since);
        return Timed(Reads, which =>
        {
            series.Value = which;
            using var rows = command.ExecuteReader();
            var sum = 0L;
            while (rows.Read())
            {
                sum += rows.GetInt64(0) + rows.GetInt64(1);
            }

            return sum;
        });
    }

    /// <summary>The same by a statement prepared anew each time, as the product reads its hours.</summary>
    private static double[] Read(SqliteConnection connection, string sql, long from, int reads) => Timed(reads, which =>
    {
        using var rows = new SqliteStatement(connection, sql);
        rows.With(which).With(from);
        var sum = 0L;
        while (rows.Next())
        {
            sum += rows.Number(0) + rows.Number(1);
        }

        return sum;
    });

    /// <summary>Everything that is known of each hour, as the Prices page asks for it.</summary>
    private static async Task<double[]> BucketsAsync(AppDbContext db, int fromHour)
    {
        var (took, random) = (new List<double>(), new Random(3));
        for (var read = -Warm; read < Reads; read++)
        {
            var which = 1 + random.Next(Bench.Series);
            var seconds = await Bench.SecondsAsync(() => PriceStore.HoursAsync(db, which, fromHour, default));
            if (read >= 0)
            {
                took.Add(seconds);
            }
        }

        return [.. took];
    }

    private static double[] Timed(int reads, Func<int, long> read)
    {
        var (took, random) = (new List<double>(), new Random(3));
        for (var round = -Warm; round < reads; round++)
        {
            var which = 1 + random.Next(Bench.Series);
            var clock = Stopwatch.GetTimestamp();
            GC.KeepAlive(read(which));
            if (round >= 0)
            {
                took.Add(Stopwatch.GetElapsedTime(clock).TotalSeconds);
            }
        }

        return [.. took];
    }

    /// <summary>Points in the order of the table, hours and days out of them by the sums that the product keeps.</summary>
    private static async Task FillAsync(Bench bench, int days)
    {
        await using var db = await bench.Database.ForSystemAsync(default);
        await db.Database.OpenConnectionAsync();
        await db.Database.ExecuteSqlRawAsync("PRAGMA synchronous=OFF; PRAGMA secure_delete=OFF;");
        var (connection, first, polls) = (db.Database.GetDbConnection(), Start.ToUnixTimeSeconds(), days * 24 * 60 / EveryMinutes);
        for (var series = 1; series <= Bench.Series; series++)
        {
            using var transaction = connection.BeginTransaction();
            using var insert = connection.CreateCommand();
            insert.Transaction = transaction;
            insert.CommandText = "INSERT INTO \"PricePoints\" (\"SeriesId\", \"T\", \"Kind\", \"Count\", \"AtLeast\", \"Min\", \"Fifth\", \"P10\", \"P25\", \"Median\", \"P75\", \"P90\") VALUES (@series, @t, 0, 10, 1, @min, @fifth, NULL, NULL, NULL, NULL, NULL)";
            var parameters = Array.ConvertAll(Names, name =>
            {
                var parameter = insert.CreateParameter();
                parameter.ParameterName = name;
                insert.Parameters.Add(parameter);
                return parameter;
            });
            parameters[0].Value = series;
            var (random, price) = (new Random(series), 400_000L);
            for (var poll = 0; poll < polls; poll++)
            {
                price = Math.Clamp(price + random.Next(-2_000, 2_001), 200_000, 900_000);
                (parameters[1].Value, parameters[2].Value, parameters[3].Value) = (first + 60L * EveryMinutes * poll, price, price + 20_000);
                insert.ExecuteNonQuery();
            }

            transaction.Commit();
        }

        foreach (var (table, seconds) in new[] { ("PriceHours", 3_600), ("PriceDays", 86_400) })
        {
            await db.Database.ExecuteSqlRawAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"""INSERT INTO "{table}" ("SeriesId", "T", "Polls", "Empty", "Low", "High", "MinSum", "Fifths", "FifthSum", "Depths", "P10Sum", "MedianSum", "P90Sum", "Quartiles", "P25Sum", "P75Sum", "Counts", "CountSum") SELECT "SeriesId", "T" / {seconds}, COUNT(*), 0, MIN("Min"), MAX("Min"), SUM("Min"), COUNT(*), SUM("Fifth"), 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM "PricePoints" GROUP BY "SeriesId", "T" / {seconds}"""));
        }
    }

    /// <summary>Pages in use; those that pruning freed are filled again by the next polls.</summary>
    private static async Task<double> LiveBytesAsync(Bench bench)
    {
        await using var db = await bench.Database.ForSystemAsync(default);
        return await db.Database.SqlQueryRaw<long>("SELECT (p.page_count - f.freelist_count) * s.page_size AS Value FROM pragma_page_count() p, pragma_freelist_count() f, pragma_page_size() s").SingleAsync();
    }
}
