namespace Dashboard.Infrastructure.Logs;

/// <summary>A local copy of a remote file that only grows, extended by byte offset under the same rule everywhere: known bytes are dropped, gaps refused.</summary>
internal static class ByteFile
{
    public static long Length(string path) => File.Exists(path) ? new FileInfo(path).Length : 0;

    /// <exception cref="LogGap"><paramref name="offset"/> is past the end.</exception>
    public static void Extend(string path, long offset, ReadOnlySpan<byte> bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read | FileShare.Delete);
        var stored = RandomAccess.GetLength(file);
        if (offset > stored)
        {
            throw new LogGap(stored, offset);
        }

        var known = stored - offset;
        if (known < bytes.Length)
        {
            RandomAccess.Write(file, bytes[(int)known..], stored);
        }
    }
}
