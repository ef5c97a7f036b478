using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;

namespace Dashboard.Infrastructure.Artifacts;

/// <param name="Begin">Offset in the file, not in the buffer.</param>
/// <param name="Bytes">Length of its data.</param>
public sealed record SafeTensor(string Name, string DType, IReadOnlyList<long> Shape, long Begin, long Bytes);

/// <summary>The header of a safetensors file that passed every check of the format.</summary>
/// <param name="Metadata">Of <c>__metadata__</c>; empty where there is none.</param>
public sealed record SafetensorsHeader(IReadOnlyList<SafeTensor> Tensors, IReadOnlyDictionary<string, string> Metadata);

/// <summary>The bytes are no valid safetensors file; the message says why, for a person.</summary>
public sealed class BrokenSafetensors(string why, Exception? cause = null) : FormatException(why, cause);

/// <summary>Reads headers of safetensors files, trusting nothing in them. Source: huggingface/safetensors, README and <c>tensor.rs</c>.</summary>
public static class SafetensorsReader
{
    private const int MaxHeaderBytes = 100_000_000;
    private const int LengthBytes = 8;
    private const string MetadataKey = "__metadata__";
    private const int SampleBytes = 64 * 1024;

    /// <param name="file">Seekable, read from its beginning.</param>
    /// <exception cref="BrokenSafetensors">A check failed.</exception>
    public static async Task<SafetensorsHeader> ReadHeaderAsync(Stream file, CancellationToken ct)
    {
        if (file.Length < LengthBytes)
        {
            throw new BrokenSafetensors("shorter than 8 bytes");
        }

        file.Position = 0;
        var prefix = new byte[LengthBytes];
        await file.ReadExactlyAsync(prefix, ct);
        var headerBytes = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerBytes > MaxHeaderBytes)
        {
            throw new BrokenSafetensors($"header of {headerBytes} bytes; 100,000,000 are allowed");
        }

        if (LengthBytes + (long)headerBytes > file.Length)
        {
            throw new BrokenSafetensors("the header goes past the end of the file");
        }

