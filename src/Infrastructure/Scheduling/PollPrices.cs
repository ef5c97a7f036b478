using Dashboard.Infrastructure.Prices;
using Hangfire;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Scheduling;

/// <summary>Every minute: a look at which prices are due, then at the alerts on them. The rows say so; a tick that was lost is made up for by the next.</summary>
[AutomaticRetry(Attempts = 0)]
public sealed class PollPrices(PricePoller poller, PriceAlerts alerts)
{
    public async Task RunAsync(CancellationToken ct)
    {
        await poller.RunAsync(ct);
        await alerts.RunAsync(ct);
    }
}

/// <summary>Every hour: deletes prices that have outlived their retention.</summary>
[AutomaticRetry(Attempts = 0)]
public sealed class PrunePrices(PriceStore store, IOptions<PriceRetention> keep, TimeProvider time)
{
    public Task RunAsync(CancellationToken ct) => store.PruneAsync(keep.Value, time.GetUtcNow(), ct);
}
