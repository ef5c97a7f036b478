using Dashboard.Domain;
using Dashboard.Infrastructure.Ssh;

namespace Dashboard.Infrastructure.Logs;

/// <summary>Opens, or opens again, the tail session of a machine. Throws what <see cref="SshConnector.OpenAsync"/> throws.</summary>
public delegate Task<SshSession> OpenTailSession(CancellationToken ct);

/// <summary>
/// Brings one attempt's log home while it is being written. Reads by byte offset, each chunk stored before the next is taken from
/// the wire, so nothing piles up in memory. After a loss it connects again and goes on at the stored length. An end of the stream proves nothing
/// about the program. It cannot tell a frozen machine from a quiet program: the owner watches the beat on the control connection and, when that
/// stops, closes the tail session, which ends the wait here.
/// </summary>
public sealed class LogTail : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);
    private readonly LogStore _store;
    private readonly JobId _job;
    private readonly int _attempt;
    private readonly string _remoteLog;
    private readonly OpenTailSession _open;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    /// <summary>Starts at once.</summary>
    /// <param name="remoteLog">Absolute path on the machine; need not exist yet.</param>
    public LogTail(LogStore store, JobId job, int attempt, string remoteLog, OpenTailSession open, TimeProvider time)
    {
        (_store, _job, _attempt, _remoteLog, _open, _time) = (store, job, attempt, remoteLog, open, time);
        _running = RunAsync();
    }

    /// <summary>
    /// Ends when stopped. Fails where trying again cannot help and the owner must decide: <see cref="HostKeyChanged"/>, <see cref="SshDenied"/>
    /// or our own disk refusing to take more.
    /// </summary>
    public Task Completion => _running;

    /// <summary>
    /// For the end of a run: returns once <paramref name="expectedLength"/> bytes (the remote file's size after the program has ended) are
    /// stored, then stops and makes a line of an unfinished last one. Fails as <see cref="Completion"/> does.
    /// </summary>
    public async Task DrainAsync(long expectedLength, CancellationToken ct)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var arrived = _store.WaitForLengthAsync(_job, _attempt, expectedLength, either.Token);
        if (await Task.WhenAny(arrived, _running) == _running && !arrived.IsCompleted)
        {
            await either.CancelAsync();
            await _running;
            throw new InvalidOperationException("The tail was stopped before all had arrived.");
        }

        await arrived;
        await StopAsync();
        await _store.SealAsync(_job, _attempt, ct);
    }

    /// <summary>Stops reading; what is stored stays.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // its failure was Completion's to tell
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        var pause = FirstPause;
        while (!_stop.IsCancellationRequested)
        {
            var before = await _store.LengthAsync(_job, _attempt, CancellationToken.None);
            try
            {
                await FollowAsync(await _open(_stop.Token), before);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error) when (error is SshLost or SshRefused)
            {
                // The machine may be back in a moment; the owner knows from the beat if it is not.
            }

            if (await _store.LengthAsync(_job, _attempt, CancellationToken.None) > before)
            {
                pause = FirstPause;
            }

            try
            {
                await Task.Delay(pause, _time, _stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    /// <summary>Reads until the connection is lost or tail ends.</summary>
    /// <remarks>
    /// No <c>head -c</c> behind it to cut the stream into windows: GNU head holds back what it reads until its buffer is full, so a quiet
    /// program's lines would not arrive; and since the sender is held back while a chunk is being stored, there is nothing to bound.
    /// </remarks>
    private async Task FollowAsync(SshSession session, long offset)
    {
        // -s: where there is no inotify, tail looks again this often. --pid: a tail whose connection has died must not wait for the next line of
        // a program that has ended.
        var command = $"exec tail -c +{offset + 1} -s 0.1 --pid=$PPID -F -- {Shell.Quote(_remoteLog)} 2>/dev/null";
        await session.RunAsync(command, null, Take, new SshSession.Patience(null, null), _stop.Token);

        void Take(ReadOnlySpan<byte> chunk)
        {
            _store.Append(_job, _attempt, offset, chunk);
            offset += chunk.Length;
        }
    }
}
