using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;

namespace Dashboard.Web.Features.Jobs;

/// <summary>How a job that has not ended will end, from its step speed once that has settled, before from what the form promised.</summary>
/// <param name="Left">Time to its end.</param>
/// <param name="More">Money from now to its end, expected.</param>
/// <param name="Low">All of it, lower end of the likely range.</param>
/// <param name="Expected">All of it.</param>
/// <param name="SettlesAtStep">The step from which measured speed is used; null once it is.</param>
public sealed record JobForecast(TimeSpan Left, Money More, Money Low, Money Expected, Money High, int? SettlesAtStep)
{
    /// <summary>Before this share of its steps the first ones (compilation, warm-up) still weigh too much.</summary>
    private const double SettledShare = 0.1;

    /// <summary>A settled speed stays within a tenth on the same machine.</summary>
    private const double SettledSpread = 0.1;

    /// <summary>Null when nothing is known: a person's script without a limit, or a job that has ended.</summary>
    /// <param name="rate">What it costs an hour once it runs.</param>
    public static JobForecast? Of(JobStatus status, CostEstimate? estimate, DateTimeOffset? startedAt, int? step, int? totalSteps, double? secondsPerStep, Money soFar, HourlyRate rate, DateTimeOffset now)
    {
        if (!JobRules.IsActive(status) || status is JobStatus.Collecting or JobStatus.Terminating)
        {
            return null;
        }

        var settlesAt = totalSteps is > 0 ? (int)Math.Ceiling(totalSteps.Value * SettledShare) : (int?)null;
        if (step >= settlesAt && totalSteps is { } total && secondsPerStep is > 0)
        {
            var left = TimeSpan.FromSeconds(Math.Max(0, total - step.Value) * secondsPerStep.Value);
            return Spread(left, soFar, rate.For(left), 1 - SettledSpread, 1 + SettledSpread, null);
        }

        if (estimate is null)
        {
            return null;
        }

        if (startedAt is not { } started)
        {
            return new(estimate.Duration, estimate.Expected, soFar + estimate.Low, soFar + estimate.Expected, soFar + estimate.High, settlesAt);
        }

        var rest = estimate.Duration - (now - started);
        rest = rest > TimeSpan.Zero ? rest : TimeSpan.Zero;
        var (low, high) = estimate.Expected > Money.Zero
            ? ((double)estimate.Low.Micros / estimate.Expected.Micros, (double)estimate.High.Micros / estimate.Expected.Micros)
            : (1, 1);
        return Spread(rest, soFar, rate.For(rest), low, high, settlesAt);
    }

    // Only what is still to come is uncertain; what was spent is spent.
    private static JobForecast Spread(TimeSpan left, Money soFar, Money more, double low, double high, int? settlesAt) =>
        new(left, more, soFar + Times(more, low), soFar + more, soFar + Times(more, high), settlesAt);

    private static Money Times(Money money, double factor) => new((long)Math.Round(money.Micros * factor));
}
