using System.Globalization;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Web.Startup;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Startup;

/// <summary><c>backup</c> and <c>restore</c>: one file has all of an installation.</summary>
[Collection(OneServerAtATime.Name)]
public sealed class BackupTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dashboard-backup-").FullName;
    private readonly StringWriter _said = new(CultureInfo.InvariantCulture);

    private string Data => Path.Combine(_folder, "data");

    private string Restored => Path.Combine(_folder, "restored");

    private string Archive => Path.Combine(_folder, "backup.tar.gz");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_backed_up_while_the_server_ran_starts_in_another_folder_with_its_keys_users_and_files()
    {
        await using (var dashboard = await RunningDashboard.OwnedAsync(("Data:Directory", Data)))
        {
            Directory.CreateDirectory(Path.Combine(Data, "logs", "one"));
            await File.WriteAllTextAsync(Path.Combine(Data, "logs", "one", "attempt-1.log"), "line 1\n", Ct);
            Assert.Equal(0, await RunAsync(Data, "backup", "--to", Archive));
        }

        Assert.Equal(0, await RunAsync(Restored, "restore", Archive));

        await using var restored = await RunningDashboard.StartAsync(("Data:Directory", Restored)); // the label's secret could not be read without the key ring
        using var browser = await restored.SignedInAsync();
        Assert.Contains("Restored from the backup", restored.App.Services.GetRequiredService<RentBan>().Quarantine, StringComparison.Ordinal);
        Assert.Equal("line 1\n", await File.ReadAllTextAsync(Path.Combine(Restored, "logs", "one", "attempt-1.log"), Ct));
        Assert.False(Directory.Exists(Path.Combine(Restored, "restore.part")));
    }

    [Fact]
    public async Task A_restore_refuses_while_a_server_holds_the_data_directory()
    {
        await using var dashboard = await RunningDashboard.OwnedAsync(("Data:Directory", Data));
        Assert.Equal(0, await RunAsync(Data, "backup", "--to", Archive));

        var fault = await Assert.ThrowsAsync<ConfigurationFault>(() => RunAsync(Data, "restore", Archive, "--replace"));

        Assert.Contains("another dashboard already runs", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_restore_deletes_nothing_replaces_only_when_told_and_keeps_what_was_there()
    {
        await StartAndStopAsync(Data);
        Assert.Equal(0, await RunAsync(Data, "backup", "--to", Archive));
        await StartAndStopAsync(Restored);
        var before = await File.ReadAllBytesAsync(Path.Combine(Restored, "dashboard.db"), Ct);

        Assert.Equal(1, await RunAsync(Restored, "restore", Archive));
        Assert.Contains("--replace", _said.ToString(), StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllBytesAsync(Path.Combine(Restored, "dashboard.db"), Ct));

        Assert.Equal(0, await RunAsync(Restored, "restore", Archive, "--replace"));
        var aside = Assert.Single(Directory.GetDirectories(Restored, "before-restore-*"));
        Assert.Equal(before, await File.ReadAllBytesAsync(Path.Combine(aside, "dashboard.db"), Ct));
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(aside, "keys")));
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(0.98)]
    public async Task A_damaged_archive_is_refused_and_changes_nothing(double where)
    {
        await StartAndStopAsync(Data);
        Assert.Equal(0, await RunAsync(Data, "backup", "--to", Archive));
        var bytes = await File.ReadAllBytesAsync(Archive, Ct);
        await File.WriteAllBytesAsync(Archive, bytes[..(int)(bytes.Length * where)], Ct);

        Assert.Equal(1, await RunAsync(Restored, "restore", Archive));

        Assert.False(File.Exists(Path.Combine(Restored, "dashboard.db")));
        Assert.False(File.Exists(Path.Combine(Restored, "installation.json")));
    }

    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public async Task Only_the_owner_of_the_process_may_read_a_backup()
    {
        await StartAndStopAsync(Data);
        Assert.Equal(0, await RunAsync(Data, "backup"));

        var archive = Assert.Single(Directory.GetFiles(Path.Combine(Data, "backups")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(archive));
    }

    [Fact]
    public async Task Without_the_key_ring_a_backup_is_of_no_use_to_whoever_finds_it_and_a_restore_keeps_the_ring_that_is_there()
    {
        await StartAndStopAsync(Data);
        var ring = Directory.GetFiles(Path.Combine(Data, "keys"));
        Assert.Equal(0, await RunAsync(Data, "backup", "--to", Archive, "--without-keys"));

        Assert.Equal(0, await RunAsync(Restored, "restore", Archive));
        Assert.False(Directory.Exists(Path.Combine(Restored, "keys")));
        Assert.Equal(0, await RunAsync(Data, "restore", Archive, "--replace"));
        Assert.Equal(ring, Directory.GetFiles(Path.Combine(Data, "keys")));
        await StartAndStopAsync(Data);
    }

    [Theory]
    [InlineData("backup", "--nonsense")]
    [InlineData("restore")]
    public async Task What_cannot_be_meant_is_answered_with_the_usage(params string[] arguments)
    {
        Assert.Equal(64, await RunAsync(Data, arguments));
        Assert.Contains("usage: dashboard backup", _said.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_data_folder_of_an_older_build_is_copied_and_then_taken_over()
    {
        await StartAndStopAsync(Data);
        Assert.False(Directory.Exists(Path.Combine(Data, "backups"))); // nothing to migrate, nothing to copy
        await using (var dashboard = await RunningDashboard.StartAsync(("Data:Directory", Data)))
        {
            await using var db = await dashboard.Database.ForSystemAsync(Ct);
            await db.Database.ExecuteSqlRawAsync(
                """
                ALTER TABLE "PriceAlerts" DROP COLUMN "Answers";
                ALTER TABLE "PriceAlerts" DROP COLUMN "Hosts";
                ALTER TABLE "Instances" DROP COLUMN "Silence";
                INSERT INTO "PriceAlerts" ("Id", "TeamId", "GpuNames", "Measure", "HoldFor", "CreatedBy", "CreatedAt", "State", "Since", "SeenAt", "Fired")
                VALUES ('0d9b2c41-7d53-4b0e-8f0a-0c6f3f1f2a11', '0d9b2c41-7d53-4b0e-8f0a-0c6f3f1f2a12', 'RTX 4090', 'Lowest', 0, '0d9b2c41-7d53-4b0e-8f0a-0c6f3f1f2a13', 0, 'Normal', 0, 0, 0);
                DELETE FROM "__EFMigrationsHistory" WHERE "MigrationId" > '20261124024710_Initial'
                """,
                Ct);
        }

        await using (var dashboard = await RunningDashboard.StartAsync(("Data:Directory", Data)))
        {
            await using var db = await dashboard.Database.ForSystemAsync(Ct);
            var kept = await db.PriceAlerts.AsNoTracking().SingleAsync(Ct);
            Assert.Equal(("RTX 4090", null, 0), (kept.GpuNames, kept.Hosts, kept.Answers.Count));
            Assert.Empty(await db.Database.GetPendingMigrationsAsync(Ct));
        }

        Assert.Single(Directory.GetFiles(Path.Combine(Data, "backups"), "before-migration-*.db"));
    }

    [Fact]
    public async Task A_database_that_cannot_be_migrated_is_copied_all_the_same()
    {
        await StartAndStopAsync(Data);
        await using (var dashboard = await RunningDashboard.StartAsync(("Data:Directory", Data)))
        {
            await using var db = await dashboard.Database.ForSystemAsync(Ct);
            await db.Database.ExecuteSqlRawAsync("""DELETE FROM "__EFMigrationsHistory" WHERE "MigrationId" = '20261124024710_Initial'""", Ct);
        }

        // The first migration cannot be applied to a database that has its tables: a version that will not do.
        await Assert.ThrowsAnyAsync<Exception>(() => StartAndStopAsync(Data));

        Assert.Single(Directory.GetFiles(Path.Combine(Data, "backups"), "before-migration-*.db"));
    }

    public void Dispose()
    {
        _said.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private Task<int> RunAsync(string data, params string[] arguments) =>
        DataCommands.RunAsync(arguments, new ServerSettings(data, $"Data Source={Path.Combine(data, "dashboard.db")}", new Uri("http://localhost:5080"), CertificatePath: null), _said, _said);

    private static async Task StartAndStopAsync(string data)
    {
        await using var dashboard = await RunningDashboard.StartAsync(("Data:Directory", data));
    }
}
