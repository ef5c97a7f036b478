using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Dashboard.Infrastructure.Ssh;

/// <summary>One regular file on a machine.</summary>
/// <param name="Path">Relative to the listed folder; passed <see cref="RemoteNames.IsSafe"/>.</param>
/// <param name="Bytes">When it was listed.</param>
public sealed record RemoteFile(string Path, long Bytes);

/// <summary>What a folder on a machine holds.</summary>
/// <param name="Refused">How many entries were left out: odd names, links, devices.</param>
public sealed record RemoteListing(IReadOnlyList<RemoteFile> Files, int Refused);

/// <summary>A transfer ended with other bytes than promised. Nothing was put in place.</summary>
public sealed class TransferDamaged(string message) : SshFailure(message);

/// <summary>The machine could not do its part: file missing, disk full, no permission.</summary>
/// <param name="status">Exit status of the remote command.</param>
public sealed class TransferRefused(string what, int status, string error) : SshFailure($"{what}: exit status {status}. {error.Trim()}")
{
    public int ExitStatus { get; } = status;

    /// <summary>The remote disk has no room left.</summary>
    public bool DiskFull { get; } = error.Contains("No space left on device", StringComparison.Ordinal);
}

/// <summary>
/// Moves files over exec channels (<c>cat</c>, <c>tail -c</c>): bounded by TCP and not by SFTP's window, and with our own file name rules, which
/// SCP clients lacked (CVE-2026-48798). Both directions resume by offset and check SHA-256. Safe for different files at once.
/// A lost connection throws <see cref="SshLost"/>: open another session and call again, it goes on where it stopped.
/// </summary>
public sealed class BulkTransfer(SshOptions options)
{
    /// <summary>Marks a file that is still arriving, on either side.</summary>
    public const string PartSuffix = ".part";
    /// <summary>How long a machine may be silent before the connection counts as lost.</summary>
    public TimeSpan Silence => options.Silence;

    private const int ReadBytes = 256 * 1024;
    private const int MaxListedFiles = 10_000;
    private const int MaxListingBytes = 8 * 1024 * 1024;

    /// <summary>Uploads a local file to <paramref name="remotePath"/>, making its folder. Already there with the same hash: nothing is sent.</summary>
    /// <param name="session">A control session.</param>
    /// <param name="remotePath">Absolute path on the machine.</param>
    /// <exception cref="TransferRefused">The machine could not write, e.g. <see cref="TransferRefused.DiskFull"/>.</exception>
    /// <exception cref="TransferDamaged">Twice in a row other bytes arrived.</exception>
    public async Task UploadAsync(SshSession session, string localPath, string remotePath, CancellationToken ct)
    {
        var sha256 = await HashAsync(localPath, ct);
        var (target, part) = (Shell.Quote(remotePath), Shell.Quote(remotePath + PartSuffix));
        for (var again = false; ; again = true)
        {
            var state = await session.ExecAsync(
                $"mkdir -p {Shell.Quote(FolderOf(remotePath))} && {{ sha256sum < {target}; stat -c %s {part}; }} 2>/dev/null; true", null, HashTime(localPath), ct);
            if (state.Text.StartsWith(sha256, StringComparison.Ordinal))
            {
                return;
            }

            await using var file = new FileStream(localPath, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
            var arrived = long.TryParse(state.Text.Split('\n')[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) ? bytes : 0;
            var resume = !again && arrived <= file.Length ? arrived : 0;
            file.Position = resume;
            if (resume < file.Length)
            {
                Expect(await session.RunAsync($"cat {(resume > 0 ? ">>" : ">")} {part}", file, _ => { }, new SshSession.Patience(null, options.Silence), ct), "Writing " + remotePath);
            }
            else if (file.Length == 0)
            {
                Expect(await session.ExecAsync($": > {part}", null, options.Silence, ct), "Writing " + remotePath);
            }

            var put = await session.ExecAsync(
                $"h=$(sha256sum < {part}) && if [ \"${{h%% *}}\" = {sha256} ]; then sync {part} && mv -f {part} {target} && echo ok; else rm -f {part}; fi", null, HashTime(localPath), ct);
            Expect(put, "Checking " + remotePath);
            if (put.Text == "ok")
            {
                return;
            }

            if (again)
            {
                throw new TransferDamaged($"{remotePath} arrived with other bytes than sent, twice");
            }
        }
    }

    /// <summary>Replaces a small control file in one step: readers see the old or the new one, never a half.</summary>
    public async Task WriteAsync(SshSession session, string remotePath, string text, CancellationToken ct)
    {
        var (target, next) = (Shell.Quote(remotePath), Shell.Quote(remotePath + ".new"));
        var result = await session.ExecAsync($"cat > {next} && mv -f {next} {target}", Encoding.UTF8.GetBytes(text), options.Silence, ct);
        Expect(result, "Writing " + remotePath);
    }

    /// <summary>
    /// Brings one file home: into <paramref name="localPath"/> + <see cref="PartSuffix"/>, going on after what is there, then checked, synced and renamed.
    /// </summary>
    /// <param name="bytes">Length the file must have; not a byte more is taken.</param>
    /// <param name="sha256">Lower-case hex the bytes must have; null where nobody said.</param>
    /// <returns>SHA-256 of what is now in place, lower-case hex.</returns>
    /// <exception cref="TransferDamaged">Other bytes than promised; what had arrived is deleted.</exception>
    /// <exception cref="TransferRefused">The machine could not read the file.</exception>
    public async Task<string> DownloadAsync(SshSession session, string remotePath, string localPath, long bytes, string? sha256, CancellationToken ct)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(localPath))!);
        var part = localPath + PartSuffix;
        string seen;
        await using (var file = new FileStream(part, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0))
        {
            if (file.Length > bytes)
            {
                file.SetLength(0);
            }

            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            await HashIntoAsync(hash, file, ct);
            if (file.Length < bytes)
            {
                var missing = bytes - file.Length;
                var command = $"tail -c +{file.Length + 1} -- {Shell.Quote(remotePath)} | head -c {missing}";
                // A pipe tells the status of its last command; a missing file shows in the length.
                var end = await session.RunAsync(command, null, Take, new SshSession.Patience(null, options.Silence), ct);
                Expect(end, "Reading " + remotePath);
                if (file.Length < bytes)
                {
                    throw new TransferRefused($"Reading {remotePath}: {file.Length} of {bytes} bytes came", end.ExitStatus, end.Error);
                }

                void Take(ReadOnlySpan<byte> chunk)
                {
                    if ((missing -= chunk.Length) < 0)
                    {
                        throw new SshFlood(remotePath, bytes);
                    }

                    file.Write(chunk);
                    hash.AppendData(chunk);
                }
            }

            file.Flush(flushToDisk: true);
            seen = Convert.ToHexStringLower(hash.GetHashAndReset());
        }

