using System.ComponentModel.DataAnnotations;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Hangfire;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Notifications;

/// <summary>Sends whenever something was committed. A wake that is lost, and what is due again, is made good by Hangfire's tick.</summary>
internal sealed partial class DeliveryService(DeliveryDispatcher dispatcher, ChangeFeed changes, ILogger<DeliveryService> log) : BackgroundService
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

    [LoggerMessage(EventId = 2513, Level = LogLevel.Error, Message = "The deliveries could not be read; the next tick follows")]
    private partial void Failed(Exception fault);
}

/// <summary>Hangfire's tick for what is due again.</summary>
[AutomaticRetry(Attempts = 0)]
public sealed class DispatchDeliveries(DeliveryDispatcher dispatcher)
{
    public Task RunAsync(CancellationToken ct) => dispatcher.RunAsync(ct);
}

public sealed class DeliveryRetention
{
    public const string Section = "Retention:Deliveries";

    /// <summary>Days that a delivery is kept after it was sent. Default 30.</summary>
    [Range(1, 3_650)] public int Sent { get; init; } = 30;
}

/// <summary>Every hour: forgets what was sent long ago. What was laid aside stays until a person decides.</summary>
[AutomaticRetry(Attempts = 0)]
public sealed class PruneDeliveries(AppDatabase database, IOptions<DeliveryRetention> keep, TimeProvider time)
{
    public async Task RunAsync(CancellationToken ct)
    {
        var before = time.GetUtcNow() - TimeSpan.FromDays(keep.Value.Sent);
        await using var db = await database.ForSystemAsync(ct);
        await db.Deliveries.Where(d => d.SentAt < before).ExecuteDeleteAsync(ct);
    }
}
