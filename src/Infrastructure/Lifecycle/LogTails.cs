using System.Collections.Concurrent;
using Dashboard.Domain;
using Dashboard.Infrastructure.Logs;
using Microsoft.Extensions.Logging;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>The one tail of each running instance, kept on the node that watches it. A hundred viewers cost one.</summary>
internal sealed partial class LogTails(LogStore store, TimeProvider time, ILogger<LogTails> log) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<InstanceId, Lazy<LogTail>> _tails = new();

    /// <summary>Begins to follow a log, or goes on; one that failed is begun again.</summary>
    public void Ensure(InstanceId instance, JobId job, int attempt, string remoteLog, OpenTailSession open)
    {
        var tail = Get();
        if (tail.Completion.IsFaulted && _tails.TryRemove(instance, out _))
        {
            TailFailed(tail.Completion.Exception, instance.Value);
            Get();
        }

        LogTail Get() => _tails.GetOrAdd(instance, _ => new Lazy<LogTail>(() => new LogTail(store, job, attempt, remoteLog, open, time))).Value;
    }

    /// <summary>Returns once <paramref name="length"/> bytes are home.</summary>
    public async Task DrainAsync(InstanceId instance, long length, CancellationToken ct)
    {
        if (_tails.TryGetValue(instance, out var tail))
        {
            await tail.Value.DrainAsync(length, ct);
        }
    }

    public async Task StopAsync(InstanceId instance)
    {
        if (_tails.TryRemove(instance, out var tail))
        {
            await tail.Value.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var instance in _tails.Keys)
        {
            await StopAsync(instance);
        }
    }

    [LoggerMessage(EventId = 2301, Level = LogLevel.Warning, Message = "The tail of instance {InstanceId} failed and is begun again")]
    private partial void TailFailed(Exception? fault, Guid instanceId);
}
