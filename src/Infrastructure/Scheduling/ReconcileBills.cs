using Dashboard.Infrastructure.Costs;
using Hangfire;

namespace Dashboard.Infrastructure.Scheduling;

/// <summary>Every minute: reads the bills that are due. What is due stands in the rows; a lost run is made good by the next one.</summary>
[AutomaticRetry(Attempts = 0)]
public sealed class ReconcileBills(ReconcileBill bill)
{
    public async Task RunAsync(CancellationToken ct)
    {
        foreach (var connection in await bill.DueAsync(ct))
        {
            await bill.RunAsync(connection, ct);
        }
    }
}