        if (sha256 is not null && seen != sha256)
        {
            File.Delete(part);
            throw new TransferDamaged($"{remotePath} has SHA-256 {seen}, promised was {sha256}");
        }

        File.Move(part, localPath, overwrite: true);
        return seen;
    }

    /// <summary>Reads a small file whole; null when there is none.</summary>
    public async Task<byte[]?> ReadAsync(SshSession session, string remotePath, int maxBytes, CancellationToken ct)
    {
        var path = Shell.Quote(remotePath);
        var result = await session.ExecAsync($"if [ -e {path} ]; then head -c {maxBytes} -- {path}; else exit 66; fi", null, options.Silence, ct, maxBytes);
        return result.ExitStatus == 66 ? null : Expect(result, "Reading " + remotePath).Output;
    }

    /// <summary>Lists the regular files below a folder; at most 10,000. A folder that is not there has none: a program stopped before its first write has left nothing, and that is an answer.</summary>
    /// <exception cref="TransferRefused">It is there and could not be read.</exception>
    /// <exception cref="SshFlood">More names than anyone needs.</exception>
    public async Task<RemoteListing> ListAsync(SshSession session, string remoteFolder, CancellationToken ct)
    {
        // Links are not followed and not taken: they point where the machine likes. Entries end in NUL, the one byte no name holds.
        var folder = Shell.Quote(remoteFolder);
        var result = await session.ExecAsync($"[ ! -e {folder} ] || find {folder} -mindepth 1 ! -type d -printf '%y %s %P\\0'", null, options.Silence, ct, MaxListingBytes);
        Expect(result, "Listing " + remoteFolder);
        var (files, refused) = (new List<RemoteFile>(), 0);
        foreach (var entry in Encoding.UTF8.GetString(result.Output).Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            var fields = entry.Split(' ', 3);
            if (fields is ["f", var size, var path] && long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var length) && RemoteNames.IsSafe(path))
            {
                files.Add(files.Count < MaxListedFiles ? new RemoteFile(path, length) : throw new SshFlood("Number of files in " + remoteFolder, MaxListedFiles));
            }
            else
            {
                refused++;
            }
        }

        return new RemoteListing(files, refused);
    }

    private static ExecResult Expect(ExecResult result, string what) =>
        result.ExitStatus == 0 ? result : throw new TransferRefused(what, result.ExitStatus, result.Error);

    private static void Expect(SshSession.Ending ending, string what)
    {
        if (ending.ExitStatus != 0)
        {
            throw new TransferRefused(what, ending.ExitStatus, ending.Error);
        }
    }

    private static string FolderOf(string remotePath) => remotePath[..Math.Max(1, remotePath.LastIndexOf('/'))];

    /// <summary>A slow disk hashes at 20 MB/s.</summary>
    private TimeSpan HashTime(string localPath) => options.Silence + TimeSpan.FromSeconds(new FileInfo(localPath).Length / 20e6);

    private static async Task<string> HashAsync(string path, CancellationToken ct)
    {
        await using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, ct));
    }

    private static async Task HashIntoAsync(IncrementalHash hash, FileStream file, CancellationToken ct)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
        try
        {
            int read;
            while ((read = await file.ReadAsync(buffer, ct)) > 0)
            {
                hash.AppendData(buffer.AsSpan(0, read));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
