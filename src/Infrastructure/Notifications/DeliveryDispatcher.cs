using Dashboard.Domain;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Notifications;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Secrets;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace Dashboard.Infrastructure.Notifications;

/// <summary>
/// Sends what waits for mail servers and web hooks, in order on each channel, channels beside each other. A delivery is claimed by
/// lease before it is sent and marked afterwards: what ends the process in between makes it arrive twice under one key, never not at
/// all. What fails is tried later each time, and in the end laid aside for a person. A copy in quarantine sends nothing.
/// </summary>
public sealed partial class DeliveryDispatcher(
    AppDatabase database, ChannelSender sender, ICredentialVault vault, RentBan ban, ChangeFeed changes, SiteAddress site, TimeProvider time, ILogger<DeliveryDispatcher> log)
{
    private const int AtOnce = 200;
    private const int ChannelsAtOnce = 8;

    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(2); // a send gives up long before

    private enum Outcome
    {
        Sent,
        Failed,

        /// <summary>Somebody else has it, or it is put off.</summary>
        Left,
    }

    /// <summary>Everything that is due now.</summary>
    /// <returns>How many were taken by their receivers.</returns>
    public async Task<int> RunAsync(CancellationToken ct)
    {
        var sent = 0;
        while (ban.Quarantine is null)
        {
            var now = time.GetUtcNow();
            List<(long Id, ChannelId Channel)> due;
            await using (var db = await database.ForSystemAsync(ct))
            {
                due = [.. (await db.Deliveries.AsNoTracking()
                    .Where(d => d.SentAt == null && d.DeadAt == null && (d.NextTryAt == null || d.NextTryAt <= now) && (d.LeaseUntil == null || d.LeaseUntil < now))
                    .OrderBy(d => d.Id).Take(AtOnce).Select(d => new { d.Id, d.ChannelId }).ToListAsync(ct)).Select(d => (d.Id, d.ChannelId))];
            }

            var before = sent;
            await Parallel.ForEachAsync(
                due.GroupBy(d => d.Channel),
                new ParallelOptions { MaxDegreeOfParallelism = ChannelsAtOnce, CancellationToken = ct },
                async (channel, token) => Interlocked.Add(ref sent, await SendAllAsync([.. channel.Select(d => d.Id)], token)));
            if (due.Count < AtOnce || sent == before)
            {
                return sent;
            }
        }

        return sent;
    }

    private async Task<int> SendAllAsync(List<long> ids, CancellationToken ct)
    {
        var sent = 0;
        foreach (var id in ids)
        {
            switch (await SendAsync(id, ct))
            {
                case Outcome.Sent:
                    sent++;
                    break;
                case Outcome.Failed:
                    return sent; // the rest was put off with it
                case Outcome.Left:
                    break;
            }
        }

        return sent;
    }

    private async Task<Outcome> SendAsync(long id, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await using var db = await database.ForSystemAsync(ct);
        var delivery = await db.Deliveries.AsNoTracking().SingleOrDefaultAsync(d => d.Id == id, ct);
        var channel = delivery is null ? null : await db.Channels.AsNoTracking().SingleOrDefaultAsync(c => c.Id == delivery.ChannelId, ct);
        if (delivery is null || channel is null || ban.Quarantine is not null)
        {
            return Outcome.Left; // removed meanwhile, or no copy may send
        }

        if (!delivery.Urgent && channel.Quiet?.EndsAt(now) is { } until)
        {
            await db.Deliveries.Where(d => d.Id == id && d.SentAt == null && (d.LeaseUntil == null || d.LeaseUntil < now)).ExecuteUpdateAsync(set => set.SetProperty(d => d.NextTryAt, until), ct);
            return Outcome.Left;
        }

        var claimed = await db.Deliveries.Where(d => d.Id == id && d.SentAt == null && d.DeadAt == null && d.Tries == delivery.Tries && (d.LeaseUntil == null || d.LeaseUntil < now))
            .ExecuteUpdateAsync(set => set.SetProperty(d => d.LeaseUntil, now + Lease).SetProperty(d => d.Tries, d => d.Tries + 1), ct);
        if (claimed == 0)
        {
            return Outcome.Left;
        }

        var result = await TrySendAsync(db, channel, delivery, ct);
        var outcome = result is SendResult.Failed failed
            ? await FailedAsync(db, channel, delivery, delivery.Tries + 1, failed)
            : await SentAsync(db, channel, delivery, delivery.Tries + 1, result.Answer);
        changes.Publish(delivery.TeamId);
        return outcome;
    }

    private async Task<SendResult> TrySendAsync(AppDbContext db, NotificationChannel channel, Delivery delivery, CancellationToken ct)
    {
        var team = await db.Teams.AsNoTracking().SingleAsync(t => t.Id == delivery.TeamId, ct);
        if (channel.OwnerId is { } owner && !await db.Memberships.AnyAsync(m => m.TeamId == channel.TeamId && m.UserId == owner, ct))
        {
            return new SendResult.Failed("Its owner has left the team.", Final: true);
        }

        try
        {
            var address = vault.Reveal(channel.TeamId, channel.Id, ChannelSecrets.Address, channel.ProtectedAddress);
            var signing = channel.ProtectedSecret is { } secret ? vault.Reveal(channel.TeamId, channel.Id, ChannelSecrets.Signing, secret) : null;
            var message = new OutgoingMessage(
                delivery.Key, delivery.Kind, team.Name, delivery.Tone, delivery.Title, delivery.Detail,
                delivery.Link is { } link ? site.To($"/t/{team.Slug}{link}") : null, site.To($"/t/{team.Slug}/settings/notifications"), delivery.Urgent, delivery.At);
            return await sender.SendAsync(channel.Kind, address, signing, message, ct);
        }
        catch (CredentialRejectedException)
        {
            return new SendResult.Failed("Its stored address cannot be decrypted. Enter it again.", Final: true);
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            Unexpected(delivery.Id, channel.Kind, fault.GetType().Name); // its text may hold the address
            return new SendResult.Failed("It could not be sent, for a reason that this program does not know.", Final: false);
        }
    }

    // It is out: being told to stop must not make it unsaid.
    private async Task<Outcome> SentAsync(AppDbContext db, NotificationChannel channel, Delivery delivery, int tries, string answer)
    {
        var now = time.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(CancellationToken.None);
        await db.Deliveries.Where(d => d.Id == delivery.Id && d.SentAt == null && d.Tries == tries).ExecuteUpdateAsync(
            set => set.SetProperty(d => d.SentAt, now).SetProperty(d => d.LeaseUntil, (DateTimeOffset?)null).SetProperty(d => d.Answer, answer), CancellationToken.None);
        await db.Channels.Where(c => c.Id == channel.Id).ExecuteUpdateAsync(set => set.SetProperty(c => c.WorkedAt, now).SetProperty(c => c.Problem, (string?)null), CancellationToken.None);
        InboxWriter.Resolve(db, channel.TeamId, InboxKey(channel.Id), now);
        await db.SaveChangesAsync(CancellationToken.None);
        await transaction.CommitAsync(CancellationToken.None);
        return Outcome.Sent;
    }

    private async Task<Outcome> FailedAsync(AppDbContext db, NotificationChannel channel, Delivery delivery, int tries, SendResult.Failed failed)
    {
        var now = time.GetUtcNow();
        var dead = failed.Final || tries >= DeliveryRules.MostTries;
        var again = now + DeliveryRules.Wait(tries, failed.RetryAfter);
        await using var transaction = await db.Database.BeginTransactionAsync(CancellationToken.None);
        await db.Deliveries.Where(d => d.Id == delivery.Id && d.SentAt == null && d.Tries == tries).ExecuteUpdateAsync(
            set => set.SetProperty(d => d.LeaseUntil, (DateTimeOffset?)null).SetProperty(d => d.Answer, failed.Answer).SetProperty(d => d.NextTryAt, again).SetProperty(d => d.DeadAt, dead ? now : null), CancellationToken.None);

        // What stands behind it waits for it, so that a channel that does not answer holds up no other one.
        await db.Deliveries.Where(d => d.ChannelId == channel.Id && d.SentAt == null && d.DeadAt == null && d.LeaseUntil == null && (d.NextTryAt == null || d.NextTryAt <= now))
            .ExecuteUpdateAsync(set => set.SetProperty(d => d.NextTryAt, again), CancellationToken.None);
        await db.Channels.Where(c => c.Id == channel.Id).ExecuteUpdateAsync(set => set.SetProperty(c => c.Problem, failed.Answer), CancellationToken.None);
        if (dead && channel.OwnerId is null)
        {
            InboxWriter.Open(
                db, channel.TeamId, InboxKinds.ChannelFails, InboxKey(channel.Id), $"{channel.Name} did not take a message",
                $"“{delivery.Title}” was given up after {(tries == 1 ? "one try" : $"{tries} tries")}. {failed.Answer} It can be sent again once the channel works.", "/settings/notifications", "See messages", now);
        }

        await db.SaveChangesAsync(CancellationToken.None);
        await transaction.CommitAsync(CancellationToken.None);
        NotTaken(delivery.Id, channel.Kind, tries, dead);
        return Outcome.Failed;
    }

    private static string InboxKey(ChannelId id) => $"channel/{id}";

    [LoggerMessage(EventId = 2511, Level = LogLevel.Warning, Message = "Delivery {DeliveryId} was not taken by its {ChannelKind} channel, try {Try}; laid aside: {Dead}")]
    private partial void NotTaken(long deliveryId, ChannelKind channelKind, int @try, bool dead);

    [LoggerMessage(EventId = 2512, Level = LogLevel.Error, Message = "Delivery {DeliveryId} to a {ChannelKind} channel failed with {Fault}")]
    private partial void Unexpected(long deliveryId, ChannelKind channelKind, string fault);
}

/// <summary>The parts of a channel that the vault keeps.</summary>
public static class ChannelSecrets
{
    public const string Address = "address";
    public const string Signing = "signing";
}
