using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>Marks a connection whose key the provider refuses.</summary>
public interface IConnectionHealth
{
    /// <summary>Machines keep billing and cannot be stopped until a key works again: says so in the inbox.</summary>
    Task BreakAsync(Connection connection, string message, CancellationToken ct);
}

internal sealed class ConnectionHealth(AppDatabase database, ChangeFeed changes, TimeProvider time) : IConnectionHealth
{
    public async Task BreakAsync(Connection connection, string message, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await using var db = await database.ForSystemAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var row = await db.Connections.SingleAsync(c => c.Id == connection.Id, ct);
        if (row.Status is ConnectionStatus.Works or ConnectionStatus.Broken)
        {
            (row.Status, row.StatusMessage, row.CheckedAt) = (ConnectionStatus.Broken, message, now);
            var instances = await db.Instances.AsNoTracking().Where(i => i.ConnectionId == row.Id).ToListAsync(ct);
            var rate = instances.Aggregate(HourlyRate.Zero, (sum, i) => sum + i.BurnRate);
            var count = instances.Count(i => InstanceRules.MayBill(i.Status));
            var detail = count == 0
                ? "Nothing is rented with it. Replace the key to rent again."
                : $"{count} {(count == 1 ? "machine keeps" : "machines keep")} billing {rate.Words()} and we cannot stop them without a key.";
            InboxWriter.Open(db, row.TeamId, "key-refused", $"key/{row.Id}", $"{row.Market.Name} refuses the key ending {row.KeyEnding}", detail, "/connections", "Replace key", now);
        }

        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None); // all is written: giving up now would only lose it
        changes.Publish(row.TeamId);
    }
}
