using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Hangfire;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Scheduling;

/// <summary>Every minute: asks each connection's provider for its balance, which also proves that the key still works.</summary>
[AutomaticRetry(Attempts = 0)]
public sealed class RefreshBalances(AppDatabase database, IMarketplaces marketplaces, IConnectionHealth health, ChangeFeed changes, TimeProvider time)
{
    public async Task RunAsync(CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        var connections = await db.Connections.Where(c => c.Status != ConnectionStatus.Removed).ToListAsync(ct);
        foreach (var connection in connections)
        {
            try
            {
                var account = await marketplaces.For(connection).GetAccountAsync(ct);
                var changed = connection.Credit != account.Credit;
                (connection.Credit, connection.CheckedAt) = (account.Credit, time.GetUtcNow());
                await db.SaveChangesAsync(ct);
                if (changed)
                {
                    changes.Publish(connection.TeamId);
                }
            }
            catch (CredentialRejectedException refused)
            {
                await health.BreakAsync(connection, refused.Message, ct);
            }
            catch (MarketplaceException)
            {
                // An old balance shows its age; nothing is known about a new one.
            }
        }
    }
}
