using System.Globalization;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Web.Features.Connections;

/// <summary>The words for what a provider says of a key.</summary>
internal static class KeyTest
{
    /// <summary>For people to tell keys apart.</summary>
    public static string EndingOf(Secret key) => key.Reveal()[^4..];

    public static string Worked(ProviderAccount account) => account.Credit is { } credit
        ? string.Create(CultureInfo.InvariantCulture, $"Signed in as {account.Name} · balance ${credit.Usd:#,0.00}")
        : $"Signed in as {account.Name} · billed afterwards";

    /// <summary>Each failure has a sentence of its own, and says what to do.</summary>
    public static ConnectionResult Failed(Market market, MarketplaceException fault) => fault switch
    {
        CredentialRejectedException => new ConnectionResult.Refused("Key", $"{market.Name} refuses this key: {fault.Message.TrimEnd('.')}. Make a new one there and paste it here; nothing was saved."),
        RateLimitedException { RetryAfter: { } wait } => new ConnectionResult.NotTested($"{market.Name} asked us to slow down for {Math.Ceiling(wait.TotalSeconds):0} s. The key was not tested and nothing was saved; try again then."),
        RateLimitedException => new ConnectionResult.NotTested($"{market.Name} asked us to slow down. The key was not tested and nothing was saved; try again in a minute."),
        ProviderUnavailableException { Deprecated: true } => new ConnectionResult.NotTested($"{market.Name} retired what this dashboard calls. Update the dashboard; nothing was saved."),
        _ => new ConnectionResult.NotTested($"{market.Name} does not answer as expected. The key was not tested and nothing was saved; try again in a minute."),
    };
}
