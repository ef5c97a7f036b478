using System.Diagnostics;
using Dashboard.EndToEnd.Harness;
using Microsoft.Data.Sqlite;

namespace Dashboard.EndToEnd;

/// <summary>Whatever moment of its first start the server is killed in, the next start is a start.</summary>
[Collection(OneWorldAtATime.Name)]
public sealed class StartGuardTests
{
    private const int Port = 19_050;
    private const double StartSeconds = 20;
    private static readonly Dictionary<string, string> Alone = new() { ["Sandbox:Enabled"] = "false" };

    [Fact]
    public async Task A_kill_while_the_database_is_made_and_a_lock_that_it_leaves_behind_cannot_hang_the_next_start()
    {
        var ct = TestContext.Current.CancellationToken;
        var (kills, unmade, locked, starts, figures) = (TestSize.IsFull ? 100 : 4, 0, 0, new List<double>(), new Figures());
#pragma warning disable CA5394 // reproducible moments, not secrets
        var random = new Random(TestSize.Seed);
        for (var kill = 0; kill < kills; kill++)
        {
            var folder = Directory.CreateTempSubdirectory("dashboard-start-").FullName;
            try
            {
                await using var server = new ServerProcess(Port, folder, Alone);
                server.Launch();
                await Dashboard.Tests.Shared.Eventually.HoldsAsync(() => File.Exists(server.Database), "the database is begun", ct: ct);
                await Task.Delay(TimeSpan.FromMilliseconds(random.NextDouble() * 400), TimeProvider.System, ct);
                await server.KillAsync();
                var (tables, locks) = Look(server.Database);
                unmade += tables <= 2 ? 1 : 0; // EF's own
                locked += locks;
                if (kill % 2 == 0)
                {
                    locked += PlantLock(server.Database);
                }

                var clock = Stopwatch.StartNew();
                await server.StartAsync(ct);
                starts.Add(clock.Elapsed.TotalSeconds);
                Assert.Empty(new Books(server.Database).Damage());
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }
#pragma warning restore CA5394

        figures.Add($"{kills} kills while the database was made ({unmade} before it had its tables, {locked} left or were given a migration lock): started again in {string.Join(", ", starts.Select(s => $"{s:0.0}"))} s, load {Crowd.Load:0} on {Environment.ProcessorCount} processors");
        await figures.KeepAsync();
        Assert.True(locked > 0, "No start met a lock.");
        Assert.All(starts, seconds => Assert.True(seconds <= StartSeconds || Crowd.IsThere, $"A start took {seconds:0.0} s."));
    }

    private static (int Tables, int Locks) Look(string database) =>
        (Ask(database, "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'"), Ask(database, "SELECT COUNT(*) FROM \"__EFMigrationsLock\""));

    // As EF leaves it when it dies between its first statement and its last.
    private static int PlantLock(string database)
    {
        Ask(database, "CREATE TABLE IF NOT EXISTS \"__EFMigrationsLock\" (\"Id\" INTEGER NOT NULL CONSTRAINT \"PK___EFMigrationsLock\" PRIMARY KEY, \"Timestamp\" TEXT NOT NULL)");
        return Ask(database, "INSERT OR IGNORE INTO \"__EFMigrationsLock\" (\"Id\", \"Timestamp\") VALUES (1, '2026-11-23 18:00:00') RETURNING 1");
    }

    private static int Ask(string database, string question)
    {
        try
        {
            using var connection = new SqliteConnection($"Data Source={database};Pooling=False");
            connection.Open();
            using var command = connection.CreateCommand();
#pragma warning disable CA2100 // constants of this class
            command.CommandText = question;
#pragma warning restore CA2100
            return Convert.ToInt32(command.ExecuteScalar(), System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (SqliteException)
        {
            return 0; // no such table yet
        }
    }
}
