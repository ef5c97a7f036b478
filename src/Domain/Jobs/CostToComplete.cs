using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Jobs;

/// <summary>A job that has not ended, as far as its end depends on it.</summary>
/// <param name="Promised">What the form said; null when no offer was known.</param>
/// <param name="EvaluationEvery">Steps between two evaluations where that is known; null for a person's script.</param>
/// <param name="SecondsPerStep">Median of the last steps, used where <paramref name="Pace"/> has too little.</param>
/// <param name="Spent">Until now.</param>
/// <param name="Rate">What it costs an hour once it runs.</param>
public sealed record RunSoFar(
    JobStatus Status, CostEstimate? Promised, DateTimeOffset? StartedAt, int? Step, int? TotalSteps, StepPace Pace, int? EvaluationEvery, double? SecondsPerStep, Money Spent, HourlyRate Rate)
{
    /// <summary>Of a job and its latest attempt.</summary>
    public static RunSoFar Of(Job job, Attempt? attempt, Money spent, HourlyRate rate) => new(
        job.Status, job.Estimate, job.StartedAt, attempt?.Step, attempt?.TotalSteps, attempt?.Pace ?? StepPace.Unknown, EvaluationsOf(job.Spec), attempt?.SecondsPerStep, spent, rate);

    public static int? EvaluationsOf(TrainingSpec spec) => spec.Command is null && spec.Eval.Steps > 0 ? spec.Eval.Steps : null;
}

/// <summary>How a job that has not ended will end: from its steps once they say enough, before from what the form promised.</summary>
/// <param name="Left">Time to its end.</param>
/// <param name="More">Money from now to its end, expected.</param>
/// <param name="Low">All of it, lower end of the range that holds nine of ten.</param>
/// <param name="Expected">All of it.</param>
/// <param name="SettlesAtStep">The step from which measured speed is used; null once it is.</param>
public sealed record CostToComplete(TimeSpan Left, Money More, Money Low, Money Expected, Money High, int? SettlesAtStep)
{
    /// <summary>Before this share of its steps the first ones (compilation, warm-up) still weigh too much.</summary>
    private const double SettledShare = 0.1;

    /// <summary>Of a speed that is known as one number alone.</summary>
    private const double MedianSpread = 0.1;

    private static readonly TimeSpan Longest = TimeSpan.FromDays(999);

    /// <summary>Null when nothing is known: a person's script without a limit, or a job that ends, rests or has ended.</summary>
    public static CostToComplete? Of(RunSoFar run, DateTimeOffset now)
    {
        if (!JobRules.IsActive(run.Status) || run.Status is JobStatus.Collecting or JobStatus.Terminating)
        {
            return null;
        }

        var settlesAt = run.TotalSteps is > 0 ? (int)Math.Ceiling(run.TotalSteps.Value * SettledShare) : (int?)null;
        if (run is { Step: { } step, TotalSteps: { } total } && step >= settlesAt && Measured(run, step, total) is { } rest)
        {
            return Spread(run, Span(rest.Expected), Span(rest.Low), Span(rest.High), null);
        }

        if (run.Promised is not { } promised)
        {
            return null;
        }

        if (run.StartedAt is not { } started)
        {
            return new(promised.Duration, promised.Expected, run.Spent + promised.Low, run.Spent + promised.Expected, run.Spent + promised.High, settlesAt);
        }

        var left = promised.Duration - (now - started);
        left = left > TimeSpan.Zero ? left : TimeSpan.Zero;
        var (low, high) = promised.Expected > Money.Zero
            ? ((double)promised.Low.Micros / promised.Expected.Micros, (double)promised.High.Micros / promised.Expected.Micros)
            : (1, 1);
        return Spread(run, left, left * low, left * high, settlesAt);
    }

    private static RestOfRun? Measured(RunSoFar run, int step, int total) =>
        RestOfRun.Of(run.Pace, step, total, run.EvaluationEvery)
        ?? (run.SecondsPerStep is > 0 and var median && Math.Max(0, total - step) * median is var seconds ? new RestOfRun(seconds, seconds * (1 - MedianSpread), seconds * (1 + MedianSpread)) : null);

    // Only what is still to come is uncertain; what was spent is spent.
    private static CostToComplete Spread(RunSoFar run, TimeSpan left, TimeSpan low, TimeSpan high, int? settlesAt) =>
        new(left, run.Rate.For(left), run.Spent + run.Rate.For(low), run.Spent + run.Rate.For(left), run.Spent + run.Rate.For(high), settlesAt);

    private static TimeSpan Span(double seconds) => TimeSpan.FromSeconds(Math.Clamp(seconds, 0, Longest.TotalSeconds));
}
