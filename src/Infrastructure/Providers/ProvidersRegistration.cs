using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Providers.VastAi;
using Dashboard.Infrastructure.Secrets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Infrastructure.Providers;

public static class ProvidersRegistration
{
    /// <summary>All marketplaces and the vault that opens their keys. Needs Data Protection to be set up by the host.</summary>
    public static IServiceCollection AddMarketplaces(this IServiceCollection services, IConfiguration configuration) => services
        .AddSingleton<ProviderRequestLog>()
        .AddVastAi(configuration)
        .AddSingleton<ICredentialVault, CredentialVault>()
        .AddSingleton<IMarketplaces, Marketplaces>();
}
