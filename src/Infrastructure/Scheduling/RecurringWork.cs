using Dashboard.Infrastructure.Alerts;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Notifications;
using Hangfire;

namespace Dashboard.Infrastructure.Scheduling;

/// <summary>What Hangfire's clock drives. All of it may be lost and run late: the rows say what is due.</summary>
public static class RecurringWork
{
    public static void Register(IRecurringJobManager recurring)
    {
        recurring.AddOrUpdate<ReconcileInstances>("reconcile-instances", job => job.Run(), Cron.Minutely);
        recurring.AddOrUpdate<RefreshBalances>("refresh-balances", job => job.RunAsync(CancellationToken.None), Cron.Minutely);
        recurring.AddOrUpdate<PollPrices>("poll-prices", job => job.RunAsync(CancellationToken.None), Cron.Minutely);
        recurring.AddOrUpdate<PrunePrices>("prune-prices", job => job.RunAsync(CancellationToken.None), Cron.Hourly(7));
        recurring.AddOrUpdate<ReconcileBills>("reconcile-bills", job => job.RunAsync(CancellationToken.None), Cron.Minutely);
        recurring.AddOrUpdate<DispatchOutbox>("dispatch-outbox", job => job.RunAsync(CancellationToken.None), Cron.Minutely);
        recurring.AddOrUpdate<DispatchDeliveries>("dispatch-deliveries", job => job.RunAsync(CancellationToken.None), Cron.Minutely);
        recurring.AddOrUpdate<PruneDeliveries>("prune-deliveries", job => job.RunAsync(CancellationToken.None), Cron.Hourly(23));
        recurring.AddOrUpdate<EvaluateAlerts>("evaluate-alerts", job => job.RunAsync(CancellationToken.None), Cron.Minutely);
        recurring.AddOrUpdate<FindTrouble>("find-trouble", job => job.RunAsync(CancellationToken.None), Cron.Minutely);
    }
}

/// <summary>Hangfire's nudge to the reconciler, should its own clock ever stand still.</summary>
[AutomaticRetry(Attempts = 0)]
public sealed class ReconcileInstances(LifecycleSignal signal)
{
    public void Run() => signal.Wake();
}
