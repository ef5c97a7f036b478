using Dashboard.Domain.Logs;
using Dashboard.Infrastructure.Artifacts;
using Dashboard.Infrastructure.Logs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Dashboard.Infrastructure.Ssh;

/// <summary>Registers everything that touches a rented machine, and what it brings home. Needs a <see cref="DataDirectory"/> in the container.</summary>
public static class SshRegistration
{
    public static IServiceCollection AddMachines(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(new SshOptions());
        services.AddSingleton<SshConnector>();
        services.AddSingleton<MachineConnections>();
        services.AddSingleton<BulkTransfer>();
        services.AddSingleton<ArtifactStore>();
        services.AddSingleton<MetricsStore>();
        services.AddSingleton<LogStore>();
        services.AddSingleton<ILogFeed, LogFeed>();
        return services;
    }
}
