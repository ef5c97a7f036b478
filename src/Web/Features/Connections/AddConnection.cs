using Dashboard.Domain;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Secrets;

namespace Dashboard.Web.Features.Connections;

/// <summary>What a person enters for a new connection.</summary>
/// <param name="Name">What the team calls it; null takes the provider's name.</param>
/// <param name="Key">Never shown again.</param>
/// <param name="BaseUrl">Null: the provider itself. Else the embedded sandbox.</param>
public sealed record NewConnection(Provider Provider, string? Name, Secret Key, string? BaseUrl = null)
{
    /// <summary>Search and price its market, rent nothing.</summary>
    public bool PricesOnly { get; init; }
}

/// <summary>The answer to a change of a connection. Closed: every caller answers each case.</summary>
public abstract record ConnectionResult
{
    private ConnectionResult() { }

    /// <param name="Message">What the provider said of the key, a sentence for people.</param>
    public sealed record Saved(ConnectionId Id, string Message) : ConnectionResult
    {
        /// <summary>What the key was seen to be allowed; null where it was not tried.</summary>
        public KeyProbe? Rights { get; init; }
    }

    /// <param name="Field">Name of the field the message belongs to: <c>Provider, Name, Key, BaseUrl</c>.</param>
    public sealed record Refused(string Field, string Message) : ConnectionResult;

    /// <summary>The provider could not be asked, so nothing was saved.</summary>
    public sealed record NotTested(string Message) : ConnectionResult;

    /// <summary>It must not happen now, for the reason given.</summary>
    public sealed record InUse(string Message) : ConnectionResult;

    public sealed record NotFound : ConnectionResult;
}

/// <summary>A person connects an account. The key is tried before anything is saved.</summary>
public sealed class AddConnection(AppDatabase database, IMarketplaces marketplaces, ConnectableMarkets markets, ICredentialVault vault, ChangeFeed changes, TimeProvider time)
{
    public async Task<ConnectionResult> RunAsync(TeamContext team, NewConnection wanted, CancellationToken ct)
    {
        team.Require(Permission.ManageConnections);
        if (markets.Find(wanted.Provider, wanted.BaseUrl) is not { } market)
        {
            return wanted.BaseUrl is null
                ? new ConnectionResult.Refused("Provider", $"{wanted.Provider} cannot be connected yet.")
                : new ConnectionResult.Refused("BaseUrl", "Leave the address out for the provider itself, or give that of this dashboard's own sandbox.");
        }

        if (KeyProblem(wanted.Key) is { } problem)
        {
            return problem;
        }

        if (wanted.Name is { Length: > 60 })
        {
            return new ConnectionResult.Refused("Name", "Use at most 60 characters.");
        }

        ProviderAccount account;
        KeyProbe rights;
        try
        {
            var marketplace = marketplaces.For(market, wanted.Key);
            account = await marketplace.GetAccountAsync(ct);
            rights = await marketplace.ProbeRightsAsync(ct);
        }
        catch (MarketplaceException fault)
        {
            return KeyTest.Failed(market, fault);
        }

        var now = time.GetUtcNow();
        var id = new ConnectionId(Guid.CreateVersion7(now));
        await using var db = await database.ForTeamAsync(team, ct);
        db.Connections.Add(new Connection
        {
            Id = id,
            TeamId = team.TeamId,
            Market = market,
            Name = string.IsNullOrWhiteSpace(wanted.Name) ? market.Name : wanted.Name.Trim(),
            ProtectedKey = vault.Protect(team.TeamId, id, wanted.Key),
            KeyEnding = KeyTest.EndingOf(wanted.Key),
            AccountId = account.AccountId,
            AccountName = account.Name,
            Status = ConnectionStatus.Works,
            Credit = account.Credit,
            Granted = rights.Granted,
            Refused = rights.Refused,
            PricesOnly = wanted.PricesOnly,
            CheckedAt = now,
            CreatedAt = now,
        });
        await db.SaveChangesAsync(ct);
        changes.Publish(team.TeamId);
        return new ConnectionResult.Saved(id, KeyTest.Worked(account)) { Rights = rights };
    }

    internal static ConnectionResult.Refused? KeyProblem(Secret key) => key.Reveal() switch
    {
        { Length: < 8 } => new("Key", "Paste the whole key; this one is too short."),
        { Length: > 1000 } => new("Key", "This is longer than any key. Paste the key alone."),
        var text when text.Any(c => c is <= ' ' or > '~') => new("Key", "A key has no spaces or line breaks. Paste the key alone."),
        _ => null,
    };
}
