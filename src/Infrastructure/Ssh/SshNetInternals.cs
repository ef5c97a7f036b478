using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Renci.SshNet;

namespace Dashboard.Infrastructure.Ssh;

/// <summary>
/// Two things SSH.NET 2026.0.0 keeps to itself and that we cannot do without. The version is pinned exactly and the specifications of
/// <see cref="SshSession"/> fail at once should either move.
/// </summary>
internal static class SshNetInternals
{
    /// <summary>
    /// Lets a command's output go to <paramref name="sink"/> as it arrives, on the connection's own receiving thread. The stock stream buffers
    /// without bound (the channel window is 2 GiB) and can be read only by blocking a thread per command. A sink that is slow to return slows
    /// the sender through TCP. Must be called before the command starts.
    /// </summary>
    public static void SendOutputTo(SshCommand command, Stream sink, Stream errorSink)
    {
        SetOutput(command, sink);
        SetError(command, errorSink);
    }

    /// <summary>
    /// Ends the connection from outside, whatever its threads are doing. Disposing the client is not enough with a frozen peer: it wants to say
    /// goodbye through a socket whose lock a stuck send may hold for ever.
    /// </summary>
    public static void Cut(SshClient client)
    {
        try
        {
            if (SessionOf(client) is { } session)
            {
                Socket(session)?.Shutdown(SocketShutdown.Both);
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Already down, which is what we came for.
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_OutputStream")]
    private static extern void SetOutput(SshCommand command, Stream sink);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_ExtendedOutputStream")]
    private static extern void SetError(SshCommand command, Stream sink);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Session")]
    [return: UnsafeAccessorType("Renci.SshNet.ISession, Renci.SshNet")]
    private static extern object? SessionOf(BaseClient client);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_socket")]
    private static extern ref Socket? Socket([UnsafeAccessorType("Renci.SshNet.Session, Renci.SshNet")] object session);
}
