using System.Data.Common;
using System.Runtime.CompilerServices;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Simulation.Guards;
using Dashboard.Simulation.Harness;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Dashboard.Simulation.Crashes;

/// <summary>What one commit of the product changes.</summary>
internal sealed record Commit(string Kind, bool OwnTransaction, IReadOnlyList<Instance> Instances, IReadOnlyList<Job> Jobs, IReadOnlyList<JobEvent> Events);

/// <summary>Stands at every commit of a server: crashes happen before and after, and what was committed is told to the invariants.</summary>
internal sealed class CommitWatch(World world, Server server) : SaveChangesInterceptor, IDbTransactionInterceptor
{
    private readonly ConditionalWeakTable<DbContext, Commit> _pending = [];

    public override async ValueTask<InterceptionResult<int>> SavingChangesAsync(DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        var db = eventData.Context!;
        Mutants.BeforeSaving(world.Schedule.Mutant, db);
        var commit = Read(db);
        _pending.AddOrUpdate(db, commit);
        if (!commit.OwnTransaction)
        {
            await world.Crashes.PassAsync(server, $"before commit: {commit.Kind}");
        }

        return result;
    }

    public override async ValueTask<int> SavedChangesAsync(SaveChangesCompletedEventData eventData, int result, CancellationToken cancellationToken = default)
    {
        if (_pending.TryGetValue(eventData.Context!, out var commit) && !commit.OwnTransaction)
        {
            await DoneAsync(commit);
        }

        return result;
    }

    public async ValueTask<InterceptionResult> TransactionCommittingAsync(DbTransaction transaction, TransactionEventData eventData, InterceptionResult result, CancellationToken cancellationToken = default)
    {
        if (Of(eventData.Context) is { } commit)
        {
            await world.Crashes.PassAsync(server, $"before commit: {commit.Kind}");
        }

        return result;
    }

    public async Task TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        if (Of(eventData.Context) is { } commit)
        {
            await DoneAsync(commit);
        }
    }

    private Commit? Of(DbContext? db) => db is not null && _pending.TryGetValue(db, out var commit) && commit.OwnTransaction ? commit : null;

    private Task DoneAsync(Commit commit)
    {
        world.Watch.Committed(server, commit);
        return world.Crashes.PassAsync(server, $"after commit: {commit.Kind}");
    }

    private static Commit Read(DbContext db)
    {
        var changed = db.ChangeTracker.Entries().Where(entry => entry.State is EntityState.Added or EntityState.Modified).ToList();
        string? kind = null;
        var ledger = false;
        List<Instance> instances = [];
        List<Job> jobs = [];
        List<JobEvent> events = [];
        foreach (var entry in changed)
        {
            switch (entry.Entity)
            {
                case Instance instance:
                    instances.Add(instance);
                    if (entry.State == EntityState.Added || entry.Property(nameof(Instance.Status)).IsModified)
                    {
                        kind = $"instance {instance.Status}";
                    }

                    break;
                case Job job:
                    jobs.Add(job);
                    break;
                case JobEvent said:
                    events.Add(said);
                    break;
                case LedgerEntry:
                    ledger = true;
                    break;
                default:
                    break;
            }
        }

        kind ??= ledger ? "ledger"
            : instances.Count > 0 ? "instance noted"
            : jobs.Count > 0 ? $"job {jobs[0].Status}"
            : changed.Exists(entry => entry.Entity is Connection) ? "account noted"
            : "other";
        return new Commit(kind, db.Database.CurrentTransaction is not null, instances, jobs, events);
    }
}

/// <summary>Stands at the statements that take and hand back leases.</summary>
internal sealed class CommandWatch(World world, Server server) : DbCommandInterceptor
{
    public override async ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        if (ClaimOf(command) is { } claim)
        {
            await world.Crashes.PassAsync(server, $"before claim of {claim}");
        }
        else if (command.CommandText.Contains("\"LeaseUntil\" =", StringComparison.Ordinal) && command.CommandText.Contains("\"Fence\" =", StringComparison.Ordinal))
        {
            await world.Crashes.PassAsync(server, "before a lease is handed back");
        }

        return result;
    }

    public override async ValueTask<int> NonQueryExecutedAsync(DbCommand command, CommandExecutedEventData eventData, int result, CancellationToken cancellationToken = default)
    {
        if (ClaimOf(command) is { } claim)
        {
            await world.Crashes.PassAsync(server, $"after claim of {claim}");
        }

        return result;
    }

    private static string? ClaimOf(DbCommand command) =>
        !command.CommandText.Contains("\"LeaseOwner\" =", StringComparison.Ordinal) || !command.CommandText.Contains("\"Fence\" =", StringComparison.Ordinal) ? null
        : command.CommandText.Contains("\"Jobs\"", StringComparison.Ordinal) ? "a job" : "an instance";
}
