using Dashboard.Infrastructure.Live;
using Hangfire;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dashboard.Infrastructure.Notifications;

/// <summary>Runs the dispatcher whenever something was committed. A wake that is lost is made good by Hangfire's tick.</summary>
internal sealed partial class OutboxService(OutboxDispatcher dispatcher, ChangeFeed changes, ILogger<OutboxService> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        try
        {
            await RunAsync(stoppingToken); // what an earlier process left
            await foreach (var _ in changes.SubscribeToAllAsync(stoppingToken))
            {
                await RunAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task RunAsync(CancellationToken ct)
    {
        try
        {
            await dispatcher.RunAsync(ct);
        }
        catch (Exception fault) when (!ct.IsCancellationRequested)
        {
            Failed(fault);
        }
    }

    [LoggerMessage(EventId = 2502, Level = LogLevel.Error, Message = "The outbox could not be read; the next tick follows")]
    private partial void Failed(Exception fault);
}

/// <summary>Hangfire's tick for what is due again.</summary>
[AutomaticRetry(Attempts = 0)]
public sealed class DispatchOutbox(OutboxDispatcher dispatcher)
{
    public Task RunAsync(CancellationToken ct) => dispatcher.RunAsync(ct);
}
