using Hangfire;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dashboard.Infrastructure.Scheduling;

/// <summary>Hangfire may forget its recurring work: whatever is missing is entered again, soon enough that nothing waits a minute longer.</summary>
public sealed partial class KeepRecurringWork(IRecurringJobManager recurring, JobStorage storage, TimeProvider time, ILogger<KeepRecurringWork> log) : BackgroundService
{
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var clock = new PeriodicTimer(Every, time);
        try
        {
            while (await clock.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    RecurringWork.Restore(recurring, storage);
                }
                catch (Exception fault) when (fault is not OperationCanceledException)
                {
                    NotRestored(fault); // its storage is away; the next look follows
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    [LoggerMessage(EventId = 2402, Level = LogLevel.Warning, Message = "Hangfire's recurring work could not be looked at")]
    private partial void NotRestored(Exception fault);
}
