namespace Dashboard.Domain.Marketplaces;

/// <summary>A provider call failed. Five kinds, one per decision a caller can make. The message is the provider's own words, without secrets.</summary>
public abstract class MarketplaceException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>What was asked for is not to be had now: look elsewhere or wait.</summary>
public sealed class NoCapacityException(string message) : MarketplaceException(message);

/// <summary>Asked too often, or a quota is used up: wait.</summary>
public sealed class RateLimitedException(string message, TimeSpan? retryAfter) : MarketplaceException(message)
{
    /// <summary>How long, where the provider says.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;
}

/// <summary>The provider refuses the key: mark the connection broken and tell a person. Machines keep billing.</summary>
public sealed class CredentialRejectedException(string message, Exception? inner = null) : MarketplaceException(message, inner);

/// <summary>The provider says that this machine does not exist.</summary>
public sealed class InstanceGoneException(string message) : MarketplaceException(message);

/// <summary>No answer, an error of theirs, or an answer we cannot read: nothing is known; never read it as empty.</summary>
public sealed class ProviderUnavailableException(string message, Exception? inner = null) : MarketplaceException(message, inner)
{
    /// <summary>The provider retired what we called: this program is outdated, asking again will not help.</summary>
    public bool Deprecated { get; init; }
}
