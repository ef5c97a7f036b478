namespace Dashboard.Domain.Estimates;

/// <summary>What of the method decides how much of a GPU's peak is reached.</summary>
public sealed record TrainingMethod
{
    /// <summary>Four or eight bits: weights are unpacked for every use.</summary>
    public bool Quantized { get; init; }

    public bool Unsloth { get; init; }

    public bool Dora { get; init; }

    public bool MixtureOfExperts { get; init; }

    public bool GradientCheckpointing { get; init; } = true;

    /// <summary>Unpacked samples below 400 tokens on average, one at a time: the GPU waits for its next kernel.</summary>
    public bool ShortSamples { get; init; }
}

/// <summary>The cards of one machine.</summary>
/// <param name="DenseTflops">One card's bf16 peak without sparsity; fp16 where it has no bf16.</param>
/// <param name="ComputeCapability">9.0 is H100.</param>
/// <param name="Count">Cards that train together.</param>
public sealed record GpuPower(double DenseTflops, decimal ComputeCapability, int Count = 1)
{
    /// <summary>A card of about 70 W (T4, L4) does not keep its peak clocks.</summary>
    public bool LowPower { get; init; }
}

/// <summary>How much there is to train.</summary>
/// <param name="Tokens">Of all epochs together.</param>
/// <param name="Steps">Optimizer steps.</param>
/// <param name="EvaluationTokens">Of all evaluations together; each costs a third of a trained one.</param>
/// <param name="Checkpoints">Time spent writing them.</param>
public sealed record TrainingLoad(double Tokens, double Steps = 0, double EvaluationTokens = 0, TimeSpan Checkpoints = default);

/// <summary>A time and the band that a first estimate is shown as; never one number alone.</summary>
public sealed record TimeEstimate(TimeSpan Expected)
{
    public const double LowFactor = 0.6;
    public const double HighFactor = 1.7;

    public TimeSpan Low => Expected * LowFactor;

    public TimeSpan High => Expected * HighFactor;
}

/// <summary>Training time from the arithmetic that has to be done and the share of a GPU's peak that published runs reached.</summary>
public static class TrainingTimeEstimator
{
    private const double SecondsPerStep = 0.05;
    private const double EvaluationCost = 1.0 / 3;
    private const double Scaling = 0.95; // exponent: eight cards do the work of 7.2
    private const double SmallModel = 2e9;
    private const decimal Hopper = 9.0m;

    public static TimeEstimate Estimate(ModelShape model, TrainingMethod method, GpuPower gpu, TrainingLoad load)
    {
        // Forward, the gradient of the inputs, and the recomputation: two each. The weights are frozen and have no gradient.
        var operationsPerToken = (method.GradientCheckpointing ? 6 : 4) * (model.ActiveParameters ?? model.Parameters) * (method.MixtureOfExperts ? 1.3 : 1);
        var operationsPerSecond = gpu.DenseTflops * 1e12 * Utilization(model, method, gpu) * Math.Pow(gpu.Count, Scaling);
        var tokens = load.Tokens + (load.EvaluationTokens * EvaluationCost);
        return new TimeEstimate(TimeSpan.FromSeconds((tokens * operationsPerToken / operationsPerSecond) + (load.Steps * SecondsPerStep)) + load.Checkpoints);
    }

    /// <summary>Share of the peak that is reached: medians of published runs.</summary>
    private static double Utilization(ModelShape model, TrainingMethod method, GpuPower gpu)
    {
        var share = (method.Unsloth, method.Quantized) switch
        {
            (false, false) => 0.42,
            (false, true) => 0.34,
            (true, false) => 0.50,
            (true, true) => 0.45,
        };
        return share
            * (model.Parameters < SmallModel ? 0.75 : 1) // seen on an A100 and on an RTX 4060 alike
            * (gpu.ComputeCapability >= Hopper && gpu.DenseTflops > HopperTflops ? 0.75 : 1)
            * (method.ShortSamples ? 0.6 : 1)
            * (gpu.LowPower ? 0.65 : 1)
            / (method.Dora ? 1.26 : 1);
    }

    // Blackwell GeForce cards have a newer compute capability than H100 and none of its appetite.
    private const double HopperTflops = 700;
}
