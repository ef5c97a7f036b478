using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text;
using Dashboard.Domain;
using Dashboard.Domain.Logs;

namespace Dashboard.Infrastructure.Logs;

/// <summary>
/// Every byte the programs on the machines wrote, once and in order, and our own lines between: per job a folder <c>logs/&lt;job&gt;</c> with
/// <c>attempt-&lt;n&gt;.log</c> (the remote file's exact bytes), <c>ours.log</c> and <c>index</c>, one fixed-size record a line in console order.
/// Survives a kill at any instant. One process writes; any number of callers may use it at once.
/// </summary>
public sealed class LogStore(DataDirectory data, TimeProvider time) : IDisposable
{
    private readonly ConcurrentDictionary<JobId, Lazy<JobLog>> _jobs = new();

    /// <summary>How many bytes of an attempt's log are stored: the offset to go on from.</summary>
    public Task<long> LengthAsync(JobId job, int attempt, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return Task.FromResult(Of(job).Length(attempt));
    }

    /// <summary>Stores bytes of an attempt's log that begin at <paramref name="offset"/> there. What is stored already is dropped.</summary>
    /// <exception cref="LogGap"><paramref name="offset"/> is past the end of what is stored.</exception>
    public Task AppendAsync(JobId job, int attempt, long offset, ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        Append(job, attempt, offset, bytes.Span);
        return Task.CompletedTask;
    }

    /// <summary>As <see cref="AppendAsync"/>, for the receiving thread of a connection.</summary>
    internal void Append(JobId job, int attempt, long offset, ReadOnlySpan<byte> bytes) => Of(job).Append(attempt, offset, bytes);

    /// <summary>Adds lines of our own to the console: what happens to the machine, in plain words, nothing secret.</summary>
    public Task AppendOursAsync(JobId job, int attempt, string text, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        Of(job).AppendOurs(attempt, Encoding.UTF8.GetBytes(text.TrimEnd('\n') + "\n"));
        return Task.CompletedTask;
    }

    /// <summary>The attempt has ended: a last line without line end becomes a line.</summary>
    public Task SealAsync(JobId job, int attempt, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        Of(job).Seal(attempt);
        return Task.CompletedTask;
    }

    /// <summary>Raw bytes of an attempt's log; fewer than <paramref name="max"/> at the end.</summary>
    public Task<byte[]> ReadBytesAsync(JobId job, int attempt, long offset, int max, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return Task.FromResult(Of(job).ReadBytes(attempt, offset, max));
    }

    /// <summary>Returns once at least <paramref name="length"/> bytes of the attempt's log are stored.</summary>
    public async Task WaitForLengthAsync(JobId job, int attempt, long length, CancellationToken ct)
    {
        while (true)
        {
            var changed = Of(job).Changed; // before looking, or a change between look and wait would be missed
            if (Of(job).Length(attempt) >= length)
            {
                return;
            }

            await changed.WaitAsync(ct);
        }
    }

    /// <summary>Closes the files of a job that has ended. Reading and even writing still work.</summary>
    public void Close(JobId job)
    {
        if (_jobs.TryGetValue(job, out var log))
        {
            log.Value.Dispose();
        }
    }

    public void Dispose()
    {
        foreach (var log in _jobs.Values)
        {
            log.Value.Dispose();
        }
    }

    internal JobLog Of(JobId job) =>
        _jobs.GetOrAdd(job, id => new Lazy<JobLog>(() => new JobLog(Path.Combine(data.Root, "logs", id.ToString()), time))).Value;
}

/// <summary>The stored console as a feed. Followers share the store and hold nothing: a slow one reads later, from disk.</summary>
public sealed class LogFeed(LogStore store, TimeProvider time) : ILogFeed
{
    private const int LinesABatch = 5_000;
    private const long CharsABatch = 1024 * 1024;
    private static readonly TimeSpan BetweenBatches = TimeSpan.FromMilliseconds(100);

    public Task<int> CountAsync(JobId job, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return Task.FromResult(store.Of(job).Count);
    }

    public Task<IReadOnlyList<LogLine>> ReadAsync(JobId job, int start, int count, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return Task.FromResult<IReadOnlyList<LogLine>>(store.Of(job).Read(start, count, long.MaxValue));
    }

    public async IAsyncEnumerable<IReadOnlyList<LogLine>> FollowAsync(JobId job, int fromLine, [EnumeratorCancellation] CancellationToken ct)
    {
        var log = store.Of(job);
        for (var next = fromLine; ;)
        {
            var changed = log.Changed; // before looking, or a line between look and wait would be missed
            var batch = log.Read(next, LinesABatch, CharsABatch);
            if (batch.Count == 0)
            {
                await changed.WaitAsync(ct);
                continue;
            }

            next += batch.Count;
            var sent = time.GetTimestamp();
            yield return batch;
            var rest = BetweenBatches - time.GetElapsedTime(sent);
            if (rest > TimeSpan.Zero)
            {
                await Task.Delay(rest, time, ct);
            }
        }
    }
}
