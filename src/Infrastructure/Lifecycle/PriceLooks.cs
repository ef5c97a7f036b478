using System.Text.Json;
using Dashboard.Domain;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>
/// Searches for jobs that wait for their price. Providers ration searches and rows: equal questions of one connection share
/// an answer, and the more different ones there are, the less often each is asked.
/// </summary>
internal sealed class PriceLooks(IMarketplaces marketplaces, IOptions<LifecycleOptions> options, TimeProvider time)
{
    private const int QuestionsAtFullPace = 2; // more than that share two searches per interval

    private readonly Lock _lock = new();
    private readonly Dictionary<(ConnectionId Connection, string Query), Look> _looks = [];

    /// <summary>An answer of the last half interval, or a new one.</summary>
    /// <exception cref="MarketplaceException">As of a search.</exception>
    public async Task<IReadOnlyList<Offer>> SearchAsync(Connection connection, OfferQuery query, CancellationToken ct)
    {
        var key = (connection.Id, JsonSerializer.Serialize(query)); // lists have no equality of their own; their text has
        Look look;
        lock (_lock)
        {
            if (!_looks.TryGetValue(key, out var known) || known.Offers.IsFaulted || known.Offers.IsCanceled || time.GetElapsedTime(known.At) >= options.Value.OrderLook / 2)
            {
                known = new Look(time.GetTimestamp(), marketplaces.For(connection).SearchAsync(query, ct));
                _looks[key] = known;
            }

            look = known;
        }

        try
        {
            return await look.Offers;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new ProviderUnavailableException("The search was given up.", new OperationCanceledException()); // by the job that had asked first
        }
    }

    /// <summary>Time from one look of a job to its next.</summary>
    public TimeSpan Every(ConnectionId connection)
    {
        var usual = options.Value.OrderLook;
        lock (_lock)
        {
            // A question that was not asked for two rounds is not asked any more.
            var round = Round(_looks.Count);
            foreach (var (key, look) in _looks.ToList())
            {
                if (time.GetElapsedTime(look.At) > round * 2)
                {
                    _looks.Remove(key);
                }
            }

            return Round(_looks.Keys.Count(key => key.Connection == connection));
        }

        TimeSpan Round(int questions) => usual * Math.Max(1, (double)questions / QuestionsAtFullPace);
    }

    private sealed record Look(long At, Task<IReadOnlyList<Offer>> Offers);
}
