namespace Dashboard.Domain.Estimates;

/// <summary>How the frozen weights lie in memory.</summary>
public enum WeightFormat
{
    Bf16,
    EightBit,
    Nf4,

    /// <summary>Four bits with the scales quantized once more.</summary>
    Nf4Double,
}

/// <summary>How the adapter and its gradients are kept.</summary>
public enum AdapterPrecision
{
    /// <summary>PEFT's default: every input of an adapter is cast to fp32.</summary>
    Fp32,

    /// <summary>TRL on a quantized model, and trainers that keep everything in bf16.</summary>
    Bf16,
}

/// <summary>How the loss is computed from the last hidden state; decides how much of the logits exists at once.</summary>
public enum LossKernel
{
    /// <summary>All logits, in bf16 and in fp32.</summary>
    Plain,

    /// <summary>All logits, in bf16 only.</summary>
    FusedBf16,

    /// <summary>TRL's <c>chunked_nll</c> and torchtune's chunked output.</summary>
    Chunked,

    /// <summary>Unsloth and Liger: never any logits.</summary>
    FusedLinear,
}

/// <summary>What of a training decides its memory on one GPU.</summary>
/// <param name="MicroBatch">Samples in one forward pass.</param>
/// <param name="SequenceLength">Tokens of one sample, padded.</param>
public sealed record VramPlan(int Rank, IReadOnlyList<AdapterTarget> Targets, int MicroBatch, int SequenceLength)
{
    public WeightFormat Weights { get; init; }

    public AdapterPrecision Adapter { get; init; }

    public LossKernel Loss { get; init; }

    public bool GradientCheckpointing { get; init; } = true;

    public bool EightBitOptimizer { get; init; }

    public bool Dora { get; init; }

    /// <summary>Unsloth's kernels keep about seven tenths of the activations.</summary>
    public bool Unsloth { get; init; }

    /// <summary>Heads of an attention without FlashAttention or SDPA, which keeps its score matrices. Null: a fused attention.</summary>
    public int? EagerAttentionHeads { get; init; }
}

/// <summary>Whether a training fits into a GPU.</summary>
public enum VramFit
{
    Fits,

    /// <summary>From 85 % of the limit on: halve the batch and double the accumulation when in doubt.</summary>
    Tight,

    TooSmall,
}

/// <summary>Memory of one GPU by what it is for, in bytes. Promise ±15 %: the constants were chosen with published measurements in view.</summary>
public sealed record VramEstimate(double Weights, double Adapter, double Activations, double Logits, double Dequantized)
{
    private const double Fragmentation = 1.04;
    private const double ContextBytes = 1.0e9; // CUDA context, libraries, cuBLAS workspace
    private const double UsableShare = 0.94;
    private const double DriverBytes = 0.3e9;
    private const double TightFrom = 0.85;

    /// <summary>What the framework itself has allocated.</summary>
    public double Allocated => Weights + Adapter + Activations + Logits + Dequantized;

    /// <summary>What <c>nvidia-smi</c> would show.</summary>
    public double Total => (Fragmentation * Allocated) + ContextBytes;

    /// <summary>Against a GPU that reports <paramref name="vramMb"/> decimal megabytes.</summary>
    public VramFit Fit(int vramMb)
    {
        var limit = UsableShare * ((vramMb * 1e6) - DriverBytes);
        return Total > limit ? VramFit.TooSmall : Total > TightFrom * limit ? VramFit.Tight : VramFit.Fits;
    }
}

/// <summary>Memory that a LoRA training needs on one GPU, from the shape of its model. A run's own first peak replaces it.</summary>
public static class VramEstimator
{
    private const double UnslothActivations = 0.7;
    private const double DoraAdapter = 1.03;
    private const int ChunkTokens = 512;

    public static VramEstimate Estimate(ModelShape model, VramPlan plan)
    {
        var embeddings = model.EmbeddingParameters;
        var tokens = (double)plan.MicroBatch * plan.SequenceLength;
        var quantized = plan.Weights is not WeightFormat.Bf16;
        return new VramEstimate(
            ((model.Parameters - embeddings) * BytesPerWeight(plan.Weights)) + (2 * embeddings),
            Adapter(model, plan),
            Activations(model, plan, tokens) * (plan.Unsloth ? UnslothActivations : 1),
            Logits(model, plan.Loss, tokens),
            quantized ? 2.0 * model.Hidden * model.Intermediate : 0);
    }

    private static double BytesPerWeight(WeightFormat format) => format switch
    {
        WeightFormat.Bf16 => 2,
        WeightFormat.EightBit => 1.01,
        WeightFormat.Nf4 => 0.5625,
        WeightFormat.Nf4Double => 0.516,
    };

    // Weight, gradient and Adam's two moments.
    private static double Adapter(ModelShape model, VramPlan plan)
    {
        var (weight, gradient, moments) = plan.Adapter switch
        {
            AdapterPrecision.Fp32 => (4, 4, 8),
            AdapterPrecision.Bf16 => (2, 2, 4),
        };
        var bytes = AdapterSize.Parameters(model, plan.Rank, plan.Targets) * (weight + gradient + (plan.EightBitOptimizer ? 2 : moments));
        return plan.Dora ? (bytes * DoraAdapter) + ((double)model.Hidden * model.Intermediate) : bytes;
    }

    // With checkpointing each layer keeps its input, and one layer at a time everything.
    private static double Activations(ModelShape model, VramPlan plan, double tokens)
    {
        var (h, q, kv, i) = ((double)model.Hidden, (double)model.QueryWidth, (double)model.KeyValueWidth, (double)model.Intermediate);
        var casts = plan.Adapter switch
        {
            AdapterPrecision.Fp32 => 4 * plan.Targets.Sum(target => (double)AdapterSize.In(model, target)),
            AdapterPrecision.Bf16 => h + q + h + i,
        };
        var layer = (2 * ((5 * h) + (2 * q) + (2 * kv) + (4 * i))) + casts + (5.0 * (plan.EagerAttentionHeads ?? 0) * plan.SequenceLength);
        return plan.GradientCheckpointing ? tokens * ((2 * h * model.Layers) + layer) : tokens * model.Layers * layer;
    }

    private static double Logits(ModelShape model, LossKernel loss, double tokens) => loss switch
    {
        LossKernel.Plain => tokens * model.Vocabulary * 10,
        LossKernel.FusedBf16 => tokens * model.Vocabulary * 4,
        LossKernel.Chunked => (Math.Min(tokens, ChunkTokens) * model.Vocabulary * 6) + (4 * tokens * model.Hidden),
        LossKernel.FusedLinear => 4 * tokens * model.Hidden,
    };
}
