using System.Collections.Concurrent;
using System.Security.Cryptography;
using Dashboard.Domain;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Notifications;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Notifications;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Secrets;
using Dashboard.Web.Features.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Notifications;

/// <summary>A channel as a person enters it.</summary>
/// <param name="Mine">The person's own; else the team's.</param>
/// <param name="Address">Null: the one that is stored.</param>
/// <param name="Signing">What a signed web hook is signed with; null: the one that is stored.</param>
public sealed record WantedChannel(bool Mine, ChannelKind Kind, string? Name, Secret? Address, Secret? Signing, Topics Topics, QuietHours? Quiet);

/// <summary>The answer to a change of a channel. Closed: every caller answers each case.</summary>
public abstract record ChannelResult
{
    private ChannelResult() { }

    public sealed record Saved(ChannelId Id) : ChannelResult;

    /// <param name="Came">What came back of the message that was sent.</param>
    public sealed record Tested(SendResult Came) : ChannelResult;

    public sealed record Invalid(IReadOnlyList<FieldProblem> Problems) : ChannelResult;

    public sealed record NotFound : ChannelResult;
}

/// <summary>Makes, changes, tries and removes channels, and decides about what they did not take. The team's need a permission; one's own need only a member.</summary>
public sealed class ChangeChannels(AppDatabase database, ChannelSender sender, ICredentialVault vault, SiteAddress site, ChangeFeed changes, TimeProvider time)
{
    public const int Most = 30;

    private const int LongestName = 60;
    private static readonly TimeSpan BetweenTests = TimeSpan.FromSeconds(3);

    private readonly ConcurrentDictionary<UserId, DateTimeOffset> _tested = new();

    /// <summary>A new secret for a signed web hook, shown to its maker and stored with the channel.</summary>
    public static Secret NewSecret() => new("whsec_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)));

    public async Task<ChannelResult> AddAsync(TeamContext team, WantedChannel wanted, CancellationToken ct)
    {
        Require(team, wanted.Mine);
        await using var db = await database.ForTeamAsync(team, ct);
        UserId? owner = wanted.Mine ? team.UserId : null;
        if (ProblemOf(wanted, stored: null) is { } problem)
        {
            return problem;
        }

        if (await db.Channels.CountAsync(c => c.TeamId == team.TeamId && c.OwnerId == owner, ct) >= Most)
        {
            return Invalid("Name", $"{Most} channels are the most. Remove one first.");
        }

        var now = time.GetUtcNow();
        var id = new ChannelId(Guid.CreateVersion7(now));
        db.Channels.Add(new NotificationChannel
        {
            Id = id,
            TeamId = team.TeamId,
            OwnerId = owner,
            Kind = wanted.Kind,
            Name = NameOf(wanted),
            ProtectedAddress = vault.Protect(team.TeamId, id, ChannelSecrets.Address, wanted.Address!),
            Shown = ChannelSender.Shown(wanted.Kind, wanted.Address!),
            ProtectedSecret = wanted.Signing is null ? null : vault.Protect(team.TeamId, id, ChannelSecrets.Signing, wanted.Signing),
            Topics = wanted.Topics,
            Quiet = wanted.Quiet,
            CreatedBy = team.UserId,
            CreatedAt = now,
        });
        await db.SaveChangesAsync(ct);
        changes.Publish(team.TeamId);
        return new ChannelResult.Saved(id);
    }

    /// <summary>Its kind and whose it is stay.</summary>
    public async Task<ChannelResult> ChangeAsync(TeamContext team, ChannelId id, WantedChannel wanted, CancellationToken ct)
    {
        await using var db = await database.ForTeamAsync(team, ct);
        if (await FindAsync(db, team, id, ct) is not { } channel)
        {
            return new ChannelResult.NotFound();
        }

        if (ProblemOf(wanted with { Kind = channel.Kind }, channel) is { } problem)
        {
            return problem;
        }

        (channel.Name, channel.Topics, channel.Quiet) = (NameOf(wanted, channel.Name), wanted.Topics, wanted.Quiet);
        if (wanted.Address is { } address)
        {
            (channel.ProtectedAddress, channel.Shown, channel.Problem) = (vault.Protect(team.TeamId, id, ChannelSecrets.Address, address), ChannelSender.Shown(channel.Kind, address), null);
        }

        if (wanted.Signing is { } signing && channel.Kind == ChannelKind.Webhook)
        {
            channel.ProtectedSecret = vault.Protect(team.TeamId, id, ChannelSecrets.Signing, signing);
        }

        await db.SaveChangesAsync(ct);
        await db.Deliveries.Where(d => d.ChannelId == id && d.SentAt == null && d.DeadAt == null).ExecuteUpdateAsync(set => set.SetProperty(d => d.NextTryAt, (DateTimeOffset?)null), ct); // what waits sees the change at once
        changes.Publish(team.TeamId);
        return new ChannelResult.Saved(id);
    }

    /// <summary>A paused channel is told nothing; what was on its way is laid aside.</summary>
    public async Task<ChannelResult> PauseAsync(TeamContext team, ChannelId id, bool paused, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await using var db = await database.ForTeamAsync(team, ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await FindAsync(db, team, id, ct) is not { } channel)
        {
            return new ChannelResult.NotFound();
        }

        channel.PausedAt = paused ? now : null;
        await db.SaveChangesAsync(ct);
        if (paused)
        {
            await db.Deliveries.Where(d => d.ChannelId == id && d.SentAt == null && d.DeadAt == null)
                .ExecuteUpdateAsync(set => set.SetProperty(d => d.DeadAt, now).SetProperty(d => d.Answer, "Not sent: the channel was paused."), ct);
        }

        await transaction.CommitAsync(CancellationToken.None);
        changes.Publish(team.TeamId);
        return new ChannelResult.Saved(id);
    }

    public async Task<ChannelResult> RemoveAsync(TeamContext team, ChannelId id, CancellationToken ct)
    {
        await using var db = await database.ForTeamAsync(team, ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await FindAsync(db, team, id, ct) is not { } channel)
        {
            return new ChannelResult.NotFound();
        }

        await db.Deliveries.Where(d => d.ChannelId == id).ExecuteDeleteAsync(ct);
        db.Channels.Remove(channel);
        await SettleAsync(db, team, id, ct);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None);
        changes.Publish(team.TeamId);
        return new ChannelResult.Saved(id);
    }

