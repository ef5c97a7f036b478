using System.Net.Sockets;
using System.Text;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace Dashboard.Infrastructure.Ssh;

/// <summary>Opens SSH sessions to rented machines, a bounded number at once, without holding pool threads. Safe to call concurrently.</summary>
public sealed class SshConnector(SshOptions options, TimeProvider time) : IDisposable
{
    private const string User = "root";
    private readonly SemaphoreSlim _opening = new(options.OpeningAtOnce);

    /// <summary>Connects as <c>root</c> with public key authentication and nothing else.</summary>
    /// <param name="pin">The host key to demand, <c>SHA256:...</c>; null trusts the key seen, which the caller then stores from <see cref="SshSession.HostKey"/>.</param>
    /// <exception cref="SshRefused">Nobody answered as an SSH server within <see cref="SshOptions.Silence"/>.</exception>
    /// <exception cref="SshDenied">The key was not accepted.</exception>
    /// <exception cref="HostKeyChanged">The host key is not <paramref name="pin"/>; authentication was not begun.</exception>
    public async Task<SshSession> OpenAsync(SshRoute route, SshPrivateKey key, string? pin, CancellationToken ct)
    {
        await _opening.WaitAsync(ct);
        var attempt = new Attempt(route, key, pin, options);
        // Connect blocks and computes, so it gets a thread of its own; it also owns the place in the queue, which an impatient caller must not free early.
        var connecting = Task.Factory.StartNew(() => Connect(attempt), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            var seen = await connecting.WaitAsync(options.Silence, time, ct);
            return new SshSession(attempt.Client, route, seen, time);
        }
        catch (Exception error)
        {
            Discard(attempt, connecting);
            throw Classify(error, attempt);
        }
    }

    private string Connect(Attempt attempt)
    {
        try
        {
            attempt.Client.Connect();
            return attempt.SeenHostKey ?? throw new SshConnectionException("The server showed no host key.");
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>An abandoned attempt ends by its own timeouts; whatever it still becomes is closed.</summary>
    private static void Discard(Attempt attempt, Task connecting) =>
        connecting.ContinueWith(ended =>
        {
            _ = ended.Exception; // observed: its story was told by whoever stopped waiting
            SshNetInternals.Cut(attempt.Client);
            attempt.Client.Dispose();
        }, CancellationToken.None, TaskContinuationOptions.LongRunning, TaskScheduler.Default);

    private static Exception Classify(Exception error, Attempt attempt) => error switch
    {
        _ when attempt.Refused is { } seen => new HostKeyChanged(attempt.Route, attempt.Pin!, seen),
        TimeoutException => new SshRefused(attempt.Route, "no answer in time", error),
        SshAuthenticationException => new SshDenied(attempt.Route, error),
        SocketException socket => new SshRefused(attempt.Route, socket.SocketErrorCode.ToString(), error),
        SshException or IOException or ObjectDisposedException => new SshRefused(attempt.Route, error.Message, error),
        _ => error,
    };

    public void Dispose() => _opening.Dispose();

    private sealed class Attempt
    {
        public Attempt(SshRoute route, SshPrivateKey key, string? pin, SshOptions options)
        {
            Route = route;
            Pin = pin;
            using var pem = new MemoryStream(Encoding.ASCII.GetBytes(key.Reveal()));
#pragma warning disable CA2000 // owned by the connection info, and so by the client
            var connection = new ConnectionInfo(route.Host, route.Port, User, new PrivateKeyAuthenticationMethod(User, new PrivateKeyFile(pem)))
#pragma warning restore CA2000
            {
                Timeout = options.Connect,
                ChannelCloseTimeout = TimeSpan.FromSeconds(1),
            };
            SshAlgorithms.Apply(connection);
            Client = new SshClient(connection) { KeepAliveInterval = options.KeepAlive };
            // Without this handler SSH.NET trusts every host. It is asked again at each key re-exchange.
            Client.HostKeyReceived += (_, host) =>
            {
                var seen = HostKeyPins.Of(host.HostKey);
                host.CanTrust = HostKeyPins.Accepts(Pin ?? SeenHostKey, seen);
                if (host.CanTrust)
                {
                    SeenHostKey = seen;
                }
                else
                {
                    Refused = seen;
                }
            };
        }

        public SshRoute Route { get; }

        public string? Pin { get; }

        public SshClient Client { get; }

        public string? SeenHostKey { get; private set; }

        public string? Refused { get; private set; }
    }
}
