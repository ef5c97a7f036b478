using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace Dashboard.Infrastructure.Tests.Artifacts;

/// <summary>Writes safetensors files, good ones and, from raw header text, any others.</summary>
internal static class Safetensors
{
    public static byte[] Of(params (string Name, long[] Shape, float[] Values)[] tensors)
    {
        var header = new Dictionary<string, object> { ["__metadata__"] = new Dictionary<string, string> { ["format"] = "pt" } };
        var at = 0;
        foreach (var (name, shape, values) in tensors)
        {
            header[name] = new { dtype = "F32", shape, data_offsets = new[] { at, at += values.Length * sizeof(float) } };
        }

        var json = JsonSerializer.Serialize(header);
        return Raw(json.PadRight((json.Length + 7) / 8 * 8), tensors.SelectMany(tensor => tensor.Values).SelectMany(BitConverter.GetBytes).ToArray());
    }

    public static byte[] Raw(string header, byte[] buffer, ulong? length = null)
    {
        var json = Encoding.UTF8.GetBytes(header);
        var prefix = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, length ?? (ulong)json.Length);
        return [.. prefix, .. json, .. buffer];
    }

    /// <summary>An adapter of rank 2 with one module.</summary>
    public static byte[] Adapter(float b = 0.5f, string module = "base_model.model.model.layers.0.self_attn.q_proj") =>
        Of(($"{module}.lora_A.weight", [2, 3], [1, 2, 3, 4, 5, 6]), ($"{module}.lora_B.weight", [3, 2], [b, b, b, b, b, b]));

    public const string Config = """{"peft_type":"LORA","r":2,"target_modules":["q_proj"],"base_model_name_or_path":"tiny"}""";
}
