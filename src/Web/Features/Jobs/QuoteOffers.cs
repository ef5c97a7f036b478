using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Jobs;

/// <summary>Offers for a job as it stands in the form, cheapest in total first. Rents nothing.</summary>
public sealed class QuoteOffers(AppDatabase database, IMarketplaces marketplaces, TimeProvider time)
{
    public async Task<OfferQuotes> RunAsync(TeamContext team, JobRequest request, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var connection = await db.Connections.AsNoTracking()
            .SingleOrDefaultAsync(c => c.TeamId == team.TeamId && c.Id == request.ConnectionId && c.Status != ConnectionStatus.Removed, ct);
        if (connection is null)
        {
            return new OfferQuotes([], "This connection does not exist any more. Choose another one.", time.GetUtcNow());
        }

        try
        {
            var offers = await marketplaces.For(connection).SearchAsync(OfferRanking.Query(request.Spec, request.Needs, request.Limits.MaxRate), ct);
            var ranked = OfferRanking.Rank(request.Spec, offers, request.Limits.MaxRuntime);
            return new OfferQuotes(
                [.. ranked.Select(quote => new QuotedOffer(quote.Offer, quote.Estimate))],
                ranked.Count > 0 ? null : "No machine that fits is free right now. Nothing was rented, it cost $0.00.",
                time.GetUtcNow());
        }
        catch (MarketplaceException fault)
        {
            return new OfferQuotes([], MarketplaceMessages.ForSearch(fault, connection), time.GetUtcNow());
        }
    }
}
