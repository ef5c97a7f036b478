using System.Collections.Concurrent;
using Dashboard.Domain;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Budgets;
using Dashboard.Infrastructure.Persistence;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>
/// Level-triggered: each tick takes up whatever the database says is due, whatever happened before. Steps of different
/// rows run side by side, one step a row at a time. The one place that moves instances and jobs on.
/// </summary>
internal sealed partial class Reconciler(
    AppDatabase database,
    AdvanceJob advanceJob,
    AdvanceInstance advanceInstance,
    ObserveAccount observe,
    InstanceRecords records,
    IConnectionHealth health,
    Node node,
    LifecycleSignal signal,
    StepThreads threads,
    IOptions<LifecycleOptions> options,
    IOptions<BudgetOptions> budgets,
    TimeProvider time,
    ILogger<Reconciler> log)
{
    private const int InputOutput = 10; // SQLite's codes
    private const int DiskFull = 13;
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ClockSlack = TimeSpan.FromSeconds(2); // what a clock that is kept in step is corrected by
    private static readonly TimeSpan ShortStep = TimeSpan.FromMilliseconds(500); // most steps end sooner by themselves than a command on a machine can be cut off

    private readonly ConcurrentDictionary<Guid, Step> _steps = new();
    private readonly ConcurrentDictionary<ConnectionId, long> _listed = new(); // timestamps
    private (DateTimeOffset Now, long At)? _lastTick;

    /// <summary>Starts every step that is due and is not running. Returns how long nothing else is due.</summary>
    public async Task<TimeSpan> TickAsync(CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await using var db = await database.ForSystemAsync(ct);
        await SetBackAsync(db, now, ct);

        var jobs = await db.Jobs.AsNoTracking()
            .Where(j => j.NextStepAt != null && (j.LeaseUntil == null || j.LeaseUntil < now))
            .Select(j => new { j.Id, j.Fence, j.NextStepAt }).ToListAsync(ct);
        foreach (var job in jobs.Where(j => j.NextStepAt <= now))
        {
            Start(job.Id.Value, interruptible: false, token => StepJobAsync(job.Id, job.Fence, token), ct);
        }

        var instances = await db.Instances.AsNoTracking()
            .Where(i => i.NextStepAt != null)
            .Select(i => new { i.Id, i.Fence, i.NextStepAt, i.Status, i.LeaseUntil, i.ConnectionId, i.JobId }).ToListAsync(ct);
        foreach (var i in instances.Where(i => i.NextStepAt <= now && (i.LeaseUntil == null || i.LeaseUntil < now)))
        {
            var interruptible = i.Status is InstanceStatus.Booting or InstanceStatus.Ready or InstanceStatus.Running or InstanceStatus.Draining;
            Start(i.Id.Value, interruptible, token => StepInstanceAsync(i.Id, i.Fence, token), ct);
        }

        var interrupting = await InterruptCancelledAsync(db, ct);

        foreach (var account in instances.Where(i => i.Status != InstanceStatus.Intent).GroupBy(i => i.ConnectionId))
        {
            StartListing(account.Key, Interval(account.Select(i => i.Status)), ct);
        }

        foreach (var (watched, interval) in await QuietAsync(db, now, ct))
        {
            StartListing(watched, interval, ct);
        }

        var soonest = jobs.Select(j => j.NextStepAt).Concat(instances.Select(i => i.NextStepAt)).Where(at => at > now).Min();
        var sleep = soonest is { } at ? at - now : options.Value.LongestSleep;
        var listing = instances.Count == 0 ? options.Value.LongestSleep : Interval(instances.Select(i => i.Status));
        return Shorter(Shorter(Shorter(sleep, listing), options.Value.LongestSleep), interrupting);
    }

    /// <summary>Waits for the steps under way; their leases are handed back as they end.</summary>
    public Task DrainAsync() => Task.WhenAll(_steps.Values.Select(s => s.Work));

    /// <summary>
    /// How often each account is listed whether or not anything is known to live there: closely where a rent was given up whose answer had been
    /// unclear, for its machine may yet show up; now and then everywhere, for a machine that no row speaks of is found in no other way.
    /// </summary>
    private async Task<IReadOnlyList<(ConnectionId Account, TimeSpan Interval)>> QuietAsync(AppDbContext db, DateTimeOffset now, CancellationToken ct)
    {
        var since = now - options.Value.LabelWatch;
        var accounts = await db.Connections.AsNoTracking().Where(c => c.Status != ConnectionStatus.Removed)
            .Select(c => new { c.Id, Watched = db.Instances.Any(i => i.ConnectionId == c.Id && i.Status == InstanceStatus.Rejected && i.LabelMisses > 0 && i.SentAt > since) }).ToListAsync(ct);
        return [.. accounts.Select(a => (a.Id, a.Watched ? options.Value.LabelWatchInterval : options.Value.IdleInterval))];
    }

    private void StartListing(ConnectionId account, TimeSpan interval, CancellationToken ct)
    {
        if (_listed.TryGetValue(account, out var before) && time.GetElapsedTime(before) < interval)
        {
            return;
        }

        Start(account.Value, interruptible: false, async token =>
        {
            _listed[account] = time.GetTimestamp();
            await observe.RunAsync(account, token);
        }, ct);
    }

    /// <summary>When the wall clock was set back, what is due later comes nearer by as much: nothing waits for the clock to catch up while machines bill.</summary>
    private async Task SetBackAsync(AppDbContext db, DateTimeOffset now, CancellationToken ct)
    {
        var tick = (Now: now, At: time.GetTimestamp());
        var back = _lastTick is { } last ? last.Now + time.GetElapsedTime(last.At, tick.At) - now : TimeSpan.Zero;
        if (back >= ClockSlack)
        {
            ClockSetBack(back);
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            foreach (var job in await db.Jobs.Where(j => j.NextStepAt > now).Select(j => new { j.Id, At = j.NextStepAt!.Value }).ToListAsync(ct))
            {
                var sooner = job.At - back;
                await db.Jobs.Where(j => j.Id == job.Id).ExecuteUpdateAsync(set => set.SetProperty(j => j.NextStepAt, sooner), ct);
            }

            foreach (var instance in await db.Instances.Where(i => i.NextStepAt > now).Select(i => new { i.Id, At = i.NextStepAt!.Value }).ToListAsync(ct))
            {
                var sooner = instance.At - back;
                await db.Instances.Where(i => i.Id == instance.Id).ExecuteUpdateAsync(set => set.SetProperty(i => i.NextStepAt, sooner), ct);
            }

            await transaction.CommitAsync(ct);
        }

        _lastTick = tick;
    }

    private TimeSpan Interval(IEnumerable<InstanceStatus> statuses)
    {
        var o = options.Value;
        var all = statuses.ToList();
        return all.Any(s => s is InstanceStatus.Booting) ? o.BootingInterval
            : all.Any(InstanceRules.IsMoving) ? o.MovingInterval
            : o.QuietInterval;
    }

    /// <summary>A wish to stop, or money that ends, does not wait for a long upload: the step gives way, and its next one sees why. Returns when to look again.</summary>
    private async Task<TimeSpan> InterruptCancelledAsync(AppDbContext db, CancellationToken ct)
    {
        if (!_steps.Values.Any(s => s.Interruptible && !s.Interrupted))
        {
            return options.Value.LongestSleep;
        }

        var lastCall = time.GetUtcNow() + budgets.Value.LastCall;
        var wanted = await (from i in db.Instances.AsNoTracking()
                            join j in db.Jobs.AsNoTracking() on i.JobId equals j.Id
                            where (j.Cancel == CancelMode.DestroyNow && i.EndReason == null || i.HeldUntil < lastCall) && i.NextStepAt != null
                            select i.Id).ToListAsync(ct);
        var again = options.Value.LongestSleep;
        foreach (var id in wanted)
        {
            if (_steps.TryGetValue(id.Value, out var step) && step is { Interruptible: true, Interrupted: false })
            {
                if (time.GetElapsedTime(step.Began) < ShortStep)
                {
                    again = ShortStep;
                    continue;
                }

                step.Interrupt(threads);
            }
        }

        return again;
    }

    private void Start(Guid key, bool interruptible, Func<CancellationToken, Task> run, CancellationToken ct)
    {
        var step = new Step(CancellationTokenSource.CreateLinkedTokenSource(ct), interruptible, time.GetTimestamp());
        if (!_steps.TryAdd(key, step))
        {
            step.Stop.Dispose();
            return; // it still runs
        }

        step.Work = threads.Start(async () =>
        {
            try
            {
                await run(step.Stop.Token);
            }
            catch (OperationCanceledException) when (step.Stop.IsCancellationRequested)
            {
            }
            catch (Exception fault)
            {
                StepFailed(fault, key);
            }
            finally
            {
                _steps.TryRemove(key, out _);
                step.Stop.Dispose();
                signal.Wake(); // what it left due is taken up at once
            }
        });
    }

    private async Task StepJobAsync(JobId id, long fence, CancellationToken ct)
    {
        await using var lease = await RowLease.ClaimAsync(database, id, fence, node, time, ct);
        if (lease is null)
        {
            return;
        }

        try
        {
            await advanceJob.RunAsync(id, lease);
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            StepFailed(fault, id.Value);
            await using var db = await database.ForSystemAsync(ct);
            var later = time.GetUtcNow() + AfterFault;
            await db.Jobs.Where(j => j.Id == id && j.Fence == lease.Fence).ExecuteUpdateAsync(set => set.SetProperty(j => j.NextStepAt, later), ct);
        }
    }

    private async Task StepInstanceAsync(InstanceId id, long fence, CancellationToken ct)
    {
        RowLease? claimed;
        try
        {
            claimed = await RowLease.ClaimAsync(database, id, fence, node, time, ct);
        }
        catch (SqliteException full) when (full.SqliteErrorCode is DiskFull or InputOutput)
        {
            await advanceInstance.WithoutWritingAsync(id, ct);
            await Task.Delay(AfterFault, time, ct); // the row stays due, and nothing says when it was asked
            return;
        }

        await using var lease = claimed;
        if (lease is null)
        {
            return;
        }

        try
        {
            await advanceInstance.RunAsync(id, lease);
        }
        catch (CredentialRejectedException refused)
        {
            var row = await records.ReadAsync(id, ct);
            await health.BreakAsync(row.Connection, refused.Message, ct);
            await records.ApplyAsync(id, lease.Fence, change => change.Again(TimeSpan.FromMinutes(1)), ct);
        }
        catch (MarketplaceException fault)
        {
            var wait = fault is RateLimitedException { RetryAfter: { } after } ? after : AfterFault;
            ProviderFault(id.Value, fault.Message);
            await records.ApplyAsync(id, lease.Fence, change => change.Again(wait), ct);
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            StepFailed(fault, id.Value);
            await records.ApplyAsync(id, lease.Fence, change => change.Again(AfterFault), ct);
        }
    }

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private sealed class Step(CancellationTokenSource stop, bool interruptible, long began)
    {
        public long Began => began;

        public CancellationTokenSource Stop => stop;

        public bool Interruptible => interruptible;

        public bool Interrupted { get; private set; }

        public Task Work { get; set; } = Task.CompletedTask;

        public void Interrupt(StepThreads threads)
        {
            Interrupted = true;
            try
            {
                threads.Interrupt(stop);
            }
            catch (ObjectDisposedException)
            {
                // it has just ended
            }
        }
    }

    [LoggerMessage(EventId = 2001, Level = LogLevel.Error, Message = "A step of {RowId} failed and is tried again")]
    private partial void StepFailed(Exception fault, Guid rowId);

    [LoggerMessage(EventId = 2005, Level = LogLevel.Warning, Message = "The computer's clock was set back by {Back}; what was due is taken up as if it had not been")]
    private partial void ClockSetBack(TimeSpan back);

    [LoggerMessage(EventId = 2002, Level = LogLevel.Warning, Message = "Instance {InstanceId}: the provider did not do as asked: {Reason}")]
    private partial void ProviderFault(Guid instanceId, string reason);
}
