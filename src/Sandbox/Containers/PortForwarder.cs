using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace Dashboard.Sandbox.Containers;

/// <summary>Listens on a loopback port and passes every connection on to an instance's sshd, counting the bytes that are billed as its traffic.</summary>
internal sealed class PortForwarder : IAsyncDisposable
{
    private const int BufferBytes = 256 * 1024;
    private readonly CancellationTokenSource _closing = new();
    private CancellationTokenSource _cutting = new();
    private readonly Socket _listener;
    private readonly int _target;
    private readonly Task _accepting;
    private readonly HashSet<Task> _connections = [];
    private long _towardsInstance;
    private long _fromInstance;

    private PortForwarder(Socket listener, int target)
    {
        _listener = listener;
        _target = target;
        _accepting = AcceptAsync();
    }

    public static PortForwarder Open(int port, int target) => new(Listen(port), target);

    /// <summary>Whether a loopback port can be listened on now.</summary>
    public static bool IsFree(int port)
    {
        try
        {
            Listen(port).Dispose();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Bytes since the last time this was asked.</summary>
    public (long Up, long Down) TakeTraffic() => (Interlocked.Exchange(ref _fromInstance, 0), Interlocked.Exchange(ref _towardsInstance, 0));

    /// <summary>Drops every open connection; new ones are served.</summary>
    public async Task CutAsync()
    {
        using var cut = Interlocked.Exchange(ref _cutting, new CancellationTokenSource());
        await cut.CancelAsync();
        await ConnectionsEndedAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        _listener.Dispose();
        await _accepting;
        await CutAsync();
        _cutting.Dispose();
        _closing.Dispose();
    }

    private static Socket Listen(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            socket.Listen(128);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task ConnectionsEndedAsync()
    {
        Task[] open;
        lock (_connections)
        {
            open = [.. _connections];
        }

        await Task.WhenAll(open);
    }

    private async Task AcceptAsync()
    {
        while (!_closing.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptAsync(_closing.Token);
                var connection = ServeAsync(client, _cutting.Token);
                lock (_connections)
                {
                    _connections.RemoveWhere(ended => ended.IsCompleted);
                    _connections.Add(connection);
                }
            }
            catch (OperationCanceledException) when (_closing.IsCancellationRequested)
            {
            }
            catch (ObjectDisposedException) when (_closing.IsCancellationRequested)
            {
            }
            catch (SocketException)
            {
                // One connection that broke off while being accepted; the next one is another matter.
            }
        }
    }

    private async Task ServeAsync(Socket client, CancellationToken cut)
    {
        using var near = client;
        using var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(_closing.Token, cut);
        near.NoDelay = true;
        far.NoDelay = true;
        try
        {
            await far.ConnectAsync(new IPEndPoint(IPAddress.Loopback, _target), ending.Token);
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException)
        {
            return; // no sshd behind the port (any more): the client sees its connection end
        }

        var there = PassAsync(near, far, bytes => Interlocked.Add(ref _towardsInstance, bytes), ending.Token);
        await PassAsync(far, near, bytes => Interlocked.Add(ref _fromInstance, bytes), ending.Token); // once sshd has said all, the connection is over
        await ending.CancelAsync();
        await there;
    }

    /// <summary>Returns when there is no more to pass: the sender has ended, either side is gone, or we are closing.</summary>
    private static async Task PassAsync(Socket from, Socket to, Action<long> count, CancellationToken ct)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer.AsMemory(), ct)) > 0)
            {
                count(read);
                for (var sent = 0; sent < read;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), ct);
                }
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException)
        {
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
