using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Backups;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Persistence;

/// <summary>
/// Brings the database to this program's version. Only for the one process that holds the data directory's lock:
/// what another process would have to be asked about is simply ours here.
/// </summary>
public sealed class DatabaseStart(AppDatabase database, DataDirectory data, TimeProvider time)
{
    private const int BackupsKept = 3;

    public async Task RunAsync(CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        await ClearStaleMigrationLockAsync(db, ct);
        if ((await db.Database.GetPendingMigrationsAsync(ct)).Any()) // to find that out alone, Migrate compares the whole model, which takes most of a second
        {
            await BackUpBeforeMigratingAsync(db, ct);
            await db.Database.MigrateAsync(ct);
        }

        await db.Database.ExecuteSqlRawAsync("PRAGMA journal_mode=WAL;", ct);

        await TakeUpAsync(ct);
    }

    /// <summary>
    /// Whoever held a lease is gone: nothing has to wait until it runs out. Nor does a machine wait for a moment that was
    /// named before this start: the clock may have been set back since.
    /// </summary>
    internal async Task TakeUpAsync(CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await using var db = await database.ForSystemAsync(ct);
        await db.Set<Instance>().Where(i => i.NextStepAt > now).ExecuteUpdateAsync(set => set.SetProperty(i => i.NextStepAt, now), ct);
        await db.Set<Job>().Where(j => j.LeaseOwner != null)
            .ExecuteUpdateAsync(set => set.SetProperty(j => j.LeaseOwner, (string?)null).SetProperty(j => j.LeaseUntil, (DateTimeOffset?)null), ct);
        await db.Set<Instance>().Where(i => i.LeaseOwner != null)
            .ExecuteUpdateAsync(set => set.SetProperty(i => i.LeaseOwner, (string?)null).SetProperty(i => i.LeaseUntil, (DateTimeOffset?)null), ct);
        await db.Set<PriceAccountRow>().Where(a => a.LeaseOwner != null)
            .ExecuteUpdateAsync(set => set.SetProperty(a => a.LeaseOwner, (string?)null).SetProperty(a => a.LeaseUntil, (DateTimeOffset?)null), ct);
        await db.Set<PriceSeriesRow>().Where(s => s.ClaimedUntil != null).ExecuteUpdateAsync(set => set.SetProperty(s => s.ClaimedUntil, (DateTimeOffset?)null), ct);
        await db.Outbox.Where(m => m.LeaseUntil != null).ExecuteUpdateAsync(set => set.SetProperty(m => m.LeaseUntil, (DateTimeOffset?)null), ct);
        await db.Deliveries.Where(d => d.LeaseUntil != null).ExecuteUpdateAsync(set => set.SetProperty(d => d.LeaseUntil, (DateTimeOffset?)null), ct);
        await db.BillReadings.Where(r => r.LeaseUntil != null).ExecuteUpdateAsync(set => set.SetProperty(r => r.LeaseUntil, (DateTimeOffset?)null), ct);
    }

    // Should the new version not do, its predecessor goes on from here.
    private async Task BackUpBeforeMigratingAsync(AppDbContext db, CancellationToken ct)
    {
        if (!(await db.Database.GetAppliedMigrationsAsync(ct)).Any())
        {
            return;
        }

        var folder = Directory.CreateDirectory(Path.Combine(data.Root, "backups")).FullName;
        foreach (var killed in Directory.GetFiles(folder, "before-migration-*.part*"))
        {
            File.Delete(killed); // by the death of the process that made it
        }

        var copy = Path.Combine(folder, $"before-migration-{time.GetUtcNow():yyyyMMdd-HHmmss}.db");
        DataArchive.CopyDatabase(db.Database.GetDbConnection().DataSource, copy + ".part");
        File.Move(copy + ".part", copy, overwrite: true);
        foreach (var old in Directory.GetFiles(folder, "before-migration-*.db").OrderDescending(StringComparer.Ordinal).Skip(BackupsKept))
        {
            File.Delete(old);
        }
    }

    // A process killed inside Migrate leaves its row behind, and every later start would wait for it for ever (dotnet/efcore#38958).
    private static async Task ClearStaleMigrationLockAsync(AppDbContext db, CancellationToken ct)
    {
        var tables = await db.Database.SqlQuery<int>($"SELECT COUNT(*) AS Value FROM sqlite_master WHERE type = 'table' AND name = '__EFMigrationsLock'").SingleAsync(ct);
        if (tables > 0)
        {
            await db.Database.ExecuteSqlRawAsync("DELETE FROM \"__EFMigrationsLock\";", ct);
        }
    }
}
