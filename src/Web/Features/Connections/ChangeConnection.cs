using Dashboard.Domain;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Secrets;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Connections;

/// <summary>Asks the provider whether the stored key still works, and what is left to spend.</summary>
public sealed class TestConnection(AppDatabase database, IMarketplaces marketplaces, IConnectionHealth health, ChangeFeed changes, TimeProvider time)
{
    public async Task<ConnectionResult> RunAsync(TeamContext team, ConnectionId id, CancellationToken ct)
    {
        team.Require(Permission.ManageConnections);
        await using var db = await database.ForTeamAsync(team, ct);
        if (await db.FindConnectionAsync(team, id, ct) is not { } connection)
        {
            return new ConnectionResult.NotFound();
        }

        ConnectionResult result;
        try
        {
            var marketplace = marketplaces.For(connection);
            var account = await marketplace.GetAccountAsync(ct);
            var rights = await marketplace.ProbeRightsAsync(ct);
            (connection.Granted, connection.Refused) = (rights.Granted, rights.Refused);
            (connection.Credit, connection.CheckedAt, connection.StatusMessage) = (account.Credit, time.GetUtcNow(), null);
            result = new ConnectionResult.Saved(id, KeyTest.Worked(account)) { Rights = rights };
        }
        catch (CredentialRejectedException fault)
        {
            (connection.Status, connection.StatusMessage, connection.CheckedAt) = (ConnectionStatus.Broken, fault.Message, time.GetUtcNow());
            result = new ConnectionResult.Refused("Key", MarketplaceMessages.What(fault, connection));
        }
        catch (MarketplaceException fault)
        {
            return new ConnectionResult.NotTested(MarketplaceMessages.What(fault, connection)); // says nothing about the key
        }

        await db.SaveChangesAsync(ct);
        if (result is ConnectionResult.Saved)
        {
            await health.MendAsync(connection, ct);
        }

        changes.Publish(team.TeamId);
        return result;
    }
}

/// <summary>Puts another key of the same account in place. Machines stay as they are.</summary>
public sealed class ReplaceKey(AppDatabase database, IMarketplaces marketplaces, ICredentialVault vault, IConnectionHealth health, TimeProvider time)
{
    public async Task<ConnectionResult> RunAsync(TeamContext team, ConnectionId id, Secret key, CancellationToken ct)
    {
        team.Require(Permission.ManageConnections);
        await using var db = await database.ForTeamAsync(team, ct);
        if (await db.FindConnectionAsync(team, id, ct) is not { } connection)
        {
            return new ConnectionResult.NotFound();
        }

        if (AddConnection.KeyProblem(key) is { } problem)
        {
            return problem;
        }

        ProviderAccount account;
        KeyProbe rights;
        try
        {
            var marketplace = marketplaces.For(connection.Market, key);
            account = await marketplace.GetAccountAsync(ct);
            rights = await marketplace.ProbeRightsAsync(ct);
        }
        catch (MarketplaceException fault)
        {
            return KeyTest.Failed(connection.Market, fault);
        }

        if (account.AccountId != connection.AccountId)
        {
            return new ConnectionResult.Refused("Key", $"This key belongs to {account.Name}, the old one to {connection.AccountName}. With it the machines of {connection.AccountName} could not be reached any more; add it as a connection of its own.");
        }

        (connection.ProtectedKey, connection.KeyEnding) = (vault.Protect(team.TeamId, id, key), KeyTest.EndingOf(key));
        (connection.Granted, connection.Refused) = (rights.Granted, rights.Refused);
        (connection.Credit, connection.CheckedAt, connection.StatusMessage) = (account.Credit, time.GetUtcNow(), null);
        await db.SaveChangesAsync(ct);
        await health.MendAsync(connection, ct);
        return new ConnectionResult.Saved(id, KeyTest.Worked(account)) { Rights = rights };
    }
}

