using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Jobs;

/// <summary>What one line of a run's metrics says of its health.</summary>
/// <param name="Step">Of a training or evaluation line.</param>
/// <param name="Training">Whether it is a training step; else an evaluation, a checkpoint or a change of phase: a sign of life all the same.</param>
/// <param name="Loss">Null where the line has none.</param>
/// <param name="NotFinite">The loss was NaN or infinite.</param>
/// <param name="EvaluationSeconds">Of an evaluation.</param>
/// <param name="Phase">What begins, where it says so.</param>
/// <param name="Clock">The machine's, Unix seconds; null where the line has none.</param>
public readonly record struct RunSign(int? Step, bool Training, double? Loss = null, bool NotFinite = false, double? EvaluationSeconds = null, string? Phase = null, double? Clock = null);

/// <summary>Health of a run, folded from its signs one by one.</summary>
public sealed record RunHealth
{
    public static RunHealth Unknown { get; } = new();

    /// <summary>When a sign of progress last came, by our clock, less the time in which nobody could see the machine.</summary>
    public DateTimeOffset? MovedAt { get; init; }

    /// <summary>What the program said it is doing: <c>download, load, train, save</c> and so on.</summary>
    public string? Phase { get; init; }

    /// <summary>The first loss that was logged, over all attempts.</summary>
    public double? FirstLoss { get; init; }

    /// <summary>Logged losses in a row that are not finite, and the step of the first of them.</summary>
    public int NotFinite { get; init; }

    public int? NotFiniteFrom { get; init; }

    /// <summary>Logged losses in a row above the bound, and the step of the first of them.</summary>
    public int High { get; init; }

    public int? HighFrom { get; init; }

    /// <summary>The longest evaluation so far, seconds.</summary>
    public double? LongestEvaluation { get; init; }

    /// <summary>What stopping it early saved; null when it was not, or nobody can say.</summary>
    public Money? Saved { get; init; }

    /// <param name="bound">Losses above it are too high; null: none is.</param>
    public RunHealth With(RunSign sign, double? bound, DateTimeOffset now)
    {
        var moved = this with { MovedAt = now, Phase = sign.Phase ?? Phase };
        if (sign.EvaluationSeconds is { } seconds)
        {
            return moved with { LongestEvaluation = Math.Max(seconds, LongestEvaluation ?? 0) };
        }

        if (!sign.Training || (sign.Loss is null && !sign.NotFinite))
        {
            return moved;
        }

        var high = sign.Loss > bound;
        return moved with
        {
            FirstLoss = FirstLoss ?? sign.Loss,
            NotFinite = sign.NotFinite ? NotFinite + 1 : 0,
            NotFiniteFrom = sign.NotFinite ? NotFiniteFrom ?? sign.Step : null,
            High = high ? High + 1 : 0,
            HighFrom = high ? HighFrom ?? sign.Step : null,
        };
    }
}
