using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dashboard.Domain.Jobs;

/// <summary>
/// What to run, in the words of the machine's <c>spec.json</c> (version 1). Stored with the job as it was asked for.
/// The server adds the attempt's own keys (<c>attempt</c>, <c>job</c>, <c>limits</c>) when it sends it.
/// </summary>
public sealed record TrainingSpec
{
    /// <summary>Version of these keys; 1.</summary>
    public int V { get; init; } = 1;

    /// <summary>Which preset it came from, see <see cref="Presets"/>.</summary>
    public required string Preset { get; init; }

    /// <summary><c>auto, unsloth, trl, hf, stdlib, command</c>.</summary>
    public string Backend { get; init; } = "auto";

    public ModelSpec Model { get; init; } = new();

    public MethodSpec Method { get; init; } = new();

    /// <summary><c>none, nf4, int8</c>.</summary>
    public string Quant { get; init; } = "none";

    public string Precision { get; init; } = "auto";

    public DataSpec Data { get; init; } = new();

    public TrainSpec Train { get; init; } = new();

    public SaveSpec Save { get; init; } = new();

    public EvalSpec Eval { get; init; } = new();

    /// <summary>Seconds to sleep after each step; for demonstrations.</summary>
    public decimal PaceS { get; init; }

    /// <summary>Set when a script of the person's own runs instead of a trainer.</summary>
    public CommandSpec? Command { get; init; }

    /// <summary>Container image.</summary>
    public string Image { get; init; } = "python:3.12-slim";

    /// <summary>Disk to rent, decimal gigabytes.</summary>
    public decimal DiskGb { get; init; } = 10;

    /// <summary>The names as the machine's spec.json has them.</summary>
    public static JsonSerializerOptions Json { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };
}

/// <param name="Id">Hub id, or <c>smoke</c>.</param>
/// <param name="Revision">Commit of the hub repository.</param>
/// <param name="Local">A directory inside the bundle.</param>
public sealed record ModelSpec(string Id = "smoke", string? Revision = null, string? Local = null);

/// <param name="Kind"><c>lora, rslora, dora, qlora, pissa</c>.</param>
public sealed record MethodSpec(string Kind = "lora", int R = 8, int Alpha = 16, decimal Dropout = 0, IReadOnlyList<string>? Targets = null, bool Rslora = false, bool Dora = false, string? Init = null);

/// <param name="Train">File name inside the bundle's <c>data/</c>.</param>
/// <param name="LossOn"><c>completion, all</c>.</param>
public sealed record DataSpec(string? Train = null, string? Valid = null, string Format = "text", int MaxLength = 2048, bool Packing = false, string LossOn = "all");

public sealed record TrainSpec(decimal Epochs = 1, int? MaxSteps = 900, decimal Lr = 0.01m, string Scheduler = "cosine", int WarmupSteps = 20, int Batch = 128, int Accumulation = 1, decimal MaxGradNorm = 1.0m, decimal WeightDecay = 0, string Optim = "adamw_torch", int Seed = 1);

/// <param name="Steps">A checkpoint every so many steps.</param>
/// <param name="Keep">How many stay on the machine.</param>
public sealed record SaveSpec(int Steps = 100, int Keep = 2);

public sealed record EvalSpec(int Steps = 50);

/// <param name="Script">Shell script text, run with <c>sh</c>.</param>
/// <param name="Collect">Files to bring home: names or patterns below the working directory.</param>
public sealed record CommandSpec(string Script, IReadOnlyList<string> Collect);

/// <summary>The names a job's <see cref="TrainingSpec.Preset"/> can have.</summary>
public static class Presets
{
    public const string Smoke = "smoke";

    public const string Command = "command";
}
