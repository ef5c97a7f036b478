namespace Dashboard.Domain.Estimates;

/// <summary>How far one run was from its estimate.</summary>
/// <param name="Log">ln(actual / predicted): 0.1 is about ten percent more. One run never counts for more than <see cref="Most"/>.</param>
public readonly record struct Miss(DateTimeOffset At, double Log)
{
    public const double Most = 1.5;

    public static Miss Of(DateTimeOffset at, double actual, double predicted) => new(at, Math.Clamp(Math.Log(actual / predicted), -Most, Most));
}

/// <summary>
/// What our own runs say an estimate has to be multiplied with, and how widely they scatter around that. Few runs hardly move
/// it away from what is known of the wider kind: the machine learns from its GPU model, that from all models.
/// </summary>
/// <param name="Factor">Typical actual over predicted.</param>
/// <param name="Spread">Standard deviation of ln(actual / predicted) around it.</param>
/// <param name="Weight">Runs that it was learned from, old ones counting less.</param>
public sealed record LearnedFactor(double Factor, double Spread, double Weight)
{
    public static readonly TimeSpan HalfLife = TimeSpan.FromDays(90);

    /// <summary>Spread of training times while nothing was learned.</summary>
    public const double TrainingSpread = 0.35;

    private const double PseudoRuns = 3; // at the parent's factor
    private const double P90 = 1.28; // standard deviations

    /// <summary>Nothing is known: the estimate as it is.</summary>
    public static LearnedFactor Unknown(double spread) => new(1, spread, 0);

    /// <summary>One run in ten is shorter.</summary>
    public double Low => Factor * Math.Exp(-P90 * Spread);

    /// <summary>One run in ten is longer.</summary>
    public double High => Factor * Math.Exp(P90 * Spread);

    /// <param name="misses">Of this kind: a machine's, a GPU model's, all.</param>
    /// <param name="parent">What is known of the wider kind.</param>
    public static LearnedFactor Of(IEnumerable<Miss> misses, LearnedFactor parent, DateTimeOffset now)
    {
        var weighed = misses.Select(miss => (miss.Log, Weight: Math.Pow(0.5, Math.Max(0, (now - miss.At) / HalfLife)))).ToList();
        var weight = weighed.Sum(run => run.Weight);
        var log = (weighed.Sum(run => run.Weight * run.Log) + (PseudoRuns * Math.Log(parent.Factor))) / (weight + PseudoRuns);
        var variance = ((PseudoRuns * parent.Spread * parent.Spread) + weighed.Sum(run => run.Weight * (run.Log - log) * (run.Log - log))) / (weight + PseudoRuns);
        return new LearnedFactor(Math.Exp(log), Math.Sqrt(variance), weight);
    }
}
