using System.Text;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace Dashboard.Infrastructure.Ssh;

/// <summary>What a command left behind.</summary>
/// <param name="ExitStatus">Zero is success by convention only; 255 where the command died of <paramref name="Signal"/>.</param>
/// <param name="Output">Standard output, raw.</param>
/// <param name="Error">The first 64 KiB of standard error, invalid UTF-8 as U+FFFD.</param>
/// <param name="Signal">Without <c>SIG</c>, e.g. <c>KILL</c>.</param>
public sealed record ExecResult(int ExitStatus, byte[] Output, string Error, string? Signal = null)
{
    /// <summary><see cref="Output"/> as text without trailing white space.</summary>
    public string Text => Encoding.UTF8.GetString(Output).TrimEnd();
}

/// <summary>
/// One authenticated SSH connection. Commands run side by side, at most five at once. A command that does not end in its time takes the
/// connection with it: a peer that fell silent cannot be told from a slow one, and SSH.NET's own view (<c>IsConnected</c>) does not notice.
/// </summary>
public sealed class SshSession : IAsyncDisposable
{
    /// <summary>Half of what sshd allows by default (MaxSessions 10): it may count a closed channel for a moment longer than we do. SSH.NET waits silently for ever for an eleventh.</summary>
    private const int ChannelsAtOnce = 5;
    private const int ErrorTextBytes = 64 * 1024;
    private const int SendBytes = 256 * 1024;
    private const int SignalStatus = 255;
    private readonly SshClient _client;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _channels = new(ChannelsAtOnce);
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal SshSession(SshClient client, SshRoute route, string hostKey, TimeProvider time)
    {
        _client = client;
        _time = time;
        Route = route;
        HostKey = hostKey;
        _client.ErrorOccurred += (_, _) => _over.TrySetResult();
    }

    public SshRoute Route { get; }

    /// <summary>The host key seen when connecting: the pin to store after the first time.</summary>
    public string HostKey { get; }

    /// <summary>False once the connection is known to have ended. True proves nothing: a frozen peer looks connected.</summary>
    public bool IsOpen => !_over.Task.IsCompleted && _client.IsConnected;

    /// <summary>Runs a command in the login shell of the machine and waits for its exit status.</summary>
    /// <param name="command">POSIX shell text. Quote what is not yours with <see cref="Shell.Quote"/>.</param>
    /// <param name="stdin">Null or empty: the command reads end of file.</param>
    /// <param name="timeout">For all of it; past it the session is closed.</param>
    /// <param name="maxOutputBytes">More standard output than this closes the session.</param>
    /// <exception cref="SshLost">Connection gone or <paramref name="timeout"/> over. The command may have run.</exception>
    /// <exception cref="SshFlood">More than <paramref name="maxOutputBytes"/> came back.</exception>
    /// <param name="silence">Without a byte moving either way for so long the session is closed; null has no such limit.</param>
    public async Task<ExecResult> ExecAsync(string command, ReadOnlyMemory<byte>? stdin, TimeSpan timeout, CancellationToken ct, int maxOutputBytes = 1024 * 1024, TimeSpan? silence = null)
    {
        using var output = new MemoryStream();
        using var input = stdin is { Length: > 0 } bytes ? new MemoryStream(bytes.ToArray(), writable: false) : null;
        var end = await RunAsync(command, input, Take, new Patience(timeout, silence), ct);
        return new ExecResult(end.ExitStatus, output.ToArray(), end.Error, end.Signal);

        void Take(ReadOnlySpan<byte> chunk)
        {
            if (output.Length + chunk.Length > maxOutputBytes)
            {
                throw new SshFlood("Output of a command", maxOutputBytes);
            }

            output.Write(chunk);
        }
    }

    /// <summary>How long a command may take.</summary>
    /// <param name="Total">From start to exit status; null has no limit.</param>
    /// <param name="Silence">Without a byte moving either way; null has no limit.</param>
    internal sealed record Patience(TimeSpan? Total, TimeSpan? Silence);

    internal sealed record Ending(int ExitStatus, string Error, string? Signal);

    /// <summary>
    /// Runs a command with its streams connected. <paramref name="take"/> gets standard output on the connection's receiving thread: it must not
    /// wait for anything but local disk, and while it works the sender is held back. What it throws ends the command and comes out here.
    /// </summary>
    /// <remarks>Cancelling ends the command's channel and leaves the session usable, except while input is being sent.</remarks>
    internal async Task<Ending> RunAsync(string command, Stream? stdin, OutputSink.Take take, Patience patience, CancellationToken ct)
    {
        await _channels.WaitAsync(ct);
        try
        {
            return await RunCoreAsync(command, stdin, take, patience, ct);
        }
        finally
        {
            _channels.Release();
        }
    }

