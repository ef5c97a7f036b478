using Dashboard.Infrastructure.Prices;
using Hangfire;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Scheduling;

/// <summary>Every minute: a look at which prices are due. The rows say so; a tick that was lost is made up for by the next.</summary>
[AutomaticRetry(Attempts = 0)]
public sealed class PollPrices(PricePoller poller)
{
    public Task RunAsync(CancellationToken ct) => poller.RunAsync(ct);
}

/// <summary>Every hour: deletes prices that have outlived their retention.</summary>
[AutomaticRetry(Attempts = 0)]
public sealed class PrunePrices(PriceStore store, IOptions<PriceRetention> keep, TimeProvider time)
{
    public Task RunAsync(CancellationToken ct) => store.PruneAsync(keep.Value, time.GetUtcNow(), ct);
}
