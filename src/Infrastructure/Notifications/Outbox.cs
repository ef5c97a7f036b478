using System.Text.Json;
using Dashboard.Domain;
using Dashboard.Domain.Inbox;
using Dashboard.Infrastructure.Persistence;

namespace Dashboard.Infrastructure.Notifications;

/// <summary>Announces something in the caller's transaction. The same cause is announced once.</summary>
public static class Outbox
{
    public static void Announce(AppDbContext db, TeamId team, string kind, string cause, string payload, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(db);
        var key = $"{kind}/{cause}";
        if (!db.Outbox.Local.Any(m => m.DedupKey == key) && !db.Outbox.Any(m => m.DedupKey == key))
        {
            db.Outbox.Add(new OutboxMessage { TeamId = team, Kind = kind, DedupKey = key, Payload = payload, At = now });
        }
    }

    /// <summary>Announces an inbox item: <paramref name="item"/> is its key, <paramref name="since"/> tells it from earlier ones.</summary>
    internal static void AnnounceItem(AppDbContext db, TeamId team, string kind, string item, DateTimeOffset since, string turn, DateTimeOffset now)
    {
        var at = since.ToUnixTimeMilliseconds();
        Announce(db, team, kind, $"{item}/{at}{turn}", JsonSerializer.Serialize(new { item, since = at }), now);
    }
}
