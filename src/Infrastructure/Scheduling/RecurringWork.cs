using Dashboard.Infrastructure.Alerts;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Notifications;
using Hangfire;
using Hangfire.Storage;

namespace Dashboard.Infrastructure.Scheduling;

/// <summary>What Hangfire's clock drives. All of it may be lost and run late: the rows say what is due.</summary>
public static class RecurringWork
{
    private static readonly (string Id, Action<IRecurringJobManager, string> Enter)[] Table =
    [
        ("reconcile-instances", (recurring, id) => recurring.AddOrUpdate<ReconcileInstances>(id, job => job.Run(), Cron.Minutely)),
        ("refresh-balances", (recurring, id) => recurring.AddOrUpdate<RefreshBalances>(id, job => job.RunAsync(CancellationToken.None), Cron.Minutely)),
        ("poll-prices", (recurring, id) => recurring.AddOrUpdate<PollPrices>(id, job => job.RunAsync(CancellationToken.None), Cron.Minutely)),
        ("prune-prices", (recurring, id) => recurring.AddOrUpdate<PrunePrices>(id, job => job.RunAsync(CancellationToken.None), Cron.Hourly(7))),
        ("reconcile-bills", (recurring, id) => recurring.AddOrUpdate<ReconcileBills>(id, job => job.RunAsync(CancellationToken.None), Cron.Minutely)),
        ("dispatch-outbox", (recurring, id) => recurring.AddOrUpdate<DispatchOutbox>(id, job => job.RunAsync(CancellationToken.None), Cron.Minutely)),
        ("dispatch-deliveries", (recurring, id) => recurring.AddOrUpdate<DispatchDeliveries>(id, job => job.RunAsync(CancellationToken.None), Cron.Minutely)),
        ("prune-deliveries", (recurring, id) => recurring.AddOrUpdate<PruneDeliveries>(id, job => job.RunAsync(CancellationToken.None), Cron.Hourly(23))),
        ("evaluate-alerts", (recurring, id) => recurring.AddOrUpdate<EvaluateAlerts>(id, job => job.RunAsync(CancellationToken.None), Cron.Minutely)),
        ("find-trouble", (recurring, id) => recurring.AddOrUpdate<FindTrouble>(id, job => job.RunAsync(CancellationToken.None), Cron.Minutely)),
    ];

    public static IReadOnlyList<string> Ids { get; } = [.. Table.Select(line => line.Id)];

    /// <summary>Enters all of it, as this version has it.</summary>
    public static void Register(IRecurringJobManager recurring)
    {
        foreach (var (id, enter) in Table)
        {
            enter(recurring, id);
        }
    }

    /// <summary>Enters what Hangfire has forgotten; what it knows stays as it is, its next time with it.</summary>
    public static void Restore(IRecurringJobManager recurring, JobStorage storage)
    {
        ArgumentNullException.ThrowIfNull(storage);
        using var connection = storage.GetConnection();
        var known = connection.GetRecurringJobs().Where(job => job is { Removed: false, Job: not null }).Select(job => job.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var (id, enter) in Table.Where(line => !known.Contains(line.Id)))
        {
            enter(recurring, id);
        }
    }
}

/// <summary>Hangfire's nudge to the reconciler, should its own clock ever stand still.</summary>
[AutomaticRetry(Attempts = 0)]
public sealed class ReconcileInstances(LifecycleSignal signal)
{
    public void Run() => signal.Wake();
}
