using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Providers.VastAi;
using Dashboard.Infrastructure.Secrets;

namespace Dashboard.Infrastructure.Providers;

/// <summary>Picks the adapter by provider. Cheap to ask: connections and limiters are shared by all adapters of one key.</summary>
internal sealed class Marketplaces(ICredentialVault vault, VastAiClients vastAi) : IMarketplaces
{
    public IMarketplace For(Connection connection) => For(connection.Market, vault.Reveal(connection));

    public IMarketplace For(Market market, Secret key) => market.Provider switch
    {
        Provider.VastAi => new VastAiMarketplace(vastAi, market, key),
        Provider.RunPod or Provider.Lambda => throw new NotSupportedException($"{market.Name} cannot be connected yet."),
    };
}
