using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;

namespace Dashboard.Domain.Estimates;

/// <summary>What a job's estimate said when it was submitted, and what was paid in the end.</summary>
public sealed record EstimateOutcome(CostEstimate Estimate, Money Paid)
{
    /// <summary>Paid against expected: 1 is as expected; null: nothing was expected to be paid.</summary>
    public decimal? Ratio => Estimate.Expected > Money.Zero ? (decimal)Paid.Micros / Estimate.Expected.Micros : null;

    /// <summary>Whether the likely range held what was paid.</summary>
    public bool Held => Paid >= Estimate.Low && Paid <= Estimate.High;
}

/// <summary>How good estimates were, over several jobs.</summary>
/// <param name="Held">Of them, those whose range held what was paid.</param>
/// <param name="Ratio">The middle one of paid against expected; null: there is none.</param>
/// <param name="Expected">Of all of them together.</param>
public sealed record EstimateScore(int Jobs, int Held, decimal? Ratio, Money Expected, Money Paid)
{
    /// <summary>So many of the ranges are meant to hold.</summary>
    public const decimal Aim = 0.8m;

    /// <summary>0 to 1; null: there are no jobs.</summary>
    public decimal? Share => Jobs == 0 ? null : (decimal)Held / Jobs;

    public static EstimateScore Of(IReadOnlyCollection<EstimateOutcome> outcomes)
    {
        ArgumentNullException.ThrowIfNull(outcomes);
        List<decimal> ratios = [.. outcomes.Select(o => o.Ratio).OfType<decimal>().Order()];
        return new(
            outcomes.Count, outcomes.Count(o => o.Held), ratios.Count == 0 ? null : (ratios[(ratios.Count - 1) / 2] + ratios[ratios.Count / 2]) / 2,
            outcomes.Aggregate(Money.Zero, (sum, o) => sum + o.Estimate.Expected), outcomes.Aggregate(Money.Zero, (sum, o) => sum + o.Paid));
    }
}

/// <summary>A stretch of a job's life that is estimated by itself.</summary>
public enum EstimatePart
{
    /// <summary>From the rent call to a running container: host and image.</summary>
    Boot,

    /// <summary>Set-up, model and data on the running machine.</summary>
    Download,

    /// <summary>The program itself.</summary>
    Training,

    /// <summary>Files on their way home.</summary>
    Upload,
}

/// <summary>When the stretches of one attempt on one machine began and ended; null: nobody noted it.</summary>
/// <param name="Sent">The rent call.</param>
/// <param name="Up">The provider first said that it runs.</param>
/// <param name="Started">The program.</param>
/// <param name="Ended">The program, as we saw it.</param>
/// <param name="Home">Destroying was accepted: the files were home.</param>
public sealed record AttemptMoments(DateTimeOffset? Sent, DateTimeOffset? Up, DateTimeOffset? Started, DateTimeOffset? Ended, DateTimeOffset? Home)
{
    /// <summary>How long a part took; null: not known.</summary>
    public TimeSpan? Took(EstimatePart part) => part switch
    {
        EstimatePart.Boot => Between(Sent, Up),
        EstimatePart.Download => Between(Up, Started),
        EstimatePart.Training => Between(Started, Ended),
        EstimatePart.Upload => Between(Ended, Home),
    };

    private static TimeSpan? Between(DateTimeOffset? from, DateTimeOffset? until) => until - from is { } time && time >= TimeSpan.Zero ? time : null;
}
