using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Notifications;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>Marks a connection whose key the provider refuses.</summary>
public interface IConnectionHealth
{
    /// <summary>Machines keep billing and cannot be stopped until a key works again: says so in the inbox.</summary>
    Task BreakAsync(Connection connection, string message, CancellationToken ct);

    /// <summary>A key works again: what could not be asked for is asked for now.</summary>
    Task MendAsync(Connection connection, CancellationToken ct);
}

internal sealed class ConnectionHealth(AppDatabase database, ChangeFeed changes, LifecycleSignal signal, TimeProvider time) : IConnectionHealth
{
    public async Task BreakAsync(Connection connection, string message, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await using var db = await database.ForSystemAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var row = await db.Connections.SingleAsync(c => c.Id == connection.Id, ct);
        if (row.Status is ConnectionStatus.Works or ConnectionStatus.Broken)
        {
            var first = row.Status == ConnectionStatus.Works;
            (row.Status, row.StatusMessage, row.CheckedAt) = (ConnectionStatus.Broken, message, now);
            var instances = await db.Instances.AsNoTracking().Where(i => i.ConnectionId == row.Id).ToListAsync(ct);
            var rate = instances.Aggregate(HourlyRate.Zero, (sum, i) => sum + i.BurnRate);
            var count = instances.Count(i => InstanceRules.MayBill(i.Status));
            Said detail = count == 0
                ? "Nothing is rented with it. Replace the key to rent again."
                : $"{count} {(count == 1 ? "machine keeps" : "machines keep")} billing" + Said.Money($" {rate.Words()}") + " and we cannot stop them without a key.";
            InboxWriter.Open(db, row.TeamId, InboxKinds.KeyRefused, $"key/{row.Id}", $"{row.Market.Name} refuses the key ending {row.KeyEnding}", detail, "/connections", "Replace key", now, rate, critical: count > 0);
            if (first)
            {
                Outbox.Announce(db, row.TeamId, OutboxKinds.KeyRefused, $"{row.Id}/{now.ToUnixTimeMilliseconds()}", $"{{\"connection\":\"{row.Id}\"}}", now);
            }
        }

        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None); // all is written: giving up now would only lose it
        changes.Publish(row.TeamId);
    }

    public async Task MendAsync(Connection connection, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await using var db = await database.ForSystemAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Connections.Where(c => c.Id == connection.Id && c.Status == ConnectionStatus.Broken)
            .ExecuteUpdateAsync(set => set.SetProperty(c => c.Status, ConnectionStatus.Works).SetProperty(c => c.StatusMessage, (string?)null), ct);
        await db.Instances.Where(i => i.ConnectionId == connection.Id && i.NextStepAt > now).ExecuteUpdateAsync(set => set.SetProperty(i => i.NextStepAt, now), ct);
        InboxWriter.Resolve(db, connection.TeamId, $"key/{connection.Id}", now);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None); // all is written: giving up now would only lose it
        signal.Wake();
        changes.Publish(connection.TeamId);
    }
}