    /// <summary>Sends a real message as the channel is entered, saved or not, and says what came back.</summary>
    /// <param name="id">The saved channel that gives what was not entered; null: there is none yet.</param>
    public async Task<ChannelResult> TestAsync(TeamContext team, WantedChannel wanted, ChannelId? id, CancellationToken ct)
    {
        await using var db = await database.ForTeamAsync(team, ct);
        NotificationChannel? stored = null;
        if (id is { } saved)
        {
            if (await FindAsync(db, team, saved, ct) is not { } found)
            {
                return new ChannelResult.NotFound();
            }

            stored = found;
            wanted = wanted with { Kind = found.Kind };
        }
        else
        {
            Require(team, wanted.Mine);
        }

        if (ProblemOf(wanted, stored) is { } problem)
        {
            return problem;
        }

        var now = time.GetUtcNow();
        if (_tested.TryGetValue(team.UserId, out var last) && now - last < BetweenTests)
        {
            return Invalid("Address", "One test at a time. Try again in a few seconds.");
        }

        _tested[team.UserId] = now;
        try
        {
            var address = wanted.Address ?? vault.Reveal(team.TeamId, stored!.Id, ChannelSecrets.Address, stored.ProtectedAddress);
            var signing = wanted.Kind != ChannelKind.Webhook ? null
                : wanted.Signing ?? (stored?.ProtectedSecret is { } secret ? vault.Reveal(team.TeamId, stored.Id, ChannelSecrets.Signing, secret) : null);
            var settings = site.To($"/t/{team.Slug}/settings/notifications");
            var message = new OutgoingMessage(
                $"test/{Guid.CreateVersion7(now):N}", "test", team.TeamName, "ok", $"Test of {NameOf(wanted, stored?.Name)}", $"Messages of {team.TeamName} arrive here: {ChannelWords.Of(wanted.Topics)}. Nothing has happened, it cost $0.00.", settings, settings, Urgent: false, now);
            return new ChannelResult.Tested(await sender.SendAsync(wanted.Kind, address, signing, message, ct));
        }
        catch (CredentialRejectedException)
        {
            return Invalid("Address", "The stored address cannot be decrypted. Enter it again.");
        }
    }