        var header = ArrayPool<byte>.Shared.Rent((int)headerBytes);
        try
        {
            var json = header.AsMemory(0, (int)headerBytes);
            await file.ReadExactlyAsync(json, ct);
            return Parse(json, LengthBytes + (long)headerBytes, file.Length);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(header);
        }
    }

    /// <summary>How much of a tensor was looked at, and what was there.</summary>
    /// <param name="NonFinite">NaN or infinite values were seen.</param>
    /// <param name="AllZero">Every value looked at is zero.</param>
    public readonly record struct Sample(bool NonFinite, bool AllZero);

    /// <summary>Looks at the first, middle and last 64 KiB of a tensor's values; all of it where it is small. Types that cannot hold NaN are only looked at for zero.</summary>
    public static async Task<Sample> SampleAsync(Stream file, SafeTensor tensor, CancellationToken ct)
    {
        var (nonFinite, allZero) = (false, true);
        var buffer = new byte[Math.Min(SampleBytes, tensor.Bytes)];
        var starts = tensor.Bytes <= 3 * SampleBytes
            ? Enumerable.Range(0, (int)((tensor.Bytes + SampleBytes - 1) / SampleBytes)).Select(i => (long)i * SampleBytes)
            : [0, tensor.Bytes / 2 / SampleBytes * SampleBytes, (tensor.Bytes - SampleBytes) & ~7L];
        foreach (var start in starts)
        {
            var chunk = buffer.AsMemory(0, (int)Math.Min(buffer.Length, tensor.Bytes - start));
            file.Position = tensor.Begin + start;
            await file.ReadExactlyAsync(chunk, ct);
            nonFinite |= HasNonFinite(chunk.Span, tensor.DType);
            allZero &= IsZero(chunk.Span, tensor.DType);
        }

        return new Sample(nonFinite, allZero);
    }

    private static SafetensorsHeader Parse(ReadOnlyMemory<byte> json, long bufferStart, long fileLength)
    {
        if (json.IsEmpty || json.Span[0] != (byte)'{')
        {
            throw new BrokenSafetensors("the header does not begin with {");
        }

        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 4 });
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException) // the second for text that is not valid Unicode
        {
            throw new BrokenSafetensors("the header is not JSON we accept: " + error.Message, error);
        }

        using (document)
        {
            var tensors = new List<SafeTensor>();
            IReadOnlyDictionary<string, string> metadata = new Dictionary<string, string>();
            try
            {
                foreach (var entry in document.RootElement.EnumerateObject())
                {
                    if (entry.NameEquals(MetadataKey))
                    {
                        metadata = Metadata(entry.Value);
                    }
                    else
                    {
                        tensors.Add(Tensor(entry.Name, entry.Value, bufferStart));
                    }
                }
            }
            catch (InvalidOperationException error)
            {
                // A string that is no valid Unicode: System.Text.Json finds out when it is read.
                throw new BrokenSafetensors("the header holds text that is not valid Unicode", error);
            }

            return Contiguous(tensors, bufferStart, fileLength) is { } why ? throw new BrokenSafetensors(why) : new SafetensorsHeader(tensors, metadata);
        }
    }

    private static Dictionary<string, string> Metadata(JsonElement value)
    {
        if (value.ValueKind is not JsonValueKind.Object || value.EnumerateObject().Any(entry => entry.Value.ValueKind is not JsonValueKind.String))
        {
            throw new BrokenSafetensors("__metadata__ is not strings by name");
        }

        return value.EnumerateObject().ToDictionary(entry => entry.Name, entry => entry.Value.GetString()!);
    }

    private static SafeTensor Tensor(string name, JsonElement value, long bufferStart)
    {
        var shape = Numbers(Member(value, "shape", name), name);
        var offsets = Numbers(Member(value, "data_offsets", name), name);
        var dtype = Member(value, "dtype", name) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : throw new BrokenSafetensors($"{name}: dtype is not text");
        if (Bits(dtype) is not { } bits)
        {
            throw new BrokenSafetensors($"{name}: unknown dtype {dtype}");
        }

        if (offsets is not [var begin, var end] || begin > end || end > long.MaxValue - bufferStart)
        {
            throw new BrokenSafetensors($"{name}: data_offsets are not a range");
        }

        UInt128 size = (UInt128)bits;
        foreach (var dimension in shape)
        {
            size *= (UInt128)dimension;
            if (size > (UInt128)long.MaxValue)
            {
                throw new BrokenSafetensors($"{name}: its shape is too large");
            }
        }

        if (size % 8 != 0 || (UInt128)(end - begin) != size / 8)
        {
            throw new BrokenSafetensors($"{name}: {end - begin} bytes do not hold its shape");
        }

        return new SafeTensor(name, dtype, shape, bufferStart + begin, end - begin);
    }

    private static JsonElement Member(JsonElement tensor, string key, string name) =>
        tensor.ValueKind is JsonValueKind.Object && tensor.TryGetProperty(key, out var value) ? value : throw new BrokenSafetensors($"{name}: {key} is missing");

    private static List<long> Numbers(JsonElement value, string name)
    {
        if (value.ValueKind is not JsonValueKind.Array)
        {
            throw new BrokenSafetensors($"{name}: a list is missing");
        }

        return value.EnumerateArray().Select(number =>
            number.ValueKind is JsonValueKind.Number && number.TryGetInt64(out var whole) && whole >= 0
                ? whole
                : throw new BrokenSafetensors($"{name}: a size is not a whole number")).ToList();
    }

    /// <returns>What is wrong, or null.</returns>
    private static string? Contiguous(List<SafeTensor> tensors, long bufferStart, long fileLength)
    {
        var at = bufferStart;
        foreach (var tensor in tensors.OrderBy(tensor => tensor.Begin).ThenBy(tensor => tensor.Bytes))
        {
            if (tensor.Begin != at)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{tensor.Name}: hole or overlap before byte {tensor.Begin}");
            }

            at += tensor.Bytes;
        }

        return at == fileLength ? null : string.Create(CultureInfo.InvariantCulture, $"the file has {fileLength} bytes, its tensors end at {at}");
    }

    private static int? Bits(string dtype) => dtype switch
    {
        "F4" => 4,
        "F6_E2M3" or "F6_E3M2" => 6,
        "BOOL" or "U8" or "I8" or "F8_E5M2" or "F8_E4M3" or "F8_E8M0" => 8,
        "I16" or "U16" or "F16" or "BF16" => 16,
        "I32" or "U32" or "F32" => 32,
        "I64" or "U64" or "F64" or "C64" => 64,
        _ => null,
    };

    private static bool HasNonFinite(ReadOnlySpan<byte> values, string dtype)
    {
        // All exponent bits set: infinity or NaN.
        switch (dtype)
        {
            case "F16" or "BF16":
                var mask = dtype == "F16" ? 0x7C00 : 0x7F80;
                for (var at = 0; at + 2 <= values.Length; at += 2)
                {
                    if ((BinaryPrimitives.ReadUInt16LittleEndian(values[at..]) & mask) == mask)
                    {
                        return true;
                    }
                }

                return false;
            case "F32" or "C64":
                for (var at = 0; at + 4 <= values.Length; at += 4)
                {
                    if (!float.IsFinite(BinaryPrimitives.ReadSingleLittleEndian(values[at..])))
                    {
                        return true;
                    }
                }

                return false;
            case "F64":
                for (var at = 0; at + 8 <= values.Length; at += 8)
                {
                    if (!double.IsFinite(BinaryPrimitives.ReadDoubleLittleEndian(values[at..])))
                    {
                        return true;
                    }
                }

                return false;
            default:
                return false;
        }
    }

    /// <summary>Minus zero is zero too.</summary>
    private static bool IsZero(ReadOnlySpan<byte> values, string dtype)
    {
        var step = (Bits(dtype) ?? 8) / 8;
        if (dtype is not ("F16" or "BF16" or "F32" or "F64"))
        {
            return !values.ContainsAnyExcept((byte)0);
        }

        for (var at = 0; at < values.Length; at++)
        {
            var sign = at % step == step - 1;
            if (values[at] != 0 && !(sign && values[at] == 0x80))
            {
                return false;
            }
        }

        return true;
    }
}
