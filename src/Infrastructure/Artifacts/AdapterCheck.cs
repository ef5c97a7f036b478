using System.Text.Json;

namespace Dashboard.Infrastructure.Artifacts;

/// <summary>Whether a folder holds a usable LoRA adapter.</summary>
public abstract record AdapterVerdict
{
    private AdapterVerdict()
    {
    }

    /// <param name="Modules">How many modules have an A and a B.</param>
    /// <param name="Rank">The <c>r</c> of the configuration.</param>
    /// <param name="Parameters">Values in all tensors together.</param>
    public sealed record Good(int Modules, int Rank, long Parameters, string? BaseModel) : AdapterVerdict;

    /// <summary>A well-formed adapter in which every B is zero: it changes nothing, training never took a step.</summary>
    public sealed record Untrained(int Modules) : AdapterVerdict;

    /// <summary>Not an adapter that could be loaded. <paramref name="Why"/> is for a person.</summary>
    public sealed record Broken(string Why) : AdapterVerdict;
}

/// <summary>Verifies <c>adapter_model.safetensors</c> against <c>adapter_config.json</c>. Reads headers and samples; runs and unpickles nothing.</summary>
public static class AdapterCheck
{
    private const string TensorsName = "adapter_model.safetensors";
    private const string ConfigName = "adapter_config.json";
    private const string DownSuffix = ".lora_A.weight";
    private const string UpSuffix = ".lora_B.weight";
    private const int MaxConfigBytes = 1024 * 1024;

    /// <param name="folder">On our side, e.g. an attempt's <c>adapter</c>.</param>
    public static async Task<AdapterVerdict> VerifyAsync(string folder, CancellationToken ct)
    {
        var (config, tensors) = (Path.Combine(folder, ConfigName), Path.Combine(folder, TensorsName));
        if (!File.Exists(config) || !File.Exists(tensors))
        {
            return new AdapterVerdict.Broken($"{(File.Exists(config) ? TensorsName : ConfigName)} is missing");
        }

        try
        {
            var wanted = await ReadConfigAsync(config, ct);
            await using var file = File.OpenRead(tensors);
            return await VerifyAsync(wanted, file, await SafetensorsReader.ReadHeaderAsync(file, ct), ct);
        }
        catch (Exception error) when (error is BrokenSafetensors or JsonException or InvalidDataException)
        {
            return new AdapterVerdict.Broken(error.Message);
        }
    }

    private static async Task<AdapterVerdict> VerifyAsync(Config config, Stream file, SafetensorsHeader header, CancellationToken ct)
    {
        var downs = Halves(header, DownSuffix);
        var ups = Halves(header, UpSuffix);
        if (downs.Count == 0)
        {
            return new AdapterVerdict.Broken("it holds no LoRA tensors");
        }

        if (downs.Keys.Concat(ups.Keys).FirstOrDefault(module => !downs.ContainsKey(module) || !ups.ContainsKey(module)) is { } half)
        {
            return new AdapterVerdict.Broken($"{half} has only one of A and B");
        }

        if (config.Targets.FirstOrDefault(target => !downs.Keys.Any(module => module == target || module.EndsWith("." + target, StringComparison.Ordinal))) is { } missing)
        {
            return new AdapterVerdict.Broken($"no tensors for target module {missing}");
        }

        var trained = false;
        foreach (var (module, down) in downs)
        {
            var up = ups[module];
            if (down.Shape is not [var rank, _] || up.Shape is not [_, var same] || rank != same || rank != config.Rank)
            {
                return new AdapterVerdict.Broken($"{module}: the shapes of A and B are not those of rank {config.Rank}");
            }

            var (a, b) = (await SafetensorsReader.SampleAsync(file, down, ct), await SafetensorsReader.SampleAsync(file, up, ct));
            if (a.NonFinite || b.NonFinite)
            {
                return new AdapterVerdict.Broken($"{module} holds values that are not numbers (NaN or infinite): training diverged");
            }

            trained |= !b.AllZero;
        }

        return trained
            ? new AdapterVerdict.Good(downs.Count, config.Rank, header.Tensors.Sum(tensor => tensor.Shape.Aggregate(1L, (all, size) => all * size)), config.BaseModel)
            : new AdapterVerdict.Untrained(downs.Count);
    }

    private static Dictionary<string, SafeTensor> Halves(SafetensorsHeader header, string suffix) =>
        header.Tensors.Where(tensor => tensor.Name.EndsWith(suffix, StringComparison.Ordinal)).ToDictionary(tensor => tensor.Name[..^suffix.Length]);

    private sealed record Config(int Rank, IReadOnlyList<string> Targets, string? BaseModel);

    private static async Task<Config> ReadConfigAsync(string path, CancellationToken ct)
    {
        await using var file = File.OpenRead(path);
        if (file.Length > MaxConfigBytes)
        {
            throw new InvalidDataException($"{ConfigName} is larger than a configuration can be");
        }

        using var document = await JsonDocument.ParseAsync(file, cancellationToken: ct);
        var root = document.RootElement;
        if (root.ValueKind is not JsonValueKind.Object || Text(root, "peft_type") != "LORA")
        {
            throw new InvalidDataException($"{ConfigName} is not of a LoRA adapter");
        }

        if (!root.TryGetProperty("r", out var r) || r.ValueKind is not JsonValueKind.Number || !r.TryGetInt32(out var rank) || rank < 1)
        {
            throw new InvalidDataException($"{ConfigName} names no rank r");
        }

        // A text is a pattern (or "all-linear"); only a list names the modules.
        var targets = root.TryGetProperty("target_modules", out var list) && list.ValueKind is JsonValueKind.Array
            ? list.EnumerateArray().Where(name => name.ValueKind is JsonValueKind.String).Select(name => name.GetString()!).ToList()
            : [];
        return new Config(rank, targets, Text(root, "base_model_name_or_path"));
    }

    private static string? Text(JsonElement root, string key) =>
        root.TryGetProperty(key, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;
}
