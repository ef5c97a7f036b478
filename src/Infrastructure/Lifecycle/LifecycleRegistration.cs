using Dashboard.Infrastructure.Budgets;
using Dashboard.Infrastructure.Costs;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Notifications;
using Dashboard.Infrastructure.Scheduling;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Infrastructure.Lifecycle;

public static class LifecycleRegistration
{
    /// <summary>Everything that moves jobs and instances on. Needs persistence, the marketplaces, machines, Data Protection and Hangfire's client.</summary>
    public static IServiceCollection AddLifecycle(this IServiceCollection services)
    {
        services.AddOptions<LifecycleOptions>().BindConfiguration("Lifecycle").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<DiskOptions>().BindConfiguration("Disk").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<DeadManOptions>().BindConfiguration("DeadMan").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<BudgetOptions>().BindConfiguration("Budgets").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<InterruptionOptions>().BindConfiguration("Interruption").ValidateDataAnnotations().ValidateOnStart();

        services.AddOptions<ReconciliationOptions>().BindConfiguration("Reconciliation").ValidateDataAnnotations().ValidateOnStart();

        services.AddSingleton(new Node($"{Environment.MachineName}/{Environment.ProcessId}"));
        services.AddSingleton(Random.Shared);
        services.AddSingleton<LifecycleSignal>();
        services.AddSingleton<StepThreads>();
        services.AddSingleton<Fences>();
        services.AddSingleton<ChangeFeed>();
        services.AddSingleton<InstanceLabels>();
        services.AddSingleton<InstanceSecrets>();
        services.AddSingleton<InstanceRecords>();
        services.AddSingleton<IConnectionHealth, ConnectionHealth>();
        services.AddSingleton<CrossCheck>();
        services.AddSingleton<RunBundles>();
        services.AddSingleton<LogTails>();
        services.AddSingleton<IMachines, SshMachines>();

        services.AddSingleton<BudgetHolds>();
        services.AddSingleton<KeepFunded>();
        services.AddSingleton<ResumeJob>();
        services.AddSingleton<PriceLooks>();
        services.AddSingleton<RentInstance>();
        services.AddSingleton<BootInstance>();
        services.AddSingleton<SetUpInstance>();
        services.AddSingleton<ProviderStops>();
        services.AddSingleton<HomeCheckpoints>();
        services.AddSingleton<HostKeyAlarm>();
        services.AddSingleton<WatchRun>();
        services.AddSingleton<KeepInterrupted>();
        services.AddSingleton<ParkMachine>();
        services.AddSingleton<OutbidMachines>();
        services.AddSingleton<ResultCheck>();
        services.AddSingleton<CollectRun>();
        services.AddSingleton<DestroyInstance>();
        services.AddSingleton<AdvanceInstance>();
        services.AddSingleton<AdvanceJob>();
        services.AddSingleton<UnknownMachines>();
        services.AddSingleton<ObserveInstance>();
        services.AddSingleton<ObserveAccount>();
        services.AddSingleton<Reconciler>();
        services.AddHostedService<DiskGuard>(); // before the reconciler: the first tick may rent
        services.AddHostedService<ReconcilerService>();

        services.AddSingleton<INudgeProvisioning, NudgeProvisioning>();
        services.AddTransient<ProvisionJobs>();
        services.AddTransient<ReconcileInstances>();
        services.AddTransient<RefreshBalances>();
        services.AddSingleton<ReconcileBill>();
        services.AddTransient<ReconcileBills>();
        services.AddTransient<FindTrouble>();

        services.AddSingleton<OutboxDispatcher>();
        services.AddHostedService<OutboxService>();
        services.AddTransient<DispatchOutbox>();
        return services;
    }
}
