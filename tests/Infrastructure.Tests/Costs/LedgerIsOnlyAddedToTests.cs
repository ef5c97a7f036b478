using CsCheck;
using Dashboard.Domain.Costs;
using Dashboard.Infrastructure.Persistence;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;

namespace Dashboard.Infrastructure.Tests.Costs;

public sealed class LedgerIsOnlyAddedToTests
{
    [Theory]
    [InlineData("UPDATE Ledger SET Amount_Micros = 0")]
    [InlineData("DELETE FROM Ledger")]
    [InlineData("INSERT OR REPLACE INTO Ledger SELECT * FROM Ledger")]
    public async Task The_database_itself_refuses_to_change_an_entry(string statement)
    {
        await using var host = await BillHost.StartAsync("2026-11-10T12:00:00Z");
        await host.MachineAsync("51", "2026-11-10T08:00:00Z", "2026-11-10T08:05:00Z");
        var before = await host.TotalAsync("2026-11-01T00:00:00Z");
        await using var db = await host.Database.ForSystemAsync(default);

        var refusal = await Assert.ThrowsAsync<SqliteException>(() => db.Database.ExecuteSqlRawAsync(statement));

        Assert.Contains("Ledger is only ever added to", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(before, await host.TotalAsync("2026-11-01T00:00:00Z"));
    }

    [Fact]
    public async Task Nor_does_it_let_the_product_do_so()
    {
        await using var host = await BillHost.StartAsync("2026-11-10T12:00:00Z");
        await host.MachineAsync("51", "2026-11-10T08:00:00Z", "2026-11-10T08:05:00Z");
        await using var db = await host.Database.ForSystemAsync(default);
        var entry = await db.Ledger.FirstAsync();
        db.Entry(entry).Property(e => e.Reason).CurrentValue = "another";

        await Assert.ThrowsAsync<DbUpdateException>(() => db.SaveChangesAsync());
    }

    [Fact]
    public async Task A_table_that_is_altered_is_guarded_again()
    {
        await using var host = await BillHost.StartAsync("2026-11-10T12:00:00Z");
        await host.MachineAsync("51", "2026-11-10T08:00:00Z", "2026-11-10T08:05:00Z");
        await using var db = await host.Database.ForSystemAsync(default);
        var model = db.GetService<IDesignTimeModel>().Model;
        var alter = new AlterColumnOperation { Table = "Ledger", Name = "Reason", ClrType = typeof(string), IsNullable = true, ColumnType = "TEXT", OldColumn = new AddColumnOperation { ClrType = typeof(string), ColumnType = "INTEGER", IsNullable = true } };
        await db.Database.OpenConnectionAsync();
        foreach (var command in db.GetService<IMigrationsSqlGenerator>().Generate([alter], model))
        {
            await db.Database.ExecuteSqlRawAsync(command.CommandText);
        }

        Assert.NotEmpty(await host.LedgerAsync());
        await Assert.ThrowsAsync<SqliteException>(() => db.Database.ExecuteSqlRawAsync("DELETE FROM Ledger"));
        await Assert.ThrowsAsync<SqliteException>(() => db.Database.ExecuteSqlRawAsync("UPDATE Ledger SET Reason = ''"));
    }

    [Fact]
    public async Task Whatever_the_times_of_the_polls_the_entries_are_gapless_and_add_up_to_the_rate()
    {
        await using var host = await BillHost.StartAsync("2026-11-10T12:00:00Z");
        var machine = await host.MachineAsync("51", "2026-11-01T00:00:00Z", "2026-11-01T00:01:00Z");
        await using var db = await host.Database.ForSystemAsync(default);
        var (job, attempt) = (await db.Jobs.SingleAsync(), await db.Attempts.SingleAsync());
        Gen.Select(Gen.Long[1, 50_000_000], Gen.Int[0, 7_200_000].List[1, 60]).Sample((micros, gaps) =>
        {
            db.ChangeTracker.Clear();
            var begin = BillHost.At("2026-11-05T00:00:00Z");
            (machine.GpuRate, machine.RunningSince, machine.GpuPostedUntil, machine.GpuPostedOfRun) = (new HourlyRate(micros), begin, null, Money.Zero);
            var at = begin;
            foreach (var gap in gaps)
            {
                at += TimeSpan.FromMilliseconds(gap);
                Infrastructure.Lifecycle.MeterUsage.Gpu(new Infrastructure.Lifecycle.InstanceChange(db, new Infrastructure.Lifecycle.InstanceSnapshot(machine, job, attempt, host.Connection), at), at);
            }

            var entries = db.ChangeTracker.Entries<LedgerEntry>().Select(e => e.Entity).ToList();
            Assert.Equal(machine.GpuRate.For(at - begin), entries.Aggregate(Money.Zero, (sum, e) => sum + e.Amount));
            Assert.All(entries.Zip(entries.Skip(1)), pair => Assert.Equal(pair.First.PeriodEnd, pair.Second.PeriodStart));
        }, iter: 200, threads: 1);
    }
}
