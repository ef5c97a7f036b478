using System.Text.Json;

namespace Dashboard.Infrastructure.Logs;

/// <summary>What a line of <c>metrics.jsonl</c> reports.</summary>
public enum MetricKind
{
    Start,
    Train,
    Eval,
    Checkpoint,
    Phase,
    End,
}

/// <summary>One line of <c>metrics.jsonl</c>, as the trainer wrote it.</summary>
/// <param name="Unix">Seconds by the machine's clock.</param>
/// <param name="Attempt">The attempt whose file it is in.</param>
/// <param name="Step">Null for kinds without one.</param>
/// <param name="Loss"><c>loss</c> of a training step, <c>eval_loss</c> of an evaluation; null where absent or not finite.</param>
/// <param name="Fields">All of the object, unknown keys included.</param>
public sealed record MetricPoint(MetricKind Kind, double Unix, int Attempt, long? Step, double? Loss, JsonElement Fields)
{
    private const int MaxDepth = 8;

    /// <summary>Null for a line that is no metric: a machine may write anything.</summary>
    public static MetricPoint? Parse(ReadOnlySpan<byte> line, int attempt)
    {
        try
        {
            var reader = new Utf8JsonReader(line, new JsonReaderOptions { MaxDepth = MaxDepth });
            var fields = JsonElement.ParseValue(ref reader);
            if (fields.ValueKind is not JsonValueKind.Object || Kinds(fields) is not { } kind)
            {
                return null;
            }

            var loss = Number(fields, kind is MetricKind.Eval ? "eval_loss" : "loss");
            var step = Number(fields, "step") is { } whole and >= 0 and < 1e15 ? (long)whole : (long?)null;
            return new MetricPoint(kind, Number(fields, "t") ?? 0, attempt, step, loss, fields);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Whether the loss was NaN or infinite, which JSON cannot hold: the trainer writes null and says so.</summary>
    public bool NotFinite => Loss is null && Fields.TryGetProperty("nonfinite", out var name) && name.ValueKind is JsonValueKind.String && name.ValueEquals(Kind is MetricKind.Eval ? "eval_loss" : "loss");

    /// <summary>What begins, as the program names it; null for other kinds and for names that are none.</summary>
    public string? Phase => Kind is MetricKind.Phase && Fields.TryGetProperty("phase", out var name) && name.ValueKind is JsonValueKind.String && name.GetString() is { Length: > 0 and <= 20 } text ? text : null;

    /// <summary>The step of the checkpoint that a start goes on from; null when it begins anew.</summary>
    public long? ResumedFrom => Kind is MetricKind.Start && this["resumed_from"] is >= 0 and < 1e15 and { } step ? (long)step : null;

    /// <summary>A finite number of the line, e.g. <c>tokens_per_s</c>; null where absent or something else.</summary>
    public double? this[string key] => Number(Fields, key);

    private static double? Number(JsonElement fields, string key) =>
        fields.TryGetProperty(key, out var value) && value.ValueKind is JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number) ? number : null;

    private static MetricKind? Kinds(JsonElement fields) =>
        fields.TryGetProperty("type", out var type) && type.ValueKind is JsonValueKind.String
            ? type.GetString() switch
            {
                "start" => MetricKind.Start,
                "train" => MetricKind.Train,
                "eval" => MetricKind.Eval,
                "checkpoint" => MetricKind.Checkpoint,
                "phase" => MetricKind.Phase,
                "end" => MetricKind.End,
                _ => null,
            }
            : null;
}
