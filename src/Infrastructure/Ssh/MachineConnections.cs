using System.Collections.Concurrent;
using Dashboard.Domain;

namespace Dashboard.Infrastructure.Ssh;

/// <summary>How to reach one instance.</summary>
/// <param name="HostKeyPin">Null until a first connection has shown a key: <see cref="SshSession.HostKey"/>, to be stored by the caller.</param>
public sealed record MachineAccess(SshRoute Route, SshPrivateKey Key, string? HostKeyPin);

/// <summary>
/// The two connections of each instance: <i>control</i> for commands and transfers, <i>tail</i> for the log alone. Opened when first asked for
/// and again after a loss, shared by all callers, closed on demand. Thread-safe.
/// </summary>
public sealed class MachineConnections(SshConnector connector) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<(InstanceId Instance, Purpose Purpose), Place> _places = new();

    private enum Purpose
    {
        Control,
        Tail,
    }

    /// <summary>An open session for commands. A change of route or pin replaces the session. Throws what <see cref="SshConnector.OpenAsync"/> throws.</summary>
    public Task<SshSession> ControlAsync(InstanceId instance, MachineAccess access, CancellationToken ct) => AtAsync(instance, Purpose.Control, access, ct);

    /// <inheritdoc cref="ControlAsync"/>
    public Task<SshSession> TailAsync(InstanceId instance, MachineAccess access, CancellationToken ct) => AtAsync(instance, Purpose.Tail, access, ct);

    /// <summary>Closes both connections, if open. A later request opens them again.</summary>
    public async Task CloseAsync(InstanceId instance)
    {
        foreach (var purpose in Enum.GetValues<Purpose>())
        {
            if (_places.TryRemove((instance, purpose), out var place))
            {
                await place.CloseAsync();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var at in _places.Keys)
        {
            await CloseAsync(at.Instance);
        }
    }

    private Task<SshSession> AtAsync(InstanceId instance, Purpose purpose, MachineAccess access, CancellationToken ct) =>
        _places.GetOrAdd((instance, purpose), _ => new Place(connector)).OpenAsync(access, ct);

#pragma warning disable CA1001 // a semaphore whose wait handle nobody asks for holds nothing, and disposing it would race with late callers
    private sealed class Place(SshConnector connector)
#pragma warning restore CA1001
    {
        private readonly SemaphoreSlim _gate = new(1);
        private SshSession? _session;
        private bool _closed;

        public async Task<SshSession> OpenAsync(MachineAccess access, CancellationToken ct)
        {
            await _gate.WaitAsync(ct);
            try
            {
                if (_session is { IsOpen: true } open && open.Route == access.Route && HostKeyPins.Accepts(access.HostKeyPin, open.HostKey))
                {
                    return open;
                }

                await DropAsync();
                var opened = await connector.OpenAsync(access.Route, access.Key, access.HostKeyPin, ct);
                if (_closed)
                {
                    await opened.DisposeAsync();
                    throw new SshLost("the connections of this instance were closed");
                }

                return _session = opened;
            }
            finally
            {
                _gate.Release();
            }
        }

        public async Task CloseAsync()
        {
            _closed = true;
            await _gate.WaitAsync();
            try
            {
                await DropAsync();
            }
            finally
            {
                _gate.Release();
            }
        }

        private async Task DropAsync()
        {
            if (_session is { } session)
            {
                _session = null;
                await session.DisposeAsync();
            }
        }
    }
}
