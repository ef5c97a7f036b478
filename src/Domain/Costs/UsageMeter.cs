namespace Dashboard.Domain.Costs;

/// <summary>Turns observed intervals into charges.</summary>
public static class UsageMeter
{
    /// <summary>What is due now: the total so far less what was posted, so rounding cannot drift with the polling interval. Zero when <paramref name="until"/> lies before the start (a clock that jumped).</summary>
    public static Money ChargeDue(HourlyRate rate, DateTimeOffset startedAt, DateTimeOffset until, Money posted) =>
        until <= startedAt ? Money.Zero : rate.For(until - startedAt) - posted;

    /// <summary>The price of <paramref name="bytes"/> at a price per decimal gigabyte.</summary>
    public static Money Traffic(long bytes, Money perGigabyte) =>
        new((long)decimal.Round(perGigabyte.Micros * (decimal)bytes / 1_000_000_000m, MidpointRounding.ToEven));
}
