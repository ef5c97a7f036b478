using Dashboard.Domain;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Secrets;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.SandboxHost;

/// <summary>Gives every team its connection to the embedded marketplace, unless it was removed.</summary>
internal sealed partial class SandboxConnections(
    AppDatabase database, SandboxStatus sandbox, ICredentialVault vault, IMarketplaces marketplaces, ChangeFeed changes, TimeProvider time, ILogger<SandboxConnections> log)
{
    /// <summary>For every team: those made while the marketplace was still starting, and those whose key is that of an account it has forgotten.</summary>
    public async Task ConnectAllAsync(CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        foreach (var team in await db.Teams.AsNoTracking().Select(t => t.Id).ToListAsync(ct))
        {
            await ConnectAsync(team, ct);
        }
    }

    /// <summary>Does nothing while the marketplace does not run: it comes back to this when it does.</summary>
    public async Task ConnectAsync(TeamId team, CancellationToken ct)
    {
        if (sandbox.Account is not var (market, key))
        {
            return;
        }

        await using var db = await database.ForSystemAsync(ct);
        var mine = (await db.Connections.Where(c => c.TeamId == team).ToListAsync(ct)).Find(c => c.Market == market);
        if (mine is { Status: ConnectionStatus.Removed } || (mine is not null && Holds(mine, key)))
        {
            return;
        }

        try
        {
            var account = await marketplaces.For(market, key).GetAccountAsync(ct);
            var now = time.GetUtcNow();
            if (mine is null)
            {
                mine = NewConnection(team, market, key, account, now);
                db.Connections.Add(mine);
            }
            else
            {
                (mine.ProtectedKey, mine.KeyEnding) = (vault.Protect(team, mine.Id, key), key.Reveal()[^4..]);
                (mine.AccountId, mine.AccountName, mine.Status, mine.StatusMessage) = (account.AccountId, account.Name, ConnectionStatus.Works, null);
            }

            (mine.Credit, mine.CheckedAt) = (account.Credit, now);
            await db.SaveChangesAsync(ct);
            changes.Publish(team);
        }
        catch (MarketplaceException fault)
        {
            NotConnected(fault.Message);
        }
    }

    private Connection NewConnection(TeamId team, Market market, Secret key, ProviderAccount account, DateTimeOffset now)
    {
        var id = new ConnectionId(Guid.CreateVersion7(now));
        return new Connection
        {
            Id = id,
            TeamId = team,
            Market = market,
            Name = market.Name,
            ProtectedKey = vault.Protect(team, id, key),
            KeyEnding = key.Reveal()[^4..],
            AccountId = account.AccountId,
            AccountName = account.Name,
            Status = ConnectionStatus.Works,
            CreatedAt = now,
        };
    }

    private bool Holds(Connection connection, Secret key)
    {
        try
        {
            return vault.Reveal(connection).Reveal() == key.Reveal();
        }
        catch (CredentialRejectedException)
        {
            return false;
        }
    }

    [LoggerMessage(EventId = 3201, Level = LogLevel.Warning, Message = "The sandbox marketplace could not be connected: {Reason}")]
    private partial void NotConnected(string reason);
}
