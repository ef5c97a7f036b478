using System.Globalization;
using System.Text.Json;

namespace Dashboard.Infrastructure.Persistence;

/// <summary>
/// What the data directory remembers apart from the database, in <c>installation.json</c>: enough to notice that the database is not the
/// one that was used here last, or that the whole directory is a copy of one that may still be in use.
/// </summary>
/// <param name="Installation">The eight characters of the labels.</param>
/// <param name="Epoch">Grows with every start and every confirmation; never above the database's own.</param>
/// <param name="LastRentAt">Unix milliseconds of the newest rent call; written before the call is made.</param>
/// <param name="DatabaseFile">Number of the database's file in its file system: a copy has another one. Null where that cannot be had.</param>
/// <param name="Restored">Set by <c>restore</c>: what the database was restored from.</param>
internal sealed record InstallationFile(string Installation, long Epoch, long LastRentAt, long? DatabaseFile, string? Restored)
{
    public const string Name = "installation.json";
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <returns>Null when there is none, or none that can be read.</returns>
    public static InstallationFile? Read(string directory)
    {
        try
        {
            var path = Path.Combine(directory, Name);
            return File.Exists(path) ? JsonSerializer.Deserialize<InstallationFile>(File.ReadAllText(path), Json) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Replaces the file; a crash leaves the old one or the new one.</summary>
    public void Write(string directory)
    {
        Directory.CreateDirectory(directory);
        var (path, part) = (Path.Combine(directory, Name), Path.Combine(directory, Name + ".part"));
        using (var stream = new FileStream(part, FileMode.Create, FileAccess.Write))
        {
            JsonSerializer.Serialize(stream, this, Json);
            stream.Flush(flushToDisk: true);
        }

        File.Move(part, path, overwrite: true);
    }

    /// <summary>The inode of a file. Only while nobody in this process has the database open: closing a file gives up SQLite's locks on it.</summary>
    public static long? NumberOf(string path)
    {
        if (!OperatingSystem.IsLinux() || !File.Exists(path))
        {
            return null;
        }

        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var line = File.ReadLines($"/proc/self/fdinfo/{file.DangerousGetHandle()}").FirstOrDefault(text => text.StartsWith("ino:", StringComparison.Ordinal)); // since Linux 5.14
        return line is not null && long.TryParse(line.AsSpan(4).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
    }
}
