using System.Collections.Concurrent;
using System.Globalization;
using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Estimates;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Features.Prices;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Marketplaces;

/// <summary>An offer with what the priced job would cost on it.</summary>
public sealed record OfferRow(Offer Offer, ConnectionId ConnectionId, Market Market, ExpectedTotal Total)
{
    /// <summary>Offer ids are the provider's own, so the connection belongs to it.</summary>
    public string Key { get; } = $"{ConnectionId}~{Offer.Id}";

    /// <summary>The team's own runs there; null: none.</summary>
    public HostScorecard? Host { get; init; }

    /// <summary>What our own runs multiply the program's time with there; null: none has said anything.</summary>
    public LearnedFactor? Pace { get; init; }

    /// <summary>The share of the last 30 days' hours in which even the cheapest of its kind was dearer, GPU for GPU; null where too little is known.</summary>
    public decimal? CheaperThan { get; init; }

    /// <summary>What typing searches: what a person reads in the row.</summary>
    public string Text { get; } = $"{Offer.GpuName} {Offer.GpuName.Replace(" ", "", StringComparison.Ordinal)} {Market.Name} {Offer.Location} {Offer.MachineId}";
}

/// <summary>What one connection answered, or why it did not.</summary>
/// <param name="AsOf">When; null when it failed.</param>
public sealed record MarketAnswer(ConnectionId Id, string Name, Market Market, int Offers, DateTimeOffset? AsOf, string? Problem);

/// <param name="Rows">Lowest expected total first. Of real markets when there is one; simulated offers are never ranked among real ones.</param>
/// <param name="LeftOut">Simulated offers that are not shown for that reason.</param>
/// <param name="Implausible">Offers whose price cannot be meant; they are not in <paramref name="Rows"/>.</param>
/// <param name="Jobs">The newest jobs, to be priced instead.</param>
/// <param name="Wider">How many offers a wider filter has, where its answer is still at hand. Nobody is asked for a count alone.</param>
/// <param name="Note">Something that was asked for and is not there.</param>
public sealed record MarketView(
    IReadOnlyList<OfferRow> Rows, IReadOnlyList<MarketAnswer> Answers, int LeftOut, int Implausible, PricedFor PricedFor, IReadOnlyList<(int Number, string Name)> Jobs,
    IReadOnlyDictionary<MarketFilter, int> Wider, string? Note)
{
    /// <summary>Offers on machines that failed the team twice of late, not among the rows.</summary>
    public int BadHistory { get; init; }

    /// <summary>A provider has more, at higher rates.</summary>
    public bool HasMore { get; init; }

    /// <summary>Why a page after the first did not come.</summary>
    public string? PageProblem { get; init; }

    /// <summary>How many offers there are of each kind of machine, as polls counted them.</summary>
    public IReadOnlyList<PolledKind> Polled { get; init; } = [];
}

/// <summary>
/// Offers of the team's connections. Searches are rationed by the providers, so an answer is kept for a minute per
/// connection and question, and everybody who asks meanwhile shares it.
/// </summary>
public sealed class MarketQueries(AppDatabase database, IMarketplaces marketplaces, TimeProvider time)
{
    public static readonly TimeSpan Kept = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan PageKept = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan KeptWhenFailed = TimeSpan.FromSeconds(10);

    private const int RecentJobs = 5;

    private readonly ConcurrentDictionary<(ConnectionId, string), Asked> _answers = new();
    private readonly PriceShares _shares = new(time);
    private readonly PolledKinds _kinds = new(time);

