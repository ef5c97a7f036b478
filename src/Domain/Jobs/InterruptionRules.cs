using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Jobs;

/// <summary>How a job that may be interrupted is rented, and where it goes on.</summary>
public static class InterruptionRules
{
    /// <summary>Another interruption costs at least so much time: a wait, a boot, the steps since the last checkpoint.</summary>
    public static readonly TimeSpan Reserve = TimeSpan.FromMinutes(30);

    /// <summary>How the next machine is rented.</summary>
    /// <param name="interruptions">So far.</param>
    /// <param name="onDemandAfter">The installation's own number.</param>
    /// <param name="left">Time the program still needs.</param>
    public static RentalType NextRental(JobLimits limits, int interruptions, int onDemandAfter, TimeSpan left, DateTimeOffset now) => limits switch
    {
        { Bid: null } => RentalType.OnDemand,
        { Bid: { } plan } when interruptions > 0 && interruptions >= (plan.OnDemandAfter ?? onDemandAfter) => RentalType.OnDemand,
        { FinishBy: { } by } when now + left + Reserve > by => RentalType.OnDemand,
        _ => RentalType.Interruptible,
    };

    /// <summary>The offer as it would be rented: a bid is priced at what is bid, not at the host's floor. Null: it cannot be, the bid is below the floor or all is above the limit.</summary>
    public static Offer? AsRented(Offer offer, JobLimits limits)
    {
        if (offer.Rental == RentalType.Interruptible)
        {
            if (limits.Bid is not { } plan || plan.On(offer) is var bid && bid < offer.GpuRate)
            {
                return null;
            }

            offer = offer with { GpuRate = bid };
        }

        return limits.MaxRate is { } most && offer.Rate > most ? null : offer;
    }

    /// <summary>Time the program still needs.</summary>
    /// <param name="from">The step it would go on from.</param>
    /// <param name="secondsPerStep">As measured.</param>
    public static TimeSpan Left(TrainingSpec spec, JobLimits limits, int? from, int? total, double? secondsPerStep)
    {
        if (total is { } steps && secondsPerStep is { } pace)
        {
            return TimeSpan.FromSeconds(Math.Max(0, steps - (from ?? 0)) * pace);
        }

        var whole = JobEstimator.RunTime(spec, limits.MaxRuntime);
        return total > 0 ? whole * Math.Clamp(1 - ((from ?? 0) / (double)total.Value), 0, 1) : whole;
    }

    /// <summary>Whether going on elsewhere costs less in all than the rest on the kept machine would, were it back this moment.</summary>
    /// <param name="kept">Its rate while it runs.</param>
    public static bool IsCheaper(CostEstimate elsewhere, HourlyRate kept, TimeSpan left) => elsewhere.Expected < kept.For(left);
}
