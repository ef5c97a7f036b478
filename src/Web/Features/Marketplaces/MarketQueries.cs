using System.Collections.Concurrent;
using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Marketplaces;

/// <summary>How offers are ordered.</summary>
public enum OfferSort
{
    Rate,
    Reliability,
    Vram,
    Download,
}

/// <param name="Gpu">As in the catalogue; null: any.</param>
/// <param name="Count">GPUs in one machine.</param>
/// <param name="VramGb">At least, per GPU, as sold.</param>
/// <param name="DiskGb">Priced with so much disk.</param>
public sealed record MarketFilter(string? Gpu, int Count, int? VramGb, OfferSort Sort, decimal DiskGb = MarketFilter.DefaultDiskGb)
{
    public const decimal DefaultDiskGb = 10;

    internal OfferQuery Query => new()
    {
        GpuNames = Gpu is null ? [] : [Gpu],
        GpuCount = Count,
        MinVramMb = VramGb is { } gb ? gb * 1000 : null, // a 24 GB card reports a little less than 24,576
        DiskGb = DiskGb,
    };
}

public sealed record OfferRow(Offer Offer, ConnectionId ConnectionId, Market Market);

/// <summary>What one connection answered, or why it did not.</summary>
/// <param name="AsOf">When; null when it failed.</param>
public sealed record MarketAnswer(string Name, Market Market, int Offers, DateTimeOffset? AsOf, string? Problem);

/// <param name="Rows">Of real markets when there is one; simulated offers are never ranked among real ones.</param>
/// <param name="LeftOut">Simulated offers that are not shown for that reason.</param>
public sealed record MarketView(IReadOnlyList<OfferRow> Rows, IReadOnlyList<MarketAnswer> Answers, int LeftOut);

/// <summary>
/// Offers of the team's connections. Searches are rationed by the providers, so an answer is kept for a minute per
/// connection and question, and everybody who asks meanwhile shares it.
/// </summary>
public sealed class MarketQueries(AppDatabase database, IMarketplaces marketplaces, TimeProvider time)
{
    public static readonly TimeSpan Kept = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan KeptWhenFailed = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<(ConnectionId, string), Asked> _answers = new();

    public async Task<MarketView> SearchAsync(TeamContext team, MarketFilter filter, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var connections = await db.Connections.AsNoTracking().Where(c => c.Status == ConnectionStatus.Works || c.Status == ConnectionStatus.Broken).OrderBy(c => c.CreatedAt).ToListAsync(ct);
        var answers = await Task.WhenAll(connections.Select(async c => (Connection: c, Answer: await AskAsync(c, filter.Query).WaitAsync(ct))));

        var anyReal = connections.Any(c => !c.Market.Simulated);
        var rows = answers.SelectMany(a => a.Answer.Offers.Select(o => new OfferRow(o, a.Connection.Id, a.Connection.Market))).ToList();
        var shown = Sorted(rows.Where(r => !(anyReal && r.Market.Simulated)), filter.Sort).ToList();
        return new MarketView(
            shown,
            [.. answers.Select(a => new MarketAnswer(a.Connection.Name, a.Connection.Market, a.Answer.Offers.Count, a.Answer.Problem is null ? a.Answer.At : null, a.Answer.Problem))],
            rows.Count - shown.Count);
    }

    private static IEnumerable<OfferRow> Sorted(IEnumerable<OfferRow> rows, OfferSort sort) => sort switch
    {
        OfferSort.Rate => rows.OrderBy(r => r.Offer.Rate),
        OfferSort.Reliability => rows.OrderByDescending(r => r.Offer.Reliability).ThenBy(r => r.Offer.Rate),
        OfferSort.Vram => rows.OrderByDescending(r => r.Offer.VramMb).ThenBy(r => r.Offer.Rate),
        OfferSort.Download => rows.OrderByDescending(r => r.Offer.DownloadMbps).ThenBy(r => r.Offer.Rate),
    };

    private async Task<Answer> AskAsync(Connection connection, OfferQuery query)
    {
        var now = time.GetUtcNow();
        foreach (var old in _answers.Where(a => now - a.Value.At >= Kept))
        {
            _answers.TryRemove(old);
        }

        var key = (connection.Id, $"{string.Join('|', query.GpuNames)};{query.GpuCount};{query.MinVramMb};{query.DiskGb}");
        var asked = _answers.GetOrAdd(key, _ => new Asked(now, new(() => SearchAsync(connection, query))));
        var answer = await asked.Search.Value;
        if (answer.Problem is not null && now - asked.At >= KeptWhenFailed)
        {
            _answers.TryRemove(new(key, asked));
            answer = await _answers.GetOrAdd(key, _ => new Asked(now, new(() => SearchAsync(connection, query)))).Search.Value;
        }

        return answer;
    }

    // Not under one viewer's token: the answer is everybody's. The call is bounded by its provider's own timeout.
    private async Task<Answer> SearchAsync(Connection connection, OfferQuery query)
    {
        try
        {
            return new Answer(await marketplaces.For(connection).SearchAsync(query, CancellationToken.None), null, time.GetUtcNow());
        }
        catch (MarketplaceException fault)
        {
            return new Answer([], MarketplaceMessages.ForSearch(fault, connection), time.GetUtcNow());
        }
    }

    private sealed record Asked(DateTimeOffset At, Lazy<Task<Answer>> Search);

    private sealed record Answer(IReadOnlyList<Offer> Offers, string? Problem, DateTimeOffset At);
}