    /// <summary>Sends again what was laid aside, from its first try on.</summary>
    /// <returns>False: it was not there, not laid aside, or its channel is paused.</returns>
    public Task<bool> SendAgainAsync(TeamContext team, long delivery, CancellationToken ct) => DecideAsync(
        team, delivery,
        (db, channel) => channel.PausedAt is not null
            ? Task.FromResult(0)
            : db.Deliveries.Where(d => d.Id == delivery && d.DeadAt != null).ExecuteUpdateAsync(
                set => set.SetProperty(d => d.DeadAt, (DateTimeOffset?)null).SetProperty(d => d.Tries, 0).SetProperty(d => d.NextTryAt, (DateTimeOffset?)null).SetProperty(d => d.LeaseUntil, (DateTimeOffset?)null), ct),
        ct);

    /// <summary>Nobody needs to hear of it any more.</summary>
    public Task<bool> DiscardAsync(TeamContext team, long delivery, CancellationToken ct) =>
        DecideAsync(team, delivery, (db, _) => db.Deliveries.Where(d => d.Id == delivery && d.DeadAt != null).ExecuteDeleteAsync(ct), ct);

    private async Task<bool> DecideAsync(TeamContext team, long delivery, Func<AppDbContext, NotificationChannel, Task<int>> decide, CancellationToken ct)
    {
        await using var db = await database.ForTeamAsync(team, ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var of = await db.Deliveries.Where(d => d.TeamId == team.TeamId && d.Id == delivery).Select(d => (ChannelId?)d.ChannelId).SingleOrDefaultAsync(ct);
        if (of is not { } id || await FindAsync(db, team, id, ct) is not { } channel || await decide(db, channel) == 0)
        {
            return false;
        }

        if (!await db.Deliveries.AnyAsync(d => d.ChannelId == id && d.DeadAt != null, ct))
        {
            await SettleAsync(db, team, id, ct);
            await db.SaveChangesAsync(ct);
        }

        await transaction.CommitAsync(CancellationToken.None);
        changes.Publish(team.TeamId);
        return true;
    }

    /// <summary>The team's channel, or one's own. Somebody else's answers as if it did not exist.</summary>
    /// <exception cref="PermissionDeniedException">It is the team's, and the role does not allow it.</exception>
    private static async Task<NotificationChannel?> FindAsync(AppDbContext db, TeamContext team, ChannelId id, CancellationToken ct)
    {
        var channel = await db.Channels.SingleOrDefaultAsync(c => c.TeamId == team.TeamId && c.Id == id, ct);
        if (channel?.OwnerId is { } owner && owner != team.UserId)
        {
            return null;
        }

        Require(team, mine: channel?.OwnerId is not null);
        return channel;
    }

    private static void Require(TeamContext team, bool mine) => team.Require(mine ? Permission.See : Permission.ManageChannels);

    private Task<int> SettleAsync(AppDbContext db, TeamContext team, ChannelId id, CancellationToken ct)
    {
        var (key, now) = ($"channel/{id}", time.GetUtcNow());
        return db.Inbox.Where(i => i.TeamId == team.TeamId && i.Kind == InboxKinds.ChannelFails && i.Key == key && i.ResolvedAt == null).ExecuteUpdateAsync(set => set.SetProperty(i => i.ResolvedAt, now), ct);
    }

    private ChannelResult.Invalid? ProblemOf(WantedChannel wanted, NotificationChannel? stored)
    {
        var problems = new List<FieldProblem>();
        if (wanted.Name is { } name && name.Trim().Length > LongestName)
        {
            problems.Add(new("Name", $"Use at most {LongestName} characters."));
        }

        if (wanted.Address is { } address ? sender.Problem(wanted.Kind, address) is { } wrong : (wrong = stored is null ? sender.Problem(wanted.Kind, new Secret("")) : null) is not null)
        {
            problems.Add(new("Address", wrong!));
        }

        if ((wanted.Topics & Topics.All) == 0)
        {
            problems.Add(new("Topics", "Choose at least one thing to be told of."));
        }

        if (wanted.Quiet is { } quiet && (quiet.From == quiet.Until || quiet.From is < 0 or >= 1440 || quiet.Until is < 0 or >= 1440 || quiet.Zone.Length > 64 || !TimeZoneInfo.TryFindSystemTimeZoneById(quiet.Zone, out _)))
        {
            problems.Add(new("Quiet", "Enter when the quiet hours begin and end, for example 22:00 and 07:00."));
        }

        return problems.Count == 0 ? null : new ChannelResult.Invalid(problems);
    }

    private static string NameOf(WantedChannel wanted, string? before = null) => wanted.Name?.Trim() is { Length: > 0 } name ? name : before ?? ChannelWords.Of(wanted.Kind);

    private static ChannelResult.Invalid Invalid(string field, string message) => new([new FieldProblem(field, message)]);
}
