using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Jobs;

/// <summary>When a run that does not get on is stopped: hung, or diverged. What is slow and healthy is left alone.</summary>
public static class HealthRules
{
    /// <summary>Usual steps without one.</summary>
    private const int Patience = 20;

    private static readonly TimeSpan Shortest = TimeSpan.FromMinutes(15);

    /// <summary>Compilation and the first batches; nobody knows a usual step yet.</summary>
    private static readonly TimeSpan FirstStep = TimeSpan.FromMinutes(30);

    /// <summary>An evaluation or a checkpoint may be in progress.</summary>
    private static readonly TimeSpan BetweenSteps = TimeSpan.FromHours(1);

    /// <summary>Downloads, loading and saving report as they go; without a word for so long they do not.</summary>
    private static readonly TimeSpan OtherPhase = TimeSpan.FromHours(2);

    /// <summary>One overflow can be skipped by the optimiser; two logged in a row are not.</summary>
    private const int NotFiniteLines = 2;

    private const int HighLines = 5;

    private const double TimesTheFirst = 3;

    /// <summary>Losses above it are too high. A script's own numbers are judged only when a person names the bound.</summary>
    public static double? Bound(TrainingSpec spec, HealthLimits limits, double? firstLoss) =>
        limits.MaxLoss ?? (spec.Command is null && firstLoss > 0 ? firstLoss * TimesTheFirst : null);

    /// <summary>How long no sign of progress is normal now; null: for ever.</summary>
    /// <param name="step">The last one.</param>
    /// <param name="secondsPerStep">As measured; null before that.</param>
    public static TimeSpan? Silence(TrainingSpec spec, HealthLimits limits, RunHealth health, int? step, int? total, double? secondsPerStep)
    {
        if (limits.NoStepFor == TimeSpan.Zero || (spec.Command is not null && secondsPerStep is null && limits.NoStepFor is null))
        {
            return null; // asked not to, or a script that never said what a step is
        }

        if (health.Phase is not (null or "train"))
        {
            return Longest(OtherPhase, limits.NoStepFor ?? TimeSpan.Zero);
        }

        var usual = secondsPerStep is { } pace ? Longest(Shortest, TimeSpan.FromSeconds(pace * Patience)) : FirstStep;
        var limit = limits.NoStepFor ?? usual;
        var evaluation = TimeSpan.FromSeconds((health.LongestEvaluation ?? 0) * Patience);
        return IsBetweenSteps(spec, step, total) ? Longest(limit, Longest(BetweenSteps, evaluation)) : limit;
    }

    /// <summary>Why the run is to stop itself now, as a sentence; null while all is well.</summary>
    public static (StopReason Reason, string What)? Verdict(TrainingSpec spec, HealthLimits limits, RunHealth health, int? step, int? total, double? secondsPerStep, DateTimeOffset now)
    {
        if (health.NotFinite >= NotFiniteLines)
        {
            return (StopReason.Diverged, $"Loss became NaN at step {health.NotFiniteFrom}, {Later(step, health.NotFiniteFrom)}.{LearningRate(spec)}");
        }

        if (health.High >= HighLines)
        {
            return (StopReason.Diverged, $"Loss rose above {Bound(spec, limits, health.FirstLoss):0.###} at step {health.HighFrom} and stayed there, {Later(step, health.HighFrom)}.{LearningRate(spec)}");
        }

        return health.MovedAt is { } moved && Silence(spec, limits, health, step, total, secondsPerStep) is { } most && now - moved > most
            ? (StopReason.Hung, $"No step for {Words(now - moved)}{(secondsPerStep is { } pace ? $" (usual {Words(TimeSpan.FromSeconds(pace))})" : "")}; stopped at step {step ?? 0}.")
            : null;
    }

    /// <summary>What the rest of the run would have cost; null when nobody knows how long it is.</summary>
    public static Money? Saved(int? step, int? total, double? secondsPerStep, HourlyRate rate) =>
        total > step && secondsPerStep is { } pace ? rate.For(TimeSpan.FromSeconds((total.Value - step.Value) * pace)) : null;

    private static bool IsBetweenSteps(TrainingSpec spec, int? step, int? total) =>
        spec.Command is null && step is > 0 and { } last && (last % Math.Max(1, spec.Eval.Steps) == 0 || last % Math.Max(1, spec.Save.Steps) == 0 || last == total);

    private static string Later(int? step, int? from) => step > from ? $"stopped {step - from} steps later" : "stopped";

    /// <summary>The likeliest cause, when it is plain to see.</summary>
    private static string LearningRate(TrainingSpec spec)
    {
        const decimal usual = 0.01m; // of the built-in trainer
        return spec.Command is null && spec.Train.Lr >= 5 * usual ? $" Learning rate {spec.Train.Lr:0.####} is {spec.Train.Lr / usual:0} times the usual." : "";
    }

    private static TimeSpan Longest(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static string Words(TimeSpan time) => time < TimeSpan.FromSeconds(10) ? $"{time.TotalSeconds:0.##} s" : time < TimeSpan.FromMinutes(2) ? $"{time.TotalSeconds:0} s" : $"{time.TotalMinutes:0} min";
}
