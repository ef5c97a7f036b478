using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>Reads what one look brings back: clock, exit, beat and length of the log, a line each, then new bytes of the metrics.</summary>
internal static class RunFiles
{
    public static (RunBeat? Beat, RunExit? Exit, long LogBytes, ReadOnlyMemory<byte> Metrics) Read(ReadOnlyMemory<byte> output)
    {
        var rest = output;
        var now = long.TryParse(Line(ref rest), NumberStyles.None, CultureInfo.InvariantCulture, out var clock) ? clock : 0;
        var exit = Exit(Line(ref rest));
        var beat = Beat(Line(ref rest), now);
        var bytes = long.TryParse(Line(ref rest).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var length) ? length : 0;
        return (beat, exit, bytes, rest);
    }

    private static string Line(ref ReadOnlyMemory<byte> rest)
    {
        var end = rest.Span.IndexOf((byte)'\n');
        var line = end < 0 ? rest : rest[..end];
        rest = end < 0 ? default : rest[(end + 1)..];
        return Encoding.UTF8.GetString(line.Span);
    }

    /// <summary>A machine is a stranger: what cannot be read is not there yet.</summary>
    private static RunExit? Exit(string json)
    {
        if (!TryParse(json, out var file))
        {
            return null;
        }

        using (file)
        {
            var root = file.RootElement;
            return Int(root, "code") is { } code ? new RunExit(code, Int(root, "signal"), Text(root, "reason") ?? "failed", Int(root, "step")) : null;
        }
    }

    private static RunBeat? Beat(string json, long now)
    {
        if (!TryParse(json, out var file))
        {
            return null;
        }

        using (file)
        {
            var root = file.RootElement;
            return root.TryGetProperty("t", out var t) && t.ValueKind == JsonValueKind.Number && t.TryGetDouble(out var at) && at is > 0 and < 253402300800
                ? new RunBeat(DateTimeOffset.FromUnixTimeMilliseconds((long)(at * 1000)), Math.Max(0, now - at), Int(root, "step"), Text(root, "phase"))
                : null;
        }
    }

    private static bool TryParse(string json, out JsonDocument file)
    {
        file = null!;
        if (json.Length == 0)
        {
            return false;
        }

        try
        {
            file = JsonDocument.Parse(json);
            return file.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static int? Int(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : null;

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: <= 64 } text ? text : null;
}
