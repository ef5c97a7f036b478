namespace Dashboard.Domain.Jobs;

/// <summary>How fast a run makes its steps, folded from its signs one by one and small whatever its length: moments at even distances, and its evaluations apart.</summary>
/// <param name="Steps">Ascending; the last one is the newest.</param>
/// <param name="Seconds">When each was made, from the first sign on, by the machine's clock and without evaluations. Saving, waiting and hiccups are in it: they are billed.</param>
/// <param name="Began">The machine's clock at the first sign, Unix seconds.</param>
/// <param name="Evaluations">How many there were, and the seconds all of them took.</param>
public sealed record StepPace(IReadOnlyList<int> Steps, IReadOnlyList<double> Seconds, double Began, int Evaluations, double EvaluationSeconds)
{
    private const int Most = 48;

    public static StepPace Unknown { get; } = new([], [], 0, 0, 0);

    /// <summary>Steps between two moments that are kept, at least.</summary>
    private int Stride => Steps.Count < 3 ? 1 : Steps[1] - Steps[0];

    public StepPace With(RunSign sign)
    {
        if (sign.EvaluationSeconds is { } took)
        {
            return Steps.Count == 0 ? this : this with { Evaluations = Evaluations + 1, EvaluationSeconds = EvaluationSeconds + Math.Max(0, took) };
        }

        if (!sign.Training || sign is not { Step: { } step, Clock: { } clock })
        {
            return this;
        }

        var at = clock - Began - EvaluationSeconds;
        if (Steps.Count == 0 || step <= Steps[^1] || at < Seconds[^1])
        {
            return new StepPace([step], [0], clock, 0, 0); // the first one, or the program or its clock began anew
        }

        // The newest moment is kept only once it is a stride from the one before.
        var keep = Steps.Count >= 2 && Steps[^1] - Steps[^2] < Stride ? Steps.Count - 1 : Steps.Count;
        var grown = this with { Steps = [.. Steps.Take(keep), step], Seconds = [.. Seconds.Take(keep), at] };
        return grown.Steps.Count <= Most ? grown : grown with { Steps = EveryOther(grown.Steps), Seconds = EveryOther(grown.Seconds) };
    }

    private static List<T> EveryOther<T>(IReadOnlyList<T> all) => [.. all.Where((_, at) => at % 2 == 0 || at == all.Count - 1)];
}
