using System.Buffers.Binary;
using System.Text.Json;

namespace Dashboard.Runner.Tests;

/// <summary>Reads a safetensors file by the format's own rules (huggingface/safetensors README), written apart from the trainer's writer.</summary>
internal static class Safetensors
{
    /// <summary>F32 tensors by name; throws <see cref="InvalidDataException"/> naming the rule that is broken.</summary>
    public static Dictionary<string, (long[] Shape, float[] Values)> Read(byte[] file)
    {
        Demand(file.Length >= 8, "at least eight bytes");
        var length = BinaryPrimitives.ReadUInt64LittleEndian(file);
        Demand(length <= 100_000_000 && 8 + length <= (ulong)file.Length, "the header lies inside the file");
        Demand((8 + length) % 8 == 0, "the buffer starts at a multiple of eight");
        var buffer = file.AsSpan((int)(8 + length));
        Demand(file[8] == (byte)'{', "the header begins with a brace");
        using var header = JsonDocument.Parse(file.AsMemory(8, (int)length), new JsonDocumentOptions { AllowDuplicateProperties = false });
        var tensors = new Dictionary<string, (long[], float[])>();
        var next = 0L;
        foreach (var entry in header.RootElement.EnumerateObject().Where(e => e.Name != "__metadata__").OrderBy(e => e.Value.GetProperty("data_offsets")[0].GetInt64()))
        {
            Demand(entry.Value.GetProperty("dtype").GetString() == "F32", "F32");
            var shape = entry.Value.GetProperty("shape").EnumerateArray().Select(n => n.GetInt64()).ToArray();
            var (begin, end) = (entry.Value.GetProperty("data_offsets")[0].GetInt64(), entry.Value.GetProperty("data_offsets")[1].GetInt64());
            Demand(begin == next, $"{entry.Name} follows without hole or overlap");
            Demand(end - begin == shape.Aggregate(4L, (product, n) => checked(product * n)), $"{entry.Name} is as long as its shape");
            next = end;
            Demand(next <= buffer.Length, $"{entry.Name} lies inside the file");
            var values = new float[(end - begin) / 4];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = BinaryPrimitives.ReadSingleLittleEndian(buffer[((int)begin + (4 * i))..]);
            }

            tensors.Add(entry.Name, (shape, values));
        }

        Demand(next == buffer.Length, "nothing follows the last tensor");
        Demand(header.RootElement.GetProperty("__metadata__").GetProperty("format").GetString() == "pt", "the format is pt");
        return tensors;
    }

    private static void Demand(bool holds, string rule)
    {
        if (!holds)
        {
            throw new InvalidDataException("not so: " + rule);
        }
    }
}
