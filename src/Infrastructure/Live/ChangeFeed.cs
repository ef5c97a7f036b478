using System.Collections.Concurrent;
using System.Threading.Channels;
using Dashboard.Domain;

namespace Dashboard.Infrastructure.Live;

/// <summary>Says that something a page shows has changed: read it again. Never carries the data itself.</summary>
/// <param name="Job">The job concerned; null: machines, money or connections of the team.</param>
public sealed record Change(TeamId Team, JobId? Job);

/// <summary>
/// Hints from background work to open pages, published after commit. A slow page gets its hints merged, never
/// delays the publisher, and renders on its own loop.
/// </summary>
public sealed class ChangeFeed
{
    private readonly ConcurrentDictionary<Guid, Subscription> _subscriptions = new();

    public void Publish(TeamId team, JobId? job = null)
    {
        foreach (var subscription in _subscriptions.Values)
        {
            if (subscription.Team is null || subscription.Team == team)
            {
                subscription.Changes.Writer.TryWrite(new Change(team, job));
            }
        }
    }

    /// <summary>The team's hints from now on, until cancelled. At most 64 wait; older ones are dropped, because a newer hint says the same.</summary>
    public IAsyncEnumerable<Change> SubscribeAsync(TeamId team, CancellationToken ct) => HearAsync(team, ct);

    /// <summary>The same of every team, for background work.</summary>
    internal IAsyncEnumerable<Change> SubscribeToAllAsync(CancellationToken ct) => HearAsync(null, ct);

    private async IAsyncEnumerable<Change> HearAsync(TeamId? team, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        var id = Guid.NewGuid();
        var subscription = new Subscription(team, Channel.CreateBounded<Change>(new BoundedChannelOptions(64) { FullMode = BoundedChannelFullMode.DropOldest }));
        _subscriptions[id] = subscription;
        try
        {
            await foreach (var change in subscription.Changes.Reader.ReadAllAsync(ct))
            {
                yield return change;
            }
        }
        finally
        {
            _subscriptions.TryRemove(id, out _);
        }
    }

    private sealed record Subscription(TeamId? Team, Channel<Change> Changes);
}