    public async Task<MarketView> SearchAsync(TeamContext team, MarketFilter filter, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var connections = await db.Connections.AsNoTracking().Where(c => c.Status == ConnectionStatus.Works || c.Status == ConnectionStatus.Broken).OrderBy(c => c.CreatedAt).ToListAsync(ct);
        var jobs = await db.Jobs.AsNoTracking().Where(j => j.TeamId == team.TeamId).OrderByDescending(j => j.Number).Take(RecentJobs).Select(j => new { j.Number, j.Name }).ToListAsync(ct);
        var priced = await PricedForAsync(db, team, filter.For, ct);
        var pricedFor = priced ?? PricedFor.AnHour;
        var query = filter.Query(pricedFor.Spec.DiskGb);
        var answers = await Task.WhenAll(connections.Select(async c => (Connection: c, Answer: await AskAsync(c, query, filter.Pages).WaitAsync(ct))));

        var own = new Dictionary<ConnectionId, OwnRuns>();
        foreach (var (connection, answer) in answers)
        {
            own[connection.Id] = await HostHistory.ReadAsync(db, team.TeamId, connection.Market, [.. answer.Offers.Select(o => o.MachineId)], time.GetUtcNow(), ct);
        }

        var anyReal = connections.Any(c => !c.Market.Simulated);
        var ranked = answers.Where(a => !(anyReal && a.Connection.Market.Simulated)).ToList();
        var shown = ranked
            .SelectMany(a => a.Answer.Offers.Where(PlausiblePrice.Holds).Select(AtItsBid).Select(o => Row(o, a.Connection, pricedFor, own[a.Connection.Id])))
            .OrderBy(r => r.Total.Total).ThenBy(r => r.Offer.Rate).ThenBy(r => r.Key, StringComparer.Ordinal)
            .ToList();
        var standing = await _shares.ReadAsync(db, shown.Select(r => (r.Market, r.Offer)), ct);
        shown = [.. shown.Select(r => r with { CheaperThan = standing(r.Market, r.Offer) })];
        var bad = shown.Count(r => r.Host?.IsBad == true);
        return new MarketView(
            filter.BadHistory ? shown : shown.FindAll(r => r.Host?.IsBad != true),
            [.. answers.Select(a => new MarketAnswer(a.Connection.Id, a.Connection.Name, a.Connection.Market, a.Answer.Offers.Count, a.Answer.Problem is null ? a.Answer.At : null, a.Answer.Problem))],
            answers.Except(ranked).Sum(a => a.Answer.Offers.Count),
            ranked.Sum(a => a.Answer.Offers.Count) - shown.Count,
            pricedFor,
            [.. jobs.Select(j => (j.Number, j.Name))],
            await WiderAsync(filter, pricedFor, [.. ranked.Select(a => a.Connection)]),
            priced is null ? $"There is no “{filter.For}” to price; the totals are for {pricedFor.Name}." : null)
        {
            BadHistory = filter.BadHistory ? 0 : bad,
            HasMore = ranked.Any(a => a.Answer.HasMore),
            PageProblem = ranked.Select(a => a.Answer.PageProblem).FirstOrDefault(p => p is not null),
            Polled = await _kinds.ReadAsync(db, ranked.Select(a => a.Connection.Market), ct),
        };
    }

    private static OfferRow Row(Offer offer, Connection connection, PricedFor pricedFor, OwnRuns own)
    {
        var corrected = own.Applied(offer);
        return new OfferRow(offer, connection.Id, connection.Market, JobEstimator.Total(pricedFor.Spec, corrected, pricedFor.MaxRuntime)) { Host = own.Host(offer.MachineId), Pace = corrected.Pace };
    }

    /// <summary>A bid is priced at what would be bid, not at the host's floor.</summary>
    private static Offer AtItsBid(Offer offer) => offer.Rental == RentalType.Interruptible ? offer with { GpuRate = BidPlan.Usual(offer.GpuRate) } : offer;

    private static async Task<PricedFor?> PricedForAsync(AppDbContext db, TeamContext team, string? asked, CancellationToken ct)
    {
        switch (asked)
        {
            case null or PricedFor.Hour: return PricedFor.AnHour;
            case PricedFor.Smoke: return PricedFor.TheSmokeTest;
        }

        return int.TryParse(asked, CultureInfo.InvariantCulture, out var number)
            && await db.Jobs.AsNoTracking().SingleOrDefaultAsync(j => j.TeamId == team.TeamId && j.Number == number, ct) is { } job
            ? new PricedFor(job.Name, job.Spec, job.Limits.MaxRuntime, job.Number)
            : null;
    }

