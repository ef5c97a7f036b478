using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Dashboard.Domain;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Ssh;

namespace Dashboard.Infrastructure.Artifacts;

/// <param name="Path">Relative to the attempt, with <c>/</c>; passed <see cref="RemoteNames.IsSafe"/>.</param>
/// <param name="Sha256">Of the bytes here, lower-case hex.</param>
/// <param name="Verified">The hash is the one the machine's manifest promised. It proves the transport, not the host's honesty.</param>
public sealed record Artifact(string Path, long Bytes, string Sha256, bool Verified);

/// <summary>What one collection brought.</summary>
/// <param name="Refused">Entries left out: names we do not store, links, devices.</param>
/// <param name="Missing">Promised by the manifest and not there.</param>
public sealed record Collected(IReadOnlyList<Artifact> Files, int Refused, IReadOnlyList<string> Missing)
{
    /// <summary>Bytes that this collection fetched; the rest was at home.</summary>
    public long Came { get; init; }
}

/// <summary>
/// What jobs made, per attempt in <c>artifacts/&lt;job&gt;/attempt-&lt;n&gt;/</c>. A file is there whole and checked, or not at all; the record of
/// hashes beside it (<c>attempt-&lt;n&gt;.json</c>) is written last.
/// </summary>
public sealed partial class ArtifactStore(DataDirectory data, BulkTransfer transfer)
{
    private const string ManifestName = "MANIFEST.sha256";

    /// <summary>What the server and the trainer tell each other by; nobody's results.</summary>
    private static readonly HashSet<string> Signals = [ManifestName, "STOP", "CHECKPOINT"];
    private const int MaxManifestBytes = 4 * 1024 * 1024;

    /// <summary>Brings home every file below <paramref name="remoteFolder"/> (<c>R/out</c>). Call again after <see cref="SshLost"/>: it goes on where it stopped.</summary>
    /// <param name="maxBytes">All files together; a machine may not fill our disk.</param>
    /// <exception cref="TransferDamaged">A file has other bytes than the manifest promised.</exception>
    /// <exception cref="SshFlood">More than <paramref name="maxBytes"/>.</exception>
    public async Task<Collected> CollectAsync(SshSession session, string remoteFolder, JobId job, int attempt, long maxBytes, CancellationToken ct)
    {
        var listing = await transfer.ListAsync(session, remoteFolder, ct);
        if (listing.Files.Sum(file => file.Bytes) > maxBytes)
        {
            throw new SshFlood("Files of the job", maxBytes);
        }

        var promised = Manifest(await transfer.ReadAsync(session, remoteFolder + "/" + ManifestName, MaxManifestBytes, ct));
        foreach (var step in listing.Files.Where(file => file.Path.EndsWith("/" + CheckpointPath.Complete, StringComparison.Ordinal)).Select(file => CheckpointPath.StepOf(file.Path)).OfType<int>())
        {
            foreach (var (path, file) in await PromisedAsync(session, remoteFolder, step, ct) ?? [])
            {
                promised.TryAdd(path, file.Sha256); // the manifest names results; a checkpoint has a list of its own
            }
        }

        var came = 0L;
        var known = (await ListAsync(job, attempt, ct)).ToDictionary(file => file.Path);
        foreach (var file in listing.Files.Where(file => !Signals.Contains(file.Path)))
        {
            var sha256 = promised.GetValueOrDefault(file.Path);
            if (known.TryGetValue(file.Path, out var here) && here.Bytes == file.Bytes && here.Verified && here.Sha256 == sha256)
            {
                continue;
            }

            var seen = await transfer.DownloadAsync(session, $"{remoteFolder}/{file.Path}", PathOf(job, attempt, file.Path), file.Bytes, sha256, ct);
            came += file.Bytes;
            known[file.Path] = new Artifact(file.Path, file.Bytes, seen, Verified: sha256 is not null);
            await RecordAsync(job, attempt, known.Values, ct);
        }

        return new Collected(Sorted(known.Values), listing.Refused, promised.Keys.Where(path => !known.ContainsKey(path)).Order(StringComparer.Ordinal).ToList()) { Came = came };
    }

