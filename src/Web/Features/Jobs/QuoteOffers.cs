using System.Collections.Concurrent;
using System.Text.Json;
using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Jobs;

/// <summary>Offers for a job as it stands in the form, cheapest in total first. Rents nothing.</summary>
/// <remarks>
/// The answer to each question is kept for a minute, the age at which the form calls offers old: a submission right after it then spends
/// no second one of the provider's rationed searches, and waits for none.
/// </remarks>
public sealed class QuoteOffers(AppDatabase database, IMarketplaces marketplaces, TimeProvider time)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<(ConnectionId Connection, string Query), (DateTimeOffset At, IReadOnlyList<Offer> Offers)> _answers = new();

    /// <summary>Asks the provider anew.</summary>
    public Task<OfferQuotes> RunAsync(TeamContext team, JobRequest request, CancellationToken ct) => QuoteAsync(team, request, patience: null, ct);

    /// <summary>Takes an answer of the last minute, or asks and waits for <paramref name="patience"/> at most.</summary>
    public Task<OfferQuotes> RecentAsync(TeamContext team, JobRequest request, TimeSpan patience, CancellationToken ct) => QuoteAsync(team, request, patience, ct);

    private async Task<OfferQuotes> QuoteAsync(TeamContext team, JobRequest request, TimeSpan? patience, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var connection = await db.Connections.AsNoTracking()
            .SingleOrDefaultAsync(c => c.TeamId == team.TeamId && c.Id == request.ConnectionId && c.Status != ConnectionStatus.Removed, ct);
        if (connection is null)
        {
            return new OfferQuotes([], "This connection does not exist any more. Choose another one.", time.GetUtcNow());
        }

        var query = OfferRanking.Query(request.Spec, request.Needs, request.Limits.MaxRate, request.Limits.Bid is null ? RentalType.OnDemand : RentalType.Interruptible);
        try
        {
            var (at, offers) = patience is null ? await AskAsync(connection, query, ct) : await RecentAsync(connection, query, patience.Value, ct);
            var own = await HostHistory.ReadAsync(db, team.TeamId, connection.Market, [.. offers.Select(o => o.MachineId)], time.GetUtcNow(), ct);
            var rentable = offers.Select(o => InterruptionRules.AsRented(o, request.Limits)).OfType<Offer>().Select(own.Applied);
            var ranked = OfferRanking.Rank(request.Spec, rentable, request.Limits.MaxRuntime).OrderBy(q => own.IsBad(q.Offer.MachineId)).ToList();
            return new OfferQuotes(
                [.. ranked.Select(quote => new QuotedOffer(quote.Offer, quote.Estimate))],
                ranked.Count > 0 ? null : NoneFits(request, offers),
                at);
        }
        catch (MarketplaceException fault)
        {
            return new OfferQuotes([], MarketplaceMessages.ForSearch(fault, connection), time.GetUtcNow()) { Unanswered = fault is ProviderUnavailableException { Deprecated: false } };
        }
    }

    private static string NoneFits(JobRequest request, IReadOnlyList<Offer> offers) => request.Limits.Bid?.Bid is { } bid && offers.Count > 0
        ? $"No machine takes a bid of {bid.Words()} right now; the lowest that one takes is {offers.Min(o => o.GpuRate).Words()}. Nothing was rented, it cost $0.00."
        : "No machine that fits is free right now. Nothing was rented, it cost $0.00.";

    private async Task<(DateTimeOffset At, IReadOnlyList<Offer> Offers)> RecentAsync(Connection connection, OfferQuery query, TimeSpan patience, CancellationToken ct)
    {
        if (_answers.TryGetValue(KeyOf(connection, query), out var known) && time.GetUtcNow() - known.At < Fresh)
        {
            return known;
        }

        using var waiting = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, waiting.Token);
        try
        {
            return await AskAsync(connection, query, either.Token);
        }
        catch (OperationCanceledException) when (waiting.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            throw new ProviderUnavailableException($"No answer within {patience.TotalSeconds:0} s.");
        }
    }

    private async Task<(DateTimeOffset At, IReadOnlyList<Offer> Offers)> AskAsync(Connection connection, OfferQuery query, CancellationToken ct)
    {
        var offers = await marketplaces.For(connection).SearchAsync(query, ct);
        var now = time.GetUtcNow();
        foreach (var (key, answer) in _answers)
        {
            if (now - answer.At >= Fresh)
            {
                _answers.TryRemove(key, out _);
            }
        }

        return _answers[KeyOf(connection, query)] = (now, offers);
    }

    // A connection's id is of one team alone. Lists have no equality of their own; their text has.
    private static (ConnectionId Connection, string Query) KeyOf(Connection connection, OfferQuery query) => (connection.Id, JsonSerializer.Serialize(query));
}