    private async Task<Dictionary<MarketFilter, int>> WiderAsync(MarketFilter filter, PricedFor pricedFor, IReadOnlyList<Connection> connections)
    {
        var known = new Dictionary<MarketFilter, int>();
        foreach (var wider in filter.Wider)
        {
            var query = wider.Query(pricedFor.Spec.DiskGb);
            var offers = 0;
            foreach (var connection in connections)
            {
                if (!_answers.TryGetValue(KeyOf(connection, query), out var asked)
                    || asked.Search is not { IsValueCreated: true, Value.IsCompletedSuccessfully: true }
                    || await asked.Search.Value is not { Problem: null } answer)
                {
                    offers = -1;
                    break;
                }

                offers += answer.Offers.Count(PlausiblePrice.Holds);
            }

            if (offers >= 0)
            {
                known[wider] = offers;
            }
        }

        return known;
    }

    private static (ConnectionId, string) KeyOf(Connection connection, OfferQuery query) =>
        (connection.Id, $"{string.Join('|', query.GpuNames)};{query.GpuCount};{query.MinVramMb};{query.MinReliability};{query.MinDownloadMbps};{query.MinCuda};{query.MinContract};{query.VerifiedOnly};{query.MaxRate};{query.DiskGb};{query.Rental}");

    /// <summary>Page after page by rising rate, each a question of its own that others share. The first is asked again every minute, the ones behind it seldom.</summary>
    private async Task<Answer> AskAsync(Connection connection, OfferQuery query, int pages)
    {
        var (id, question) = KeyOf(connection, query);
        var answer = await AskAsync(connection, query, (id, question), Kept);
        for (var (page, before) = (2, query.MinRate); page <= pages && answer is { Problem: null, HasMore: true, Highest: { } from } && from != before; page++)
        {
            var key = (id, $"{question};page {page}");
            if (_answers.TryGetValue(key, out var old) && old.From > from)
            {
                _answers.TryRemove(new(key, old)); // the page before it ends lower by now: nothing may be left out between them
            }

            var next = await AskAsync(connection, query with { MinRate = from }, key, PageKept);
            if (next.Problem is not null)
            {
                return answer with { PageProblem = next.Problem };
            }

            before = from;
            answer = answer with { Offers = [.. answer.Offers.Concat(next.Offers).DistinctBy(o => o.Id)], HasMore = next.HasMore, Highest = next.Highest, At = answer.At < next.At ? answer.At : next.At };
        }

        return answer;
    }

    private async Task<Answer> AskAsync(Connection connection, OfferQuery query, (ConnectionId, string) key, TimeSpan kept)
    {
        var now = time.GetUtcNow();
        foreach (var old in _answers.Where(a => now >= a.Value.Until))
        {
            _answers.TryRemove(old);
        }

        var asked = _answers.GetOrAdd(key, _ => Ask());
        var answer = await asked.Search.Value;
        if (answer.Problem is not null && now - asked.At >= KeptWhenFailed)
        {
            _answers.TryRemove(new(key, asked));
            answer = await _answers.GetOrAdd(key, _ => Ask()).Search.Value;
        }

        return answer;

        Asked Ask() => new(now, now + kept, query.MinRate, new(() => SearchAsync(connection, query)));
    }

    // Not under one viewer's token: the answer is everybody's. The call is bounded by its provider's own timeout.
    private async Task<Answer> SearchAsync(Connection connection, OfferQuery query)
    {
        try
        {
            var page = await marketplaces.For(connection).SearchPageAsync(query, CancellationToken.None);
            return new Answer(page.Offers, null, time.GetUtcNow()) { HasMore = page.Full, Highest = page.Highest };
        }
        catch (MarketplaceException fault)
        {
            return new Answer([], MarketplaceMessages.ForSearch(fault, connection), time.GetUtcNow());
        }
    }

    /// <param name="From">Where the page begins; null: at the cheapest.</param>
    private sealed record Asked(DateTimeOffset At, DateTimeOffset Until, HourlyRate? From, Lazy<Task<Answer>> Search);

    private sealed record Answer(IReadOnlyList<Offer> Offers, string? Problem, DateTimeOffset At)
    {
        public bool HasMore { get; init; }

        public HourlyRate? Highest { get; init; }

        public string? PageProblem { get; init; }
    }
}
