using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Providers.VastAi;
using Dashboard.Web.SandboxHost;
using Microsoft.Extensions.Options;

namespace Dashboard.Web.Features.Connections;

/// <summary>Which markets a key may be sent to: the providers at their configured addresses and our own sandbox. Never an address that somebody types in.</summary>
public sealed class ConnectableMarkets(IOptions<VastAiOptions> vastAi, SandboxStatus sandbox)
{
    /// <summary>Providers that can be connected now.</summary>
    public IReadOnlyList<Provider> Providers { get; } = [Provider.VastAi];

    /// <returns>Null when there is no such market.</returns>
    public Market? Find(Provider provider, string? baseUrl)
    {
        if (!Providers.Contains(provider))
        {
            return null;
        }

        var real = new Market(provider, vastAi.Value.BaseUrl.TrimEnd('/'), Simulated: false);
        return baseUrl?.TrimEnd('/') is not { } asked || asked == real.BaseUrl ? real
            : sandbox.Account?.Market is { } simulated && (asked == simulated.BaseUrl || asked == simulated.BaseUrl.Replace("127.0.0.1", "localhost", StringComparison.Ordinal)) ? simulated
            : null;
    }
}
