using System.Net.Sockets;
using Dashboard.Sandbox.Market;

namespace Dashboard.Sandbox.Containers;

/// <summary>A running container and its SSH ports. Calls must not overlap, except for <see cref="TakeTraffic"/>.</summary>
internal sealed class Container : IAsyncDisposable
{
    private static readonly Task<IReadOnlyList<PortForwarder>> Closed = Task.FromResult<IReadOnlyList<PortForwarder>>([]);
    private readonly InstancePorts _ports;
    private readonly TimeProvider _time;
    private CancellationTokenSource _closing = new();
    private volatile Task<IReadOnlyList<PortForwarder>> _forwarders = Closed;
    private long _upBefore;
    private long _downBefore;

    /// <param name="delay">From now until the ports open; null keeps them closed.</param>
    public Container(LivingProcess process, InstancePorts ports, TimeProvider time, TimeSpan? delay)
    {
        (Process, _ports, _time) = (process, ports, time);
        if (delay is { } wait)
        {
            _forwarders = OpenLaterAsync(wait, _closing.Token);
        }
    }

    public LivingProcess Process { get; }

    /// <summary>Bytes out of the instance and into it, since the last time this was asked.</summary>
    public (long Up, long Down) TakeTraffic()
    {
        var traffic = Opened().Select(forwarder => forwarder.TakeTraffic()).ToList();
        return (traffic.Sum(bytes => bytes.Up) + Interlocked.Exchange(ref _upBefore, 0), traffic.Sum(bytes => bytes.Down) + Interlocked.Exchange(ref _downBefore, 0));
    }

    /// <summary>Opens the ports, unless they are open or about to.</summary>
    public void Open()
    {
        if (_forwarders == Closed)
        {
            _forwarders = OpenLaterAsync(TimeSpan.Zero, _closing.Token);
        }
    }

    /// <summary>Nobody gets in, and whoever was in is out.</summary>
    public async Task CloseAsync()
    {
        var forwarders = Interlocked.Exchange(ref _forwarders!, Closed);
        await _closing.CancelAsync();
        try
        {
            foreach (var forwarder in await forwarders)
            {
                await forwarder.DisposeAsync();
                var (up, down) = forwarder.TakeTraffic();
                Interlocked.Add(ref _upBefore, up);
                Interlocked.Add(ref _downBefore, down);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException)
        {
            // The ports had never opened.
        }

        _closing.Dispose();
        _closing = new CancellationTokenSource();
    }

    public async Task CutAsync()
    {
        foreach (var forwarder in Opened())
        {
            await forwarder.CutAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        _closing.Dispose();
    }

    private IReadOnlyList<PortForwarder> Opened() => _forwarders is { IsCompletedSuccessfully: true } opened ? opened.GetAwaiter().GetResult() : [];

    private async Task<IReadOnlyList<PortForwarder>> OpenLaterAsync(TimeSpan delay, CancellationToken ct)
    {
        await Task.Delay(delay, _time, ct);
        return [PortForwarder.Open(_ports.Direct, _ports.Sshd), PortForwarder.Open(_ports.Proxy, _ports.Sshd)];
    }
}