    /// <summary>What is here, by path; empty where nothing was collected.</summary>
    public async Task<IReadOnlyList<Artifact>> ListAsync(JobId job, int attempt, CancellationToken ct)
    {
        var record = Folder(job, attempt) + ".json";
        if (!File.Exists(record))
        {
            return [];
        }

        await using var file = File.OpenRead(record);
        return await JsonSerializer.DeserializeAsync<List<Artifact>>(file, cancellationToken: ct) ?? [];
    }

    /// <summary>Opens a file that <see cref="ListAsync"/> names, for download; null for any other path.</summary>
    public async Task<Stream?> OpenAsync(JobId job, int attempt, string path, CancellationToken ct) =>
        (await ListAsync(job, attempt, ct)).Any(file => file.Path == path)
            ? new FileStream(PathOf(job, attempt, path), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.Asynchronous | FileOptions.SequentialScan)
            : null;

    /// <summary>Writes a zip of the files that <paramref name="include"/> picks, as it goes: nothing is kept in memory or on disk. Weights do not compress, so nothing is.</summary>
    public async Task ZipAsync(JobId job, int attempt, Func<Artifact, bool> include, Stream to, CancellationToken ct)
    {
        await using var zip = await ZipArchive.CreateAsync(to, ZipArchiveMode.Create, leaveOpen: true, Encoding.UTF8, ct);
        foreach (var file in (await ListAsync(job, attempt, ct)).Where(include))
        {
            var entry = zip.CreateEntry(file.Path, CompressionLevel.NoCompression);
            await using var from = File.OpenRead(PathOf(job, attempt, file.Path));
            await using var into = await entry.OpenAsync(ct);
            await from.CopyToAsync(into, ct);
        }
    }

    /// <summary>Verifies the adapter of an attempt, in <paramref name="path"/> below it (<c>adapter</c>).</summary>
    public Task<AdapterVerdict> VerifyAdapterAsync(JobId job, int attempt, string path, CancellationToken ct) =>
        AdapterCheck.VerifyAsync(PathOf(job, attempt, path), ct);

    /// <summary>Reads <c>sha256sum</c>'s format. A line that is not of it, or names what we would not store, promises nothing.</summary>
    internal static Dictionary<string, string> Manifest(byte[]? bytes)
    {
        var promised = new Dictionary<string, string>();
        foreach (var line in Encoding.UTF8.GetString(bytes ?? []).Split('\n'))
        {
            const int hex = 64;
            if (line.Length > hex + 2 && line[hex] == ' ' && line[hex + 1] is ' ' or '*' && line[..hex].All(char.IsAsciiHexDigitLower))
            {
                var path = line[(hex + 2)..].TrimEnd('\r');
                path = path.StartsWith("./", StringComparison.Ordinal) ? path[2..] : path;
                if (RemoteNames.IsSafe(path))
                {
                    promised[path] = line[..hex];
                }
            }
        }

        return promised;
    }

    private string Folder(JobId job, int attempt) => Path.Combine(data.Root, "artifacts", job.ToString(), string.Create(CultureInfo.InvariantCulture, $"attempt-{attempt}"));

    private string PathOf(JobId job, int attempt, string path) =>
        RemoteNames.IsSafe(path) ? Path.Combine(Folder(job, attempt), path) : throw new ArgumentException("Not a path we store.", nameof(path));

    private static List<Artifact> Sorted(IEnumerable<Artifact> files) => files.OrderBy(file => file.Path, StringComparer.Ordinal).ToList();

    private async Task RecordAsync(JobId job, int attempt, IEnumerable<Artifact> files, CancellationToken ct)
    {
        var record = Folder(job, attempt) + ".json";
        await using (var next = new FileStream(record + ".new", FileMode.Create))
        {
            await JsonSerializer.SerializeAsync(next, Sorted(files), cancellationToken: ct);
            next.Flush(flushToDisk: true);
        }

        File.Move(record + ".new", record, overwrite: true);
    }
}
