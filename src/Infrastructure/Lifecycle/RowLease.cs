using Dashboard.Domain;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>Names this process in the rows it works on.</summary>
public sealed record Node(string Name);

/// <summary>
/// The right to act on one row, claimed in one guarded statement and renewed while the work lasts. Who may act is
/// decided here alone: never by the row's status, never by a lock of the queue. A crash strands nothing, the lease runs out.
/// </summary>
internal sealed class RowLease : IAsyncDisposable
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(10);

    private readonly Func<DateTimeOffset?, CancellationToken, Task<bool>> _extend;
    private readonly CancellationTokenSource _lost;
    private readonly PeriodicTimer _heartbeat;
    private readonly Task _renewing;

    private RowLease(long fence, Func<DateTimeOffset?, CancellationToken, Task<bool>> extend, TimeProvider time, CancellationToken ct)
    {
        (Fence, _extend) = (fence, extend);
        _lost = CancellationTokenSource.CreateLinkedTokenSource(ct);
        _heartbeat = new PeriodicTimer(Heartbeat, time);
        _renewing = RenewAsync(time);
    }

    /// <summary>Outcomes are applied only while the row still has it.</summary>
    public long Fence { get; }

    /// <summary>Cancelled when the lease is lost or the server stops.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Null: somebody else holds it, or held it since we read.</summary>
    public static async Task<RowLease?> ClaimAsync(AppDatabase database, InstanceId id, long fence, Node node, TimeProvider time, CancellationToken ct)
    {
        var (now, mine) = (time.GetUtcNow(), fence + 1);
        await using var db = await database.ForSystemAsync(ct);
        var claimed = await db.Instances.Where(i => i.Id == id && i.Fence == fence && (i.LeaseUntil == null || i.LeaseUntil < now))
            .ExecuteUpdateAsync(set => set.SetProperty(i => i.LeaseOwner, node.Name).SetProperty(i => i.LeaseUntil, now + Length).SetProperty(i => i.Fence, mine), ct);
        return claimed == 0 ? null : new RowLease(mine, ExtendAsync, time, ct);

        async Task<bool> ExtendAsync(DateTimeOffset? until, CancellationToken token)
        {
            await using var inner = await database.ForSystemAsync(token);
            return await inner.Instances.Where(i => i.Id == id && i.Fence == mine).ExecuteUpdateAsync(set => set.SetProperty(i => i.LeaseUntil, until), token) > 0;
        }
    }

    /// <summary>Null: somebody else holds it, or held it since we read.</summary>
    public static async Task<RowLease?> ClaimAsync(AppDatabase database, JobId id, long fence, Node node, TimeProvider time, CancellationToken ct)
    {
        var (now, mine) = (time.GetUtcNow(), fence + 1);
        await using var db = await database.ForSystemAsync(ct);
        var claimed = await db.Jobs.Where(j => j.Id == id && j.Fence == fence && (j.LeaseUntil == null || j.LeaseUntil < now))
            .ExecuteUpdateAsync(set => set.SetProperty(j => j.LeaseOwner, node.Name).SetProperty(j => j.LeaseUntil, now + Length).SetProperty(j => j.Fence, mine), ct);
        return claimed == 0 ? null : new RowLease(mine, ExtendAsync, time, ct);

        async Task<bool> ExtendAsync(DateTimeOffset? until, CancellationToken token)
        {
            await using var inner = await database.ForSystemAsync(token);
            return await inner.Jobs.Where(j => j.Id == id && j.Fence == mine).ExecuteUpdateAsync(set => set.SetProperty(j => j.LeaseUntil, until), token) > 0;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _lost.Cancel();
        _heartbeat.Dispose(); // ends the renewing
        await _renewing;
        await _extend(null, CancellationToken.None); // handed back, also at shutdown: the next holder need not wait
        _lost.Dispose();
    }

    private async Task RenewAsync(TimeProvider time)
    {
        try
        {
            while (await _heartbeat.WaitForNextTickAsync(CancellationToken.None))
            {
                if (!await _extend(time.GetUtcNow() + Length, _lost.Token))
                {
                    _lost.Cancel();
                }
            }
        }
        catch (OperationCanceledException) when (_lost.IsCancellationRequested)
        {
        }
        catch (Exception)
        {
            _lost.Cancel(); // cannot renew: whoever claims it next must not meet us still acting
        }
    }
}
