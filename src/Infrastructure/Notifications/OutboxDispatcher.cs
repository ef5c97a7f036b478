using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace Dashboard.Infrastructure.Notifications;

/// <summary>
/// Delivers what the outbox holds, oldest first: to the dashboard's own news, and as one delivery for each channel that asked
/// for it. A message is claimed by lease before it is delivered and marked in the transaction that delivers it, so a crash anywhere loses none and repeats none. What fails is tried again, later each
/// time, and in the end laid aside for a person.
/// </summary>
public sealed partial class OutboxDispatcher(AppDatabase database, ChangeFeed changes, TimeProvider time, ILogger<OutboxDispatcher> log)
{
    /// <summary>Failures before a message is laid aside: about an hour and a half.</summary>
    public const int MostTries = 10;

    private const int AtOnce = 100;

    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(10);

    /// <summary>Everything that is due now.</summary>
    /// <returns>How many were delivered.</returns>
    public async Task<int> RunAsync(CancellationToken ct)
    {
        var delivered = 0;
        while (true)
        {
            var now = time.GetUtcNow();
            List<long> due;
            await using (var db = await database.ForSystemAsync(ct))
            {
                due = await db.Outbox.AsNoTracking()
                    .Where(m => m.SentAt == null && m.DeadAt == null && (m.NextTryAt == null || m.NextTryAt <= now) && (m.LeaseUntil == null || m.LeaseUntil < now))
                    .OrderBy(m => m.Id).Take(AtOnce).Select(m => m.Id).ToListAsync(ct);
            }

            foreach (var id in due)
            {
                delivered += await DeliverAsync(id, now, ct) ? 1 : 0;
            }

            if (due.Count < AtOnce)
            {
                return delivered;
            }
        }
    }

    private async Task<bool> DeliverAsync(long id, DateTimeOffset now, CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        var claimed = await db.Outbox.Where(m => m.Id == id && m.SentAt == null && m.DeadAt == null && (m.LeaseUntil == null || m.LeaseUntil < now))
            .ExecuteUpdateAsync(set => set.SetProperty(m => m.LeaseUntil, now + Lease).SetProperty(m => m.Tries, m => m.Tries + 1), ct);
        if (claimed == 0)
        {
            return false; // somebody else has it
        }

        var message = await db.Outbox.AsNoTracking().SingleAsync(m => m.Id == id, ct);
        try
        {
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            if (await Announcements.WriteAsync(db, message, ct) is { } said)
            {
                await FanOut.AddAsync(db, message, said, ct);
                await db.SaveChangesAsync(ct);
            }

            var marked = await db.Outbox.Where(m => m.Id == id && m.SentAt == null && m.Tries == message.Tries)
                .ExecuteUpdateAsync(set => set.SetProperty(m => m.SentAt, time.GetUtcNow()).SetProperty(m => m.LeaseUntil, (DateTimeOffset?)null).SetProperty(m => m.Problem, (string?)null), ct);
            if (marked == 0)
            {
                return false; // the lease had run out, and somebody else delivers it
            }

            await transaction.CommitAsync(CancellationToken.None); // all is written: giving up now would only lose it
            changes.Publish(message.TeamId);
            return true;
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            NotDelivered(id, message.Kind, message.Tries, fault);
            await LaterAsync(id, message.Tries, fault.Message, ct);
            return false;
        }
    }

    private async Task LaterAsync(long id, int tries, string problem, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var dead = tries >= MostTries;
        var again = now + (FirstRetry * Math.Pow(2, Math.Min(tries - 1, 9)));
        await using var db = await database.ForSystemAsync(ct);
        await db.Outbox.Where(m => m.Id == id && m.SentAt == null && m.Tries == tries).ExecuteUpdateAsync(set => set
            .SetProperty(m => m.LeaseUntil, (DateTimeOffset?)null)
            .SetProperty(m => m.Problem, problem)
            .SetProperty(m => m.NextTryAt, again)
            .SetProperty(m => m.DeadAt, dead ? now : (DateTimeOffset?)null), ct);
    }

    [LoggerMessage(EventId = 2501, Level = LogLevel.Warning, Message = "Message {MessageId} ({Kind}) was not delivered, try {Try}")]
    private partial void NotDelivered(long messageId, string kind, int @try, Exception fault);
}
