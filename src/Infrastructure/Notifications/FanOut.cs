using Dashboard.Domain.Inbox;
using Dashboard.Domain.Notifications;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Notifications;

/// <summary>Who is told of a message: the dashboard's own news, and one delivery for each channel that asked for it. In the transaction that marks the message as sent.</summary>
internal static class FanOut
{
    public static async Task AddAsync(AppDbContext db, OutboxMessage message, Announcement said, CancellationToken ct)
    {
        if (!said.InInbox)
        {
            // One notice a message: an index refuses a second one.
            db.Notices.Add(new Notice { TeamId = message.TeamId, MessageId = message.Id, Kind = message.Kind, Tone = said.Tone, Title = said.Title, Detail = said.Detail, Link = said.Link, Needs = said.Needs, At = message.At });
        }

        var channels = await db.Channels.AsNoTracking().Where(c => c.TeamId == message.TeamId && c.PausedAt == null).ToListAsync(ct);
        foreach (var channel in channels.Where(c => (c.Topics & said.Topic) != 0))
        {
            if (await ToldAsync(db, channel, said, ct) is { } detail)
            {
                db.Deliveries.Add(new Delivery
                {
                    TeamId = message.TeamId, ChannelId = channel.Id, MessageId = message.Id, Key = message.DedupKey, Kind = message.Kind,
                    Tone = said.Tone, Title = said.Title, Detail = detail, Link = said.Link, Urgent = said.Urgent, At = message.At,
                });
            }
        }
    }

    /// <summary>What the channel's readers are told: the team's are those whom its admins gave the address to. Null: nothing.</summary>
    private static async Task<string?> ToldAsync(AppDbContext db, NotificationChannel channel, Announcement said, CancellationToken ct)
    {
        if (channel.OwnerId is not { } owner)
        {
            return said.Detail.Full;
        }

        var team = channel.TeamId;
        var role = await db.Memberships.Where(m => m.TeamId == team && m.UserId == owner).Select(m => (Role?)m.Role).SingleOrDefaultAsync(ct);
        return role is { } has && RolePermissions.Allows(has, said.Needs) && DeliveryRules.MayTell(owner, said.About) ? said.Detail.To(RolePermissions.Allows(has, Permission.SeeMoney)) : null;
    }
}
