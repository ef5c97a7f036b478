using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Budgets;

/// <summary>What a machine costs by the clock beyond what the ledger has already posted.</summary>
/// <param name="GpuFrom">GPU time is posted up to here, or begins now.</param>
/// <param name="DiskFrom">Disk is posted up to here.</param>
/// <param name="Traffic">Expected bytes, posted at the end.</param>
public sealed record MachineMeter(HourlyRate GpuRate, HourlyRate DiskRate, DateTimeOffset GpuFrom, DateTimeOffset DiskFrom, Money Traffic)
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(366);

    /// <summary>What would be posted for the time up to <paramref name="until"/>, traffic included.</summary>
    public Money Until(DateTimeOffset until) => Cost(GpuRate, GpuFrom, until) + Cost(DiskRate, DiskFrom, until) + Traffic;

    /// <summary>The latest instant, to the millisecond, up to which <paramref name="held"/> pays for everything. Not before the last posting.</summary>
    public DateTimeOffset CoveredUntil(Money held)
    {
        // Costs only grow with time: halve the span until it is a millisecond.
        var (paid, unpaid) = (GpuFrom < DiskFrom ? GpuFrom : DiskFrom, (GpuFrom > DiskFrom ? GpuFrom : DiskFrom) + Longest);
        if (Until(unpaid) <= held)
        {
            return unpaid;
        }

        while (unpaid - paid > TimeSpan.FromMilliseconds(1))
        {
            var middle = DateTimeOffset.FromUnixTimeMilliseconds((paid + ((unpaid - paid) / 2)).ToUnixTimeMilliseconds());
            if (middle <= paid)
            {
                break;
            }

            (paid, unpaid) = Until(middle) <= held ? (middle, unpaid) : (paid, middle);
        }

        return paid;
    }

    private static Money Cost(HourlyRate rate, DateTimeOffset from, DateTimeOffset until) => until <= from ? Money.Zero : rate.For(until - from);
}
