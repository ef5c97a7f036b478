using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Dashboard.Domain;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Ssh;

namespace Dashboard.Infrastructure.Artifacts;

/// <content>Checkpoints of a running program: home one by one, the newest whole one each time, old ones dropped.</content>
public sealed partial class ArtifactStore
{
    private const int MaxCompleteBytes = 4 * 1024 * 1024;
    private const int MostDropped = 3; // one that saves faster than it can be fetched is asked again later

    /// <summary>Brings the newest whole checkpoint below <paramref name="remoteFolder"/> home, every file with the hash that its <c>COMPLETE</c> promises. Call again after <see cref="SshLost"/>: it goes on where it stopped.</summary>
    /// <param name="after">The step that is here already.</param>
    /// <returns>Null: there is none that is newer, or the program dropped it meanwhile.</returns>
    /// <exception cref="TransferDamaged">A file has other bytes than promised.</exception>
    /// <exception cref="SshFlood">More than <paramref name="maxBytes"/>.</exception>
    public async Task<(int Step, IReadOnlyList<Artifact> Files)?> FetchCheckpointAsync(SshSession session, string remoteFolder, JobId job, int attempt, int? after, long maxBytes, CancellationToken ct)
    {
        for (var dropped = 0; ; dropped++)
        {
            if (await NewestAsync(session, remoteFolder, ct) is not { } step || step <= after || await PromisedAsync(session, remoteFolder, step, ct) is not { } promised)
            {
                return null;
            }

            if (promised.Values.Sum(file => file.Bytes) > maxBytes)
            {
                throw new SshFlood("Files of a checkpoint", maxBytes);
            }

            try
            {
                var files = new List<Artifact>();
                foreach (var (path, (bytes, sha256)) in promised)
                {
                    await transfer.DownloadAsync(session, $"{remoteFolder}/{path}", PathOf(job, attempt, path), bytes, sha256, ct);
                    files.Add(new Artifact(path, bytes, sha256, Verified: true));
                }

                var known = (await ListAsync(job, attempt, ct)).Where(file => CheckpointPath.StepOf(file.Path) != step);
                await RecordAsync(job, attempt, known.Concat(files), ct);
                return (step, files);
            }
            catch (SshFailure fault) when (fault is TransferRefused or TransferDamaged && dropped < MostDropped)
            {
                if (!(await NewestAsync(session, remoteFolder, ct) > step))
                {
                    throw;
                }

                // Programs keep the last few: this one was dropped while it was fetched, and makes way.
                if (Path.Combine(Folder(job, attempt), CheckpointPath.Folder(step)) is var begun && Directory.Exists(begun))
                {
                    Directory.Delete(begun, recursive: true);
                }
            }
        }
    }

    /// <summary>Deletes the checkpoints of a job but those of <paramref name="kept"/>; the record first, so that no file is promised that is going.</summary>
    public async Task DropCheckpointsAsync(JobId job, int attempts, IReadOnlySet<(int Attempt, int Step)> kept, CancellationToken ct)
    {
        for (var attempt = 1; attempt <= attempts; attempt++)
        {
            var here = await ListAsync(job, attempt, ct);
            var dropped = here.Where(file => CheckpointPath.StepOf(file.Path) is { } step && !kept.Contains((attempt, step))).ToList();
            if (dropped.Count > 0)
            {
                await RecordAsync(job, attempt, here.Except(dropped), ct);
            }

            // Also what a fetch left half done before a newer one came home: no record names it.
            var newest = kept.Where(checkpoint => checkpoint.Attempt == attempt).Select(checkpoint => checkpoint.Step).DefaultIfEmpty(0).Max();
            var gone = dropped.Select(file => CheckpointPath.StepOf(file.Path)!.Value).Concat(StepsOnDisk(job, attempt).Where(step => step < newest && !kept.Contains((attempt, step)))).Distinct();
            foreach (var folder in gone.Select(step => Path.Combine(Folder(job, attempt), CheckpointPath.Folder(step))).Where(Directory.Exists).ToList())
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private IEnumerable<int> StepsOnDisk(JobId job, int attempt) => Directory.Exists(Folder(job, attempt))
        ? Directory.EnumerateDirectories(Folder(job, attempt)).Select(folder => CheckpointPath.StepOf($"{Path.GetFileName(folder)}/{CheckpointPath.Complete}")).OfType<int>()
        : [];

    /// <summary>Where a file that <see cref="ListAsync"/> names lies; null when it is not there in its full length.</summary>
    public string? Locate(JobId job, int attempt, string path, long bytes) =>
        new FileInfo(PathOf(job, attempt, path)) is { Exists: true } file && file.Length == bytes ? file.FullName : null;

    private async Task<int?> NewestAsync(SshSession session, string remoteFolder, CancellationToken ct)
    {
        var listing = await session.ExecAsync(
            $"cd {Shell.Quote(remoteFolder)} 2>/dev/null || exit 0; for d in checkpoint-*; do [ ! -e \"$d/{CheckpointPath.Complete}\" ] || echo \"${{d#checkpoint-}}\"; done | sort -n | tail -n 1", null, transfer.Silence, ct);
        return int.TryParse(listing.Text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : null;
    }

    /// <summary>Length and hash of each file of a checkpoint by its path, <c>COMPLETE</c> included. Null: there is none, or its list is not one we take.</summary>
    private async Task<Dictionary<string, (long Bytes, string Sha256)>?> PromisedAsync(SshSession session, string remoteFolder, int step, CancellationToken ct)
    {
        var folder = CheckpointPath.Folder(step);
        if (await transfer.ReadAsync(session, $"{remoteFolder}/{folder}/{CheckpointPath.Complete}", MaxCompleteBytes, ct) is not { } complete)
        {
            return null;
        }

        try
        {
            using var list = JsonDocument.Parse(complete);
            var promised = new Dictionary<string, (long, string)>();
            foreach (var entry in list.RootElement.EnumerateObject())
            {
                var (path, sha256) = ($"{folder}/{entry.Name}", entry.Value.GetProperty("sha256").GetString() ?? "");
                if (!RemoteNames.IsSafe(path) || sha256.Length != 64 || !sha256.All(char.IsAsciiHexDigitLower) || entry.Value.GetProperty("size").GetInt64() is not (>= 0 and var bytes))
                {
                    return null; // part of a checkpoint is none
                }

                promised[path] = (bytes, sha256);
            }

            promised[$"{folder}/{CheckpointPath.Complete}"] = (complete.Length, Convert.ToHexStringLower(SHA256.HashData(complete)));
            return promised;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return null;
        }
    }
}
