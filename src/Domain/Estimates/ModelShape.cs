namespace Dashboard.Domain.Estimates;

/// <summary>The dimensions of a decoder-only language model, as its <c>config.json</c> has them.</summary>
/// <param name="Parameters">All of them, embeddings included.</param>
/// <param name="Layers">Transformer blocks.</param>
/// <param name="Hidden">Width of the residual stream.</param>
/// <param name="Intermediate">Width of the gated MLP.</param>
/// <param name="QueryWidth">Attention heads times head dimension.</param>
/// <param name="KeyValueWidth">Key-value heads times head dimension.</param>
/// <param name="Vocabulary">Rows of the embedding.</param>
/// <param name="TiedEmbeddings">Whether the head is the embedding itself.</param>
public sealed record ModelShape(double Parameters, int Layers, int Hidden, int Intermediate, int QueryWidth, int KeyValueWidth, int Vocabulary, bool TiedEmbeddings)
{
    /// <summary>Parameters that take part in one token: fewer in a mixture of experts. Null: all.</summary>
    public double? ActiveParameters { get; init; }

    /// <summary>Embedding and head. They stay in 16 bits whatever the quantization.</summary>
    public double EmbeddingParameters => (double)Vocabulary * Hidden * (TiedEmbeddings ? 1 : 2);
}

/// <summary>A linear layer of a block that an adapter can sit on.</summary>
public enum AdapterTarget
{
    Query,
    Key,
    Value,
    Output,
    Gate,
    Up,
    Down,

    /// <summary>Query, key and value in one matrix, as in Phi and Qwen 1.</summary>
    FusedQueryKeyValue,
}

/// <summary>How many parameters a low-rank adapter has.</summary>
public static class AdapterSize
{
    public static readonly IReadOnlyList<AdapterTarget> AllLinear =
        [AdapterTarget.Query, AdapterTarget.Key, AdapterTarget.Value, AdapterTarget.Output, AdapterTarget.Gate, AdapterTarget.Up, AdapterTarget.Down];

    /// <summary>Layers times the sum over targets of rank times (in + out).</summary>
    public static double Parameters(ModelShape model, int rank, IReadOnlyList<AdapterTarget> targets) =>
        (double)model.Layers * rank * targets.Sum(target => (double)In(model, target) + Out(model, target));

    internal static int In(ModelShape model, AdapterTarget target) => target switch
    {
        AdapterTarget.Query or AdapterTarget.Key or AdapterTarget.Value or AdapterTarget.FusedQueryKeyValue or AdapterTarget.Gate or AdapterTarget.Up => model.Hidden,
        AdapterTarget.Output => model.QueryWidth,
        AdapterTarget.Down => model.Intermediate,
    };

    private static int Out(ModelShape model, AdapterTarget target) => target switch
    {
        AdapterTarget.Query => model.QueryWidth,
        AdapterTarget.Key or AdapterTarget.Value => model.KeyValueWidth,
        AdapterTarget.FusedQueryKeyValue => model.QueryWidth + (2 * model.KeyValueWidth),
        AdapterTarget.Output or AdapterTarget.Down => model.Hidden,
        AdapterTarget.Gate or AdapterTarget.Up => model.Intermediate,
    };
}
