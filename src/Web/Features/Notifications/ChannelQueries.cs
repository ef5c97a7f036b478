using Dashboard.Domain;
using Dashboard.Domain.Notifications;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Notifications;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Notifications;

/// <param name="Shown">What may be shown of the address.</param>
/// <param name="Mine">The reader's own; else the team's.</param>
/// <param name="Problem">What it said when it last did not take a message; null: it did.</param>
/// <param name="Waiting">Messages on their way, put off by quiet hours included.</param>
public sealed record ChannelView(ChannelId Id, bool Mine, ChannelKind Kind, string Name, string Shown, Topics Topics, QuietHours? Quiet, bool Paused, DateTimeOffset? WorkedAt, string? Problem, int Waiting);

/// <param name="Answer">What came back last.</param>
/// <param name="NextTryAt">Null: at once, or never again.</param>
public sealed record DeliveryView(long Id, string Channel, string Tone, string Title, string? Link, DateTimeOffset At, int Tries, DateTimeOffset? SentAt, DateTimeOffset? DeadAt, DateTimeOffset? NextTryAt, string? Answer);

/// <param name="LaidAside">Given up; the oldest first.</param>
/// <param name="Latest">The last that were sent or are on their way, newest first.</param>
/// <param name="MailIsSet">The site has a mail server.</param>
public sealed record NotificationsView(IReadOnlyList<ChannelView> Team, IReadOnlyList<ChannelView> Mine, IReadOnlyList<DeliveryView> LaidAside, IReadOnlyList<DeliveryView> Latest, bool MailIsSet);

/// <summary>Where messages go, and how they fared. A person sees the team's channels and their own; messages of the team's only who may manage them.</summary>
public sealed class ChannelQueries(AppDatabase database, ChannelSender sender)
{
    private const int MostLaidAside = 100;
    private const int Latest = 20;

    public async Task<NotificationsView> ListAsync(TeamContext team, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var me = team.UserId;
        var channels = await db.Channels.AsNoTracking().Where(c => c.OwnerId == null || c.OwnerId == me).OrderBy(c => c.CreatedAt).ToListAsync(ct);
        var waiting = await db.Deliveries.Where(d => d.SentAt == null && d.DeadAt == null).GroupBy(d => d.ChannelId).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, ct);
        var views = channels.ConvertAll(c => new ChannelView(c.Id, c.OwnerId is not null, c.Kind, c.Name, c.Shown, c.Topics, c.Quiet, c.PausedAt is not null, c.WorkedAt, c.Problem, waiting.GetValueOrDefault(c.Id)));

        var readable = channels.Where(c => c.OwnerId is not null || team.May(Permission.ManageChannels)).ToDictionary(c => c.Id, c => c.Name);
        var ids = readable.Keys.ToList();
        var dead = await db.Deliveries.AsNoTracking().Where(d => ids.Contains(d.ChannelId) && d.DeadAt != null).OrderBy(d => d.Id).Take(MostLaidAside).ToListAsync(ct);
        var latest = await db.Deliveries.AsNoTracking().Where(d => ids.Contains(d.ChannelId) && d.DeadAt == null).OrderByDescending(d => d.Id).Take(Latest).ToListAsync(ct);
        DeliveryView View(Delivery d) => new(d.Id, readable[d.ChannelId], d.Tone, d.Title, d.Link, d.At, d.Tries, d.SentAt, d.DeadAt, d.NextTryAt, d.Answer);
        return new NotificationsView([.. views.Where(v => !v.Mine)], [.. views.Where(v => v.Mine)], dead.ConvertAll(View), latest.ConvertAll(View), sender.MailIsSet);
    }
}