    private async Task<Ending> RunCoreAsync(string command, Stream? stdin, OutputSink.Take take, Patience patience, CancellationToken ct)
    {
        var sinkFailed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var total = new CancellationTokenSource(patience.Total ?? Timeout.InfiniteTimeSpan, _time);
        using var silence = new CancellationTokenSource(patience.Silence ?? Timeout.InfiniteTimeSpan, _time);
        using var errors = new MemoryStream();
        await using var sink = new OutputSink(chunk => { Moved(); take(chunk); }, () => sinkFailed.TrySetResult());
        await using var errorSink = new OutputSink(chunk => { Moved(); errors.Write(chunk[..Math.Min(chunk.Length, ErrorTextBytes - (int)errors.Length)]); }, () => { });
        var running = Start(sink, errorSink, out var channel);
        try
        {
            using var impatient = CancellationTokenSource.CreateLinkedTokenSource(total.Token, silence.Token, ct);
            // SSH.NET tells a running command of the end of its connection, except when the client is being disposed just then.
            var first = await Task.WhenAny(running, sinkFailed.Task, _over.Task).WaitAsync(impatient.Token);
            if (sink.Failure is { } failure)
            {
                throw failure;
            }

            if (first == _over.Task && !running.IsCompleted)
            {
                throw new SshConnectionException("the session was closed");
            }

            await running;
            return channel!.ExitStatus is { } status ? new Ending(status, ErrorText(), null)
                : channel.ExitSignal is { } signal ? new Ending(SignalStatus, ErrorText(), signal)
                : throw new SshConnectionException("a command ended without an exit status");
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            if (stdin is not null)
            {
                CutOff(); // the sending thread reads the caller's stream: it must be through with it before we return
            }

            throw;
        }
        catch (OperationCanceledException error)
        {
            CutOff();
            throw new SshLost(total.IsCancellationRequested ? $"no end within {patience.Total!.Value.TotalSeconds:0.#} s" : $"nothing moved for {patience.Silence!.Value.TotalSeconds:0.#} s", error);
        }
        catch (Exception error) when (error is SshException or System.Net.Sockets.SocketException or ObjectDisposedException or InvalidOperationException)
        {
            CutOff();
            throw new SshLost(error.Message, error);
        }
        catch (SshFlood)
        {
            CutOff();
            throw;
        }
        finally
        {
            await CloseAsync(running, channel, wait: stdin is not null);
        }

        void Moved()
        {
            if (patience.Silence is { } limit)
            {
                silence.CancelAfter(limit);
            }
        }

        string ErrorText() => Encoding.UTF8.GetString(errors.GetBuffer(), 0, (int)errors.Length);

        Task Start(OutputSink output, OutputSink error, out SshCommand? made)
        {
            made = null;
            if (_over.Task.IsCompleted)
            {
                return Task.FromException(new SshConnectionException("the session is closed"));
            }

            SshCommand? created = null;
            try
            {
                // Without input the command must see end of file at once: SSH.NET sends none on a channel nothing was written to.
                created = _client.CreateCommand(stdin is null ? "exec </dev/null; " + command : command);
                SshNetInternals.SendOutputTo(created, output, error);
            }
            catch (Exception failed) when (failed is SshException or ObjectDisposedException)
            {
                created?.Dispose();
                return Task.FromException(failed);
            }

            made = created;
            // Opening a channel and sending input block; neither may hold a pool thread while a peer is frozen.
            return Task.Factory.StartNew(() => Launch(created, stdin, Moved), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
        }
    }

    private static Task Launch(SshCommand command, Stream? stdin, Action moved)
    {
        var running = command.ExecuteAsync();
        if (stdin is null)
        {
            return running;
        }

        try
        {
            using var input = command.CreateInputStream();
            var buffer = new byte[SendBytes];
            int read;
            while (!running.IsCompleted && (read = stdin.Read(buffer)) > 0)
            {
                input.Write(buffer, 0, read);
                moved();
            }
        }
        catch (InvalidOperationException) when (running.IsCompleted)
        {
            // It ended before it had read all of its input, which its exit status explains better.
        }

        return running;
    }

    private static async Task CloseAsync(Task running, SshCommand? channel, bool wait)
    {
        if (!running.IsCompleted)
        {
            // Closing waits up to a second for the peer's goodbye.
            await Task.Factory.StartNew(() => { channel?.Dispose(); }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            var ended = running.ContinueWith(task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            if (wait)
            {
                await ended;
            }
        }
        else
        {
            _ = running.Exception;
            channel?.Dispose();
        }
    }

    /// <summary>Ends the connection at once, from any thread, whatever is going on in it.</summary>
    internal void CutOff()
    {
        _over.TrySetResult();
        SshNetInternals.Cut(_client);
    }

    public async ValueTask DisposeAsync()
    {
        CutOff();
        await Task.Factory.StartNew(_client.Dispose, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }
}