/// <summary>Whether machines may be rented with it, or its market is only looked at. What runs goes on.</summary>
public sealed class ChooseUse(AppDatabase database, ChangeFeed changes)
{
    public async Task<ConnectionResult> RunAsync(TeamContext team, ConnectionId id, bool pricesOnly, CancellationToken ct)
    {
        team.Require(Permission.ManageConnections);
        await using var db = await database.ForTeamAsync(team, ct);
        if (await db.FindConnectionAsync(team, id, ct) is not { } connection)
        {
            return new ConnectionResult.NotFound();
        }

        connection.PricesOnly = pricesOnly;
        await db.SaveChangesAsync(ct);
        changes.Publish(team.TeamId);
        return new ConnectionResult.Saved(id, pricesOnly ? $"{connection.Name} is for prices only now; what runs goes on." : $"{connection.Name} may rent.");
    }
}

/// <summary>A paused connection rents nothing new; what runs goes on.</summary>
public sealed class PauseConnection(AppDatabase database, ChangeFeed changes)
{
    public async Task<ConnectionResult> RunAsync(TeamContext team, ConnectionId id, bool paused, CancellationToken ct)
    {
        team.Require(Permission.ManageConnections);
        await using var db = await database.ForTeamAsync(team, ct);
        if (await db.FindConnectionAsync(team, id, ct) is not { } connection)
        {
            return new ConnectionResult.NotFound();
        }

        if (connection.Status == ConnectionStatus.Broken)
        {
            return new ConnectionResult.InUse($"{connection.Market.Name} refuses its key, so it rents nothing. Replace the key.");
        }

        connection.Status = paused ? ConnectionStatus.Paused : ConnectionStatus.Works;
        await db.SaveChangesAsync(ct);
        changes.Publish(team.TeamId);
        return new ConnectionResult.Saved(id, paused ? $"{connection.Name} rents nothing new; what runs goes on." : $"{connection.Name} rents again.");
    }
}

/// <summary>Forgets the key. Refused while a machine bills: without a key nobody could end it.</summary>
public sealed class RemoveConnection(AppDatabase database, ChangeFeed changes)
{
    public async Task<ConnectionResult> RunAsync(TeamContext team, ConnectionId id, CancellationToken ct)
    {
        team.Require(Permission.ManageConnections);
        await using var db = await database.ForTeamAsync(team, ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct); // no rent may begin in between
        if (await db.FindConnectionAsync(team, id, ct) is not { } connection)
        {
            return new ConnectionResult.NotFound();
        }

        var living = await db.Instances.AsNoTracking()
            .Where(i => i.TeamId == team.TeamId && i.ConnectionId == id && i.Status != InstanceStatus.Rejected && i.Status != InstanceStatus.Gone)
            .Select(i => new { i.ContractId, i.GpuName }).ToListAsync(ct);
        if (living.Count > 0)
        {
            var names = string.Join(", ", living.Select(i => $"{i.GpuName} {i.ContractId ?? "(being rented)"}"));
            return new ConnectionResult.InUse($"{(living.Count == 1 ? "A machine" : $"{living.Count} machines")} of it may bill: {names}. Stop the jobs first; without the key nobody could end them.");
        }

        (connection.Status, connection.ProtectedKey, connection.StatusMessage) = (ConnectionStatus.Removed, "", null);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None); // all is written: giving up now would only lose it
        changes.Publish(team.TeamId);
        return new ConnectionResult.Saved(id, $"{connection.Name} is removed and its key deleted. What it cost stays in the ledger.");
    }
}

internal static class ConnectionRows
{
    /// <summary>A connection of this team that was not removed.</summary>
    public static Task<Connection?> FindConnectionAsync(this AppDbContext db, TeamContext team, ConnectionId id, CancellationToken ct) =>
        db.Connections.SingleOrDefaultAsync(c => c.TeamId == team.TeamId && c.Id == id && c.Status != ConnectionStatus.Removed, ct);
}
