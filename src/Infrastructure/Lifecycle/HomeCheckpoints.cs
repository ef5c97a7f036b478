using System.Collections.Concurrent;
using Dashboard.Domain;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Artifacts;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Ssh;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Artifact = Dashboard.Domain.Jobs.Artifact;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>A whole checkpoint at home, to go on from.</summary>
/// <param name="Attempt">Whose it is.</param>
/// <param name="Files">Paths as at home: <c>checkpoint-300/…</c>.</param>
public sealed record CheckpointAtHome(int Attempt, int Step, IReadOnlyList<CarriedFile> Files);

/// <summary>
/// Brings checkpoints of running machines home, so that another machine can go on: the first at once, then on an interval, always the
/// newest whole one. A long transfer runs beside the looks at the machine; what it brought is recorded by the next look, under the fence.
/// </summary>
internal sealed partial class HomeCheckpoints(
    AppDatabase database,
    InstanceRecords records,
    IMachines machines,
    ArtifactStore artifacts,
    IOptions<InterruptionOptions> options,
    TimeProvider time,
    ILogger<HomeCheckpoints> log) : IAsyncDisposable
{
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<InstanceId, Fetch> _fetches = new();
    private readonly ConcurrentDictionary<InstanceId, (DateTimeOffset At, int? Made)> _failed = new();

    /// <summary>Part of each look at a running machine: records what came, and starts the next transfer when it is due.</summary>
    public async Task KeepAsync(InstanceSnapshot row, RunLook look, RowLease lease)
    {
        var (id, made) = (row.Instance.Id, look.Progress.Checkpoint ?? row.Attempt.CheckpointMade);
        if (_fetches.TryGetValue(id, out var fetch))
        {
            if (fetch.Work.IsCompleted && _fetches.TryRemove(id, out _))
            {
                await TakeAsync(row, fetch, lease);
            }

            return;
        }

        if (IsDue(row, made))
        {
            var started = new Fetch(made);
            started.Work = machines.FetchCheckpointAsync(row.Instance, row.Attempt.CheckpointHome, started.Stop.Token);
            _fetches[id] = started;
        }
    }

    /// <summary>Ends a transfer under way; what has arrived of it is gone on with by whoever fetches next.</summary>
    public async Task StopAsync(InstanceId id)
    {
        _failed.TryRemove(id, out _);
        if (_fetches.TryRemove(id, out var fetch))
        {
            await fetch.DisposeAsync();
        }
    }

    /// <summary>The newest checkpoint of a job that is whole at home; null when there is none. What came from a machine whose host key changed is not trusted.</summary>
    public async Task<CheckpointAtHome?> NewestAsync(JobId job, CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        var doubtful = await db.Attempts.AsNoTracking().Where(a => a.JobId == job && a.StopReason == StopReason.HostKeyChanged).Select(a => a.Number).ToListAsync(ct);
        var rows = await db.Artifacts.AsNoTracking().Where(a => a.JobId == job && a.Kind == ArtifactKind.Checkpoint && a.Verified && !doubtful.Contains(a.AttemptNumber)).ToListAsync(ct);
        return rows.GroupBy(a => (Step: a.Step!.Value, a.AttemptNumber)).OrderByDescending(c => c.Key)
            .Select(c => Whole(job, c.Key.AttemptNumber, c.Key.Step, [.. c])).FirstOrDefault(c => c is not null);
    }

    /// <summary>Leaves the newest checkpoints of a job at home, as many as are to be kept; none of a run that had diverged by then.</summary>
    public async Task PruneAsync(JobId job, CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        var here = await db.Artifacts.AsNoTracking().Where(a => a.JobId == job && a.Kind == ArtifactKind.Checkpoint).Select(a => new { a.AttemptNumber, Step = a.Step!.Value }).Distinct().ToListAsync(ct);
        var attempts = await db.Attempts.AsNoTracking().Where(a => a.JobId == job).Select(a => new { a.Number, a.Health }).ToListAsync(ct);
        var spoilt = attempts.ToDictionary(a => a.Number, a => a.Health.NotFiniteFrom ?? a.Health.HighFrom ?? int.MaxValue);
        var kept = here.Where(c => c.Step < spoilt.GetValueOrDefault(c.AttemptNumber, int.MaxValue)).OrderByDescending(c => c.Step).ThenByDescending(c => c.AttemptNumber).Take(options.Value.CheckpointsKept).Select(c => (c.AttemptNumber, c.Step)).ToHashSet();
        foreach (var old in here.Where(c => !kept.Contains((c.AttemptNumber, c.Step))))
        {
            await db.Artifacts.Where(a => a.JobId == job && a.AttemptNumber == old.AttemptNumber && a.Kind == ArtifactKind.Checkpoint && a.Step == old.Step).ExecuteDeleteAsync(ct);
        }

        await artifacts.DropCheckpointsAsync(job, attempts.Count, kept, ct);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var id in _fetches.Keys)
        {
            await StopAsync(id);
        }
    }

    /// <summary>What a step without news of its own costs a machine: one question an interval.</summary>
    private bool IsDue(InstanceSnapshot row, int? made)
    {
        var (attempt, now) = (row.Attempt, time.GetUtcNow());
        if (attempt.Health is not { NotFinite: 0, High: 0 })
        {
            return false; // what is saved now is no state to go on from
        }

        if (_failed.TryGetValue(row.Instance.Id, out var failed) && now - failed.At < AfterFailure && !(made > (failed.Made ?? 0)))
        {
            return false; // a newer one is not held up by it: the program may have dropped what was being fetched
        }

        if (row.Instance.Parking is not null && made > (attempt.CheckpointHome ?? -1))
        {
            return true; // its machine is about to be stopped, and nothing can be fetched from it then
        }

        return attempt.CheckpointAt is { } last ? now - last >= options.Value.CheckpointEvery : made is not null;
    }

    private async Task TakeAsync(InstanceSnapshot row, Fetch fetch, RowLease lease)
    {
        var id = row.Instance.Id;
        HomeCheckpoint? came;
        try
        {
            came = await fetch.Work;
        }
        catch (Exception fault) when (fault is SshFailure or IOException or OperationCanceledException)
        {
            NotHome(id.Value, fault.Message);
            _failed[id] = (time.GetUtcNow(), fetch.Made);
            return;
        }
        finally
        {
            await fetch.DisposeAsync();
        }

        await records.ApplyAsync(id, lease.Fence, change => Record(change, came), lease.Lost);
        if (came is not null)
        {
            await PruneAsync(row.Job.Id, lease.Lost);
        }
    }

    private static void Record(InstanceChange change, HomeCheckpoint? came)
    {
        var attempt = change.Attempt;
        attempt.CheckpointAt = change.Now;
        if (came is null)
        {
            return;
        }

        attempt.CheckpointHome = came.Step;
        HomeFiles.Add(change, came.Files);
        change.Say("checkpoint", $"The checkpoint of step {came.Step} is at home.");
    }

    private CheckpointAtHome? Whole(JobId job, int attempt, int step, IReadOnlyList<Artifact> rows)
    {
        if (rows.All(r => r.Path != $"{CheckpointPath.Folder(step)}/{CheckpointPath.Complete}"))
        {
            return null;
        }

        var files = rows.Select(r => artifacts.Locate(job, attempt, r.Path, r.Bytes) is { } path ? new CarriedFile(r.Path, path, r.Bytes, r.Sha256) : null).ToList();
        return files.Contains(null) ? null : new CheckpointAtHome(attempt, step, files!);
    }

    /// <param name="made">Step of the newest checkpoint on the machine when it began.</param>
    private sealed class Fetch(int? made) : IAsyncDisposable
    {
        public int? Made => made;

        public CancellationTokenSource Stop { get; } = new();

        public Task<HomeCheckpoint?> Work { get; set; } = null!;

        public async ValueTask DisposeAsync()
        {
            await Stop.CancelAsync();
            await Work.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default); // how it ended no longer matters
            Stop.Dispose();
        }
    }

    [LoggerMessage(EventId = 2401, Level = LogLevel.Warning, Message = "The checkpoint of instance {InstanceId} did not come home and is asked for again: {Reason}")]
    private partial void NotHome(Guid instanceId, string reason);
}

/// <summary>Rows of files that came home.</summary>
internal static class HomeFiles
{
    /// <summary>Adds those that have no row yet; one that came again with other bytes replaces its row.</summary>
    public static void Add(InstanceChange change, IEnumerable<HomeFile> files)
    {
        var job = change.Job;
        var known = change.Db.Artifacts.Where(a => a.JobId == job.Id && a.AttemptNumber == change.Attempt.Number).ToDictionary(a => a.Path);
        foreach (var file in files)
        {
            if (known.TryGetValue(file.Path, out var row))
            {
                if (row.Sha256 == file.Sha256 && row.Verified == file.Verified)
                {
                    continue;
                }

                change.Db.Artifacts.Remove(row);
            }

            var step = CheckpointPath.StepOf(file.Path);
            change.Db.Artifacts.Add(new Artifact
            {
                TeamId = job.TeamId,
                JobId = job.Id,
                AttemptNumber = change.Attempt.Number,
                Path = file.Path,
                Kind = step is null ? ArtifactKind.Result : ArtifactKind.Checkpoint,
                Step = step,
                Bytes = file.Bytes,
                Sha256 = file.Sha256,
                Verified = file.Verified,
                ArrivedAt = change.Now,
            });
        }
    }
}
