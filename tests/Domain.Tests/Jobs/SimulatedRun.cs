using Dashboard.Domain.Jobs;

namespace Dashboard.Domain.Tests.Jobs;

/// <summary>
/// A training run as machines make them, drawn step by step: the first steps are slow (compilation, caches), every so
/// many an evaluation comes between, the speed drifts over the whole run, and now and then something holds it up. It
/// knows nothing of how runs are estimated.
/// </summary>
internal sealed class SimulatedRun
{
    private const double Began = 1_790_000_000;

    private readonly List<(int Step, double At, double? Evaluation)> _moments = [];

    public SimulatedRun(int seed)
    {
        var random = new Random(seed);
        Total = (int)Math.Exp(Between(random, Math.Log(300), Math.Log(20_000)));
        EvaluationEvery = Math.Max(5, (int)(Total * Between(random, 0.005, 0.15)));
        var step = Math.Exp(Between(random, Math.Log(0.05), Math.Log(12))); // seconds
        var noise = Between(random, 0.02, 0.25);
        var warmUp = random.Next(1, Math.Max(2, Math.Min(40, Total / 30)));
        var warmUpSlower = Between(random, 1.5, 12);
        var drift = Between(random, -0.12, 0.12); // of the speed, from the first step to the last
        var evaluation = step * Between(random, 4, 40);
        var hiccupEvery = Between(random, 200, 3_000); // steps
        var hiccup = step * Between(random, 5, 60);

        var clock = 0d;
        for (var made = 1; made <= Total; made++)
        {
            var takes = step * (1 + (drift * made / Total)) * Math.Exp((noise * Normal(random)) - (noise * noise / 2));
            takes *= made <= warmUp ? warmUpSlower : 1;
            takes += random.NextDouble() < 1 / hiccupEvery ? hiccup * Between(random, 0.2, 2) : 0;
            clock += takes;
            _moments.Add((made, clock, null));
            if (made % EvaluationEvery == 0)
            {
                var took = evaluation * Between(random, 0.9, 1.1);
                clock += took;
                _moments.Add((made, clock, took));
            }
        }

        Seconds = clock;
    }

    public int Total { get; }

    public int EvaluationEvery { get; }

    /// <summary>From its first step to its last, evaluations included.</summary>
    public double Seconds { get; }

    /// <summary>When it has made so many steps.</summary>
    public double At(int step) => _moments.Last(m => m.Step == step).At;

    /// <summary>What the machine says until then.</summary>
    public StepPace PaceAt(int step) => _moments.TakeWhile(m => m.Step <= step).Aggregate(StepPace.Unknown, (pace, m) => pace.With(m.Evaluation is { } took
        ? new RunSign(m.Step, Training: false, EvaluationSeconds: took)
        : new RunSign(m.Step, Training: true, Clock: Began + m.At)));

    private static double Between(Random random, double low, double high) => low + (random.NextDouble() * (high - low));

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
