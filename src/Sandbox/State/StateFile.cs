using System.Text.Json;
using System.Text.Json.Serialization;
using Dashboard.Sandbox.Market;

namespace Dashboard.Sandbox.State;

/// <summary>The market's state as one JSON file that is replaced whole, so a crash leaves the old one or the new one.</summary>
internal sealed class StateFile(string path)
{
    private static readonly JsonSerializerOptions Format = new() { Converters = { new JsonStringEnumConverter() } };

    public MarketState? Read()
    {
        if (!File.Exists(path))
        {
            return null;
        }

        using var file = File.OpenRead(path);
        return JsonSerializer.Deserialize<MarketState>(file, Format);
    }

    public void Write(MarketState state)
    {
        // The account's key and the instances' keys are in here.
        PrivateFile.Replace(path, JsonSerializer.SerializeToUtf8Bytes(state, Format));
    }
}

internal static class PrivateFile
{
    /// <summary>Writes beside the file and renames; only the owner can read it at any moment.</summary>
    public static void Replace(string path, ReadOnlySpan<byte> content)
    {
        var beside = path + ".new";
        using (var file = new FileStream(beside, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            file.Write(content);
        }

        File.Move(beside, path, overwrite: true);
    }
}
