using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Persistence;

/// <summary>
/// Brings the database to this program's version. Only for the one process that holds the data directory's lock:
/// what another process would have to be asked about is simply ours here.
/// </summary>
public sealed class DatabaseStart(AppDatabase database)
{
    public async Task RunAsync(CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        await ClearStaleMigrationLockAsync(db, ct);
        await db.Database.MigrateAsync(ct);
        await db.Database.ExecuteSqlRawAsync("PRAGMA journal_mode=WAL;", ct);

        await VoidLeasesAsync(ct);
    }

    /// <summary>Whoever held a lease is gone: nothing has to wait until it runs out.</summary>
    internal async Task VoidLeasesAsync(CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        await db.Set<Job>().Where(j => j.LeaseOwner != null)
            .ExecuteUpdateAsync(set => set.SetProperty(j => j.LeaseOwner, (string?)null).SetProperty(j => j.LeaseUntil, (DateTimeOffset?)null), ct);
        await db.Set<Instance>().Where(i => i.LeaseOwner != null)
            .ExecuteUpdateAsync(set => set.SetProperty(i => i.LeaseOwner, (string?)null).SetProperty(i => i.LeaseUntil, (DateTimeOffset?)null), ct);
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
