namespace Dashboard.Domain.Jobs;

/// <summary>Seconds that a run still needs, evaluations included. Nine of ten runs end between the two ends.</summary>
public readonly record struct RestOfRun(double Expected, double Low, double High)
{
    /// <summary>Fewer stretches say nothing about their spread.</summary>
    private const int LeastStretches = 4;

    private const int EnoughStretches = 12;

    /// <summary>A stretch slower than the usual one by this is warm-up at the start, and a hiccup later.</summary>
    private const double WarmUp = 1.25;
    private const double Hiccup = 2;

    /// <summary>Hiccups that were seen come again this often: a rare one must not be multiplied by the whole rest.</summary>
    private const double HiccupsReturn = 0.5;

    /// <summary>By how much a machine's speed wanders over a whole run (heat, neighbours, longer samples), from its first half to its second, as a standard deviation.</summary>
    private const double Wander = 0.06;

    /// <summary>An evaluation nobody has seen yet, in steps, and how far that may be off.</summary>
    private const double UnseenEvaluation = 20;

    private const double NinetyPercent = 1.645; // standard deviations to each side

    /// <param name="evaluationEvery">Steps between two; null: as often as there were.</param>
    /// <returns>Null while too little was measured.</returns>
    public static RestOfRun? Of(StepPace pace, int step, int total, int? evaluationEvery)
    {
        var stretches = Stretches(pace);
        if (stretches.Count < LeastStretches)
        {
            return null;
        }

        var left = Math.Max(0, total - step);
        var usual = Median([.. stretches.Skip(stretches.Count / 2).Select(s => s.PerStep)]);
        List<(int Steps, double PerStep)> steady = [.. stretches.Skip(stretches.FindIndex(s => s.PerStep <= usual * WarmUp))];
        steady = steady.Count < LeastStretches ? stretches : steady;

        // The later half is nearer to what comes, as long as there is enough of it.
        var recent = steady.Count < EnoughStretches ? steady : steady[(steady.Count / 2)..];
        var calm = recent.FindAll(s => s.PerStep <= usual * Hiccup);
        var perStep = calm.Sum(s => s.PerStep * s.Steps) / calm.Sum(s => s.Steps);
        var hiccups = steady.Where(s => s.PerStep > usual * Hiccup).Sum(s => (s.PerStep - perStep) * s.Steps) / steady.Sum(s => s.Steps);
        var variance = calm.Count < 2 ? 0 : calm.Sum(s => (s.PerStep - perStep) * (s.PerStep - perStep)) / (calm.Count - 1);

        // The error of the mean that was measured, and how far the speed wanders from the middle of that to the middle of what is left.
        var meanError = Math.Sqrt(variance / calm.Count) * left;
        var middle = step - (recent.Sum(s => s.Steps) / 2d);
        var wander = Wander * 2 * (((step + total) / 2d) - middle) / Math.Max(1, total) * perStep * left;
        var (evaluations, evaluationError) = Evaluations(pace, step, total, evaluationEvery, perStep);
        var repeats = hiccups * HiccupsReturn * left;

        var expected = (perStep * left) + repeats + evaluations;
        var error = NinetyPercent * Math.Sqrt((meanError * meanError) + (wander * wander) + (evaluationError * evaluationError) + (repeats * repeats));
        return new RestOfRun(expected, Math.Max(0, expected - error), expected + error);
    }

    private static (double Seconds, double Error) Evaluations(StepPace pace, int step, int total, int? every, double perStep)
    {
        var measured = Math.Max(1, step - pace.Steps[0]);
        var toCome = every is { } known ? (total / known) - (step / known) : (double)pace.Evaluations / measured * (total - step);
        if (pace.Evaluations == 0)
        {
            return (Math.Max(0, toCome) * UnseenEvaluation * perStep, Math.Max(0, toCome) * UnseenEvaluation * perStep);
        }

        // One evaluation is like the next, but for the odd one.
        var seconds = Math.Max(0, toCome) * pace.EvaluationSeconds / pace.Evaluations;
        return (seconds, seconds * 0.2 / Math.Sqrt(pace.Evaluations));
    }

    private static List<(int Steps, double PerStep)> Stretches(StepPace pace)
    {
        var stretches = new List<(int Steps, double PerStep)>();
        for (var at = 1; at < pace.Steps.Count; at++)
        {
            var steps = pace.Steps[at] - pace.Steps[at - 1];
            stretches.Add((steps, (pace.Seconds[at] - pace.Seconds[at - 1]) / steps));
        }

        return stretches;
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
