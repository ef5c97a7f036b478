using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Dashboard.Domain;
using Dashboard.Domain.Logs;

namespace Dashboard.Web.Tests.Jobs;

/// <summary>A console whose lines the test writes. Followers get what is stored past their line, then what is written.</summary>
internal sealed class ScriptedLogFeed : ILogFeed
{
    private readonly List<LogLine> _lines = [];
    private readonly List<Channel<bool>> _followers = [];
    private Exception? _breaksNext;

    public int Count { get { lock (_lines) { return _lines.Count; } } }

    public int Following { get { lock (_lines) { return _followers.Count; } } }

    public void Write(params string[] texts)
    {
        lock (_lines)
        {
            var first = _lines.Count;
            _lines.AddRange(texts.Select((text, i) => new LogLine(first + i, Start.AddSeconds(first + i), 1, LogSource.Program, text)));
            _followers.ForEach(follower => follower.Writer.TryWrite(true));
        }
    }

    public void WriteLines(int count) { lock (_lines) { Write([.. Enumerable.Range(_lines.Count, count).Select(n => $"line {n}")]); } }

    public void WriteOurs(string text)
    {
        lock (_lines)
        {
            _lines.Add(new LogLine(_lines.Count, Start, 1, LogSource.Ours, text));
            _followers.ForEach(follower => follower.Writer.TryWrite(true));
        }
    }

    /// <summary>The follow now running fails, once.</summary>
    public void Break(Exception error)
    {
        lock (_lines)
        {
            _breaksNext = error;
            _followers.ForEach(follower => follower.Writer.TryWrite(true));
        }
    }

    public Task<int> CountAsync(JobId job, CancellationToken ct) { lock (_lines) { return Task.FromResult(_lines.Count); } }

    public Task<IReadOnlyList<LogLine>> ReadAsync(JobId job, int start, int count, CancellationToken ct)
    {
        lock (_lines)
        {
            return Task.FromResult<IReadOnlyList<LogLine>>([.. _lines.Skip(start).Take(count)]);
        }
    }

    public async IAsyncEnumerable<IReadOnlyList<LogLine>> FollowAsync(JobId job, int fromLine, [EnumeratorCancellation] CancellationToken ct)
    {
        var wake = Channel.CreateUnbounded<bool>();
        lock (_lines) { _followers.Add(wake); }
        try
        {
            wake.Writer.TryWrite(true);
            await foreach (var _ in wake.Reader.ReadAllAsync(ct))
            {
                LogLine[] batch;
                lock (_lines)
                {
                    if (_breaksNext is { } error)
                    {
                        _breaksNext = null;
                        throw error;
                    }

                    batch = [.. _lines.Skip(fromLine)];
                }

                if (batch.Length > 0)
                {
                    fromLine += batch.Length;
                    yield return batch;
                }
            }
        }
        finally
        {
            lock (_lines) { _followers.Remove(wake); }
        }
    }

    private static readonly DateTimeOffset Start = new(2026, 11, 23, 18, 0, 0, TimeSpan.Zero);
}
