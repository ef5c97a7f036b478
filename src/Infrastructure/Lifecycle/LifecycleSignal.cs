using System.Threading.Channels;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>Wakes the reconciler before its next tick. Losing a wake-up loses no work: every row names its next step and time.</summary>
public sealed class LifecycleSignal
{
    private readonly Channel<byte> _wakes = Channel.CreateBounded<byte>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Wake() => _wakes.Writer.TryWrite(0);

    /// <summary>Returns when woken or when <paramref name="atMost"/> has passed.</summary>
    public async Task WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var woken = _wakes.Reader.WaitToReadAsync(limit.Token).AsTask();
        var passed = Task.Delay(atMost, time, limit.Token);
        await Task.WhenAny(woken, passed);
        await limit.CancelAsync();
        _wakes.Reader.TryRead(out _);
        ct.ThrowIfCancellationRequested();
    }
}
