using Dashboard.Domain.Teams;

namespace Dashboard.Domain.Marketplaces;

/// <summary>The words for a provider's faults: what happened, what it cost, what to do.</summary>
public static class MarketplaceMessages
{
    public static string ForSearch(MarketplaceException fault, Connection connection) => $"{What(fault, connection)} Nothing was rented, it cost $0.00.";

    /// <summary>What happened and what to do, without the cost: the caller knows that.</summary>
    public static string What(MarketplaceException fault, Connection connection)
    {
        var name = connection.Market.Name;
        return fault switch
        {
            CredentialRejectedException => $"{name} refuses the key ending {connection.KeyEnding}. Replace the key under Connections.",
            RateLimitedException { RetryAfter: { } wait } => $"{name} asked us to slow down for {Math.Ceiling(wait.TotalSeconds):0} s; we ask again then.",
            RateLimitedException => $"{name} asked us to slow down; we ask again in a moment.",
            ProviderUnavailableException { Deprecated: true } => $"{name} retired what this dashboard calls. Update the dashboard: {fault.Message}",
            ProviderUnavailableException => $"{name} does not answer as expected. We ask again in a moment.",
            InstanceGoneException => $"{name} says that this machine does not exist any more.",
            NoCapacityException => $"{name} has no machine like that right now.",
            _ => $"{name}: {fault.Message}",
        };
    }
}
