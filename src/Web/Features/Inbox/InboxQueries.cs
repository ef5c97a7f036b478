using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Inbox;

/// <summary>Which part of the inbox.</summary>
public enum InboxState
{
    Open,
    Snoozed,
    Done,
}

/// <param name="Link">Address below the team's; null when there is nothing to open.</param>
/// <param name="Provider">Where the provider's own site is; null where that would not help, or nothing real is behind it.</param>
/// <param name="Settled">Who settled it and why; null while open.</param>
public sealed record InboxRow(
    long Id, string Kind, string Title, string Detail, string? Link, string? Action, HourlyRate AtRisk, bool Critical, DateTimeOffset Since, DateTimeOffset? SnoozedUntil, DateTimeOffset? ResolvedAt, string? Settled, (string Name, string Address)? Provider);

/// <param name="Open">In all, snoozed ones apart.</param>
public sealed record InboxView(IReadOnlyList<InboxRow> Rows, int Open, int Snoozed);

public sealed record NewsView(IReadOnlyList<Notice> Rows, long Seen);

/// <summary>What needs a person, and what has happened.</summary>
public sealed class InboxQueries(AppDatabase database, TimeProvider time)
{
    private static readonly string[] ProviderHelps = [InboxKinds.DestroyUnconfirmed, InboxKinds.ForeignMachine, InboxKinds.KeyRefused, InboxKinds.BalanceLow];

    /// <summary>Critical first, then money at risk, then what waits longest; settled ones newest first. At most <paramref name="most"/>.</summary>
    public async Task<InboxView> ListAsync(TeamContext team, InboxState state, int most, CancellationToken ct)
    {
        team.Require(Permission.See);
        var now = time.GetUtcNow();
        await using var db = await database.ForTeamAsync(team, ct);
        var open = db.Inbox.AsNoTracking().ReadableBy(team).Where(i => i.ResolvedAt == null && (i.SnoozedUntil == null || i.SnoozedUntil <= now));
        var snoozed = db.Inbox.AsNoTracking().ReadableBy(team).Where(i => i.ResolvedAt == null && i.SnoozedUntil > now);
        var items = await (state switch
        {
            InboxState.Open => open.OrderByDescending(i => i.Critical).ThenByDescending(i => i.AtRisk.MicrosPerHour).ThenBy(i => i.Since),
            InboxState.Snoozed => snoozed.OrderBy(i => i.SnoozedUntil),
            InboxState.Done => db.Inbox.AsNoTracking().ReadableBy(team).Where(i => i.ResolvedAt != null).OrderByDescending(i => i.ResolvedAt),
        }).Take(most).ToListAsync(ct);

        var people = items.Select(i => i.ResolvedBy?.Value).OfType<Guid>().Distinct().ToList();
        var names = await db.Users.Where(u => people.Contains(u.Id)).ToDictionaryAsync(u => u.Id, u => u.DisplayName, ct);
        var providers = await ProvidersAsync(db, items, ct);
        return new InboxView(
            [
                .. items.Select(i => new InboxRow(
                    i.Id, i.Kind, i.Title, i.Detail.To(team), i.Link, i.Action, team.May(Permission.SeeMoney) ? i.AtRisk : HourlyRate.Zero, i.Critical, i.Since, i.SnoozedUntil, i.ResolvedAt, Settled(i, names), providers.GetValueOrDefault(i.Id))),
            ],
            await open.CountAsync(ct), await snoozed.CountAsync(ct));
    }

    /// <summary>The latest first.</summary>
    public async Task<NewsView> NewsAsync(TeamContext team, int most, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        return new NewsView(await db.Notices.AsNoTracking().ReadableBy(team).OrderByDescending(n => n.Id).Take(most).ToListAsync(ct), await SeenNews.SeenAsync(db, team, ct));
    }

    /// <summary>The id at the end of an item's key.</summary>
    internal static Guid IdIn(string key) => Guid.Parse(key[(key.LastIndexOf('/') + 1)..]);

    private static async Task<Dictionary<long, (string Name, string Address)?>> ProvidersAsync(AppDbContext db, IReadOnlyList<InboxItem> items, CancellationToken ct)
    {
        var connections = await db.Connections.AsNoTracking().Where(c => !c.Market.Simulated).Select(c => new { c.Id, c.Market }).ToListAsync(ct);
        var destroying = items.Where(i => i.Kind == InboxKinds.DestroyUnconfirmed).Select(i => new InstanceId(IdIn(i.Key))).ToList();
        var machines = await db.Instances.AsNoTracking().Where(i => destroying.Contains(i.Id)).Select(i => new { i.Id, i.ConnectionId }).ToDictionaryAsync(i => i.Id.Value, i => i.ConnectionId, ct);
        return items.Where(i => ProviderHelps.Contains(i.Kind)).ToDictionary(i => i.Id, i =>
        {
            var id = IdIn(i.Key);
            var connection = machines.TryGetValue(id, out var of) ? of : new ConnectionId(id);
            return connections.FirstOrDefault(c => c.Id == connection) is { } found ? (found.Market.Name, found.Market.BaseUrl) : ((string, string)?)null;
        });
    }

    private static string? Settled(InboxItem item, Dictionary<Guid, string> names) => item switch
    {
        { ResolvedAt: null } => null,
        { ResolvedBy: null } => "its cause is gone",
        _ => $"{names.GetValueOrDefault(item.ResolvedBy.Value.Value, "a former member")}{(item.Resolution is { Length: > 0 } why ? $": {why}" : "")}",
    };
}
