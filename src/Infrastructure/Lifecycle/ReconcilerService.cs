using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>Runs the reconciler from start to stop. At the start whatever is due is taken up; at the stop leases are handed back.</summary>
internal sealed partial class ReconcilerService(Reconciler reconciler, LifecycleSignal signal, TimeProvider time, ILogger<ReconcilerService> log) : BackgroundService
{
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        try
        {
            while (true)
            {
                var sleep = AfterFault;
                try
                {
                    sleep = await reconciler.TickAsync(stoppingToken);
                }
                catch (Exception fault) when (!stoppingToken.IsCancellationRequested)
                {
                    TickFailed(fault);
                }

                await signal.WaitAsync(sleep, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }

        await reconciler.DrainAsync();
    }

    [LoggerMessage(EventId = 2003, Level = LogLevel.Error, Message = "A tick of the reconciler failed; the next one follows")]
    private partial void TickFailed(Exception fault);
}
