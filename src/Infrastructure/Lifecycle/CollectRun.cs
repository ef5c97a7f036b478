using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Ssh;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>Brings home what the program left: the rest of its log, its metrics, its files. Then the machine may go.</summary>
internal sealed class CollectRun(InstanceRecords records, IMachines machines, ResultCheck results, HomeCheckpoints checkpoints, ProviderStops stops, HostKeyAlarm alarm, IOptions<DeadManOptions> deadMan, TimeProvider time)
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(2);

    public async Task RunAsync(InstanceSnapshot row, RowLease lease)
    {
        var (i, now) = (row.Instance, time.GetUtcNow());
        if (row.Job.Cancel == CancelMode.DestroyNow && i.EndReason != StopReason.Finished)
        {
            await records.ApplyAsync(i.Id, lease.Fence, change => Destroy(change, "Destroyed before its files were home, as asked."), lease.Lost);
            return;
        }

        if (now > i.DrainUntil)
        {
            await records.ApplyAsync(i.Id, lease.Fence, change =>
            {
                Spoil(change, "The time to bring its files home ran out; what is home is listed.");
                Destroy(change, "Gave up fetching files.");
            }, lease.Lost);
            return;
        }

        if (i.Observed is ObservedStatus.Stopped or ObservedStatus.WaitingForGpu && await stops.ReadAsync(row, lease.Lost) is var (_, stopped))
        {
            await records.ApplyAsync(i.Id, lease.Fence, change =>
            {
                Spoil(change, $"{stopped} Nothing can be fetched from a stopped machine; what is home is listed.");
                Destroy(change, "Gave up fetching files: the machine was stopped.");
            }, lease.Lost);
            return;
        }

        try
        {
            await checkpoints.StopAsync(i.Id); // the same files come with the rest
            await machines.RenewLeaseAsync(i, i.LeaseSequence + 1, deadMan.Value.Lease, lease.Lost);
            var haul = await machines.CollectAsync(i, lease.Lost);
            var look = await machines.LookAsync(i, lease.Lost);
            var problem = i.EndReason == StopReason.Finished ? await results.ProblemAsync(row.Job, row.Attempt.Number, lease.Lost) : null;
            var (down, up) = machines.TakeTraffic(i.Id);
            await records.ApplyAsync(i.Id, lease.Fence, change =>
            {
                change.Instance.LeaseSequence++;
                (change.Attempt.BytesDown, change.Attempt.BytesUp) = (change.Attempt.BytesDown + down, change.Attempt.BytesUp + up);
                RunNotes.Take(change.Job, change.Attempt, look, change.Instance.AnsweredAt, change.Now);
                change.Instance.AnsweredAt = change.Now;
                MeterUsage.Answers(change);
                Home(change, haul, problem);
            }, lease.Lost);
            await machines.ReleaseAsync(i.Id);
            await checkpoints.PruneAsync(row.Job.Id, lease.Lost);
        }
        catch (HostKeyChanged changed)
        {
            await alarm.RaiseAsync(row, changed, lease);
        }
        catch (SshFailure failure)
        {
            await records.ApplyAsync(i.Id, lease.Fence, change =>
            {
                change.Instance.SshMessage = failure.Message;
                change.Again(Retry);
            }, lease.Lost);
        }
    }

    private static void Home(InstanceChange change, Haul haul, string? problem)
    {
        HomeFiles.Add(change, haul.Files);
        if (haul.Missing.Count > 0)
        {
            Spoil(change, $"The machine promised files that are not there: {string.Join(", ", haul.Missing)}.");
        }
        else if (problem is not null)
        {
            Spoil(change, problem);
        }

        Destroy(change, $"{haul.Files.Count} {(haul.Files.Count == 1 ? "file is" : "files are")} home.");
    }

    /// <summary>A good end without its result is not a good end. A bad end keeps its own reason.</summary>
    private static void Spoil(InstanceChange change, string what)
    {
        if (change.Instance.EndReason == StopReason.Finished)
        {
            (change.Instance.EndReason, change.Instance.EndMessage) = (StopReason.ArtifactMissing, what);
            change.Say("artifact-missing", what);
        }
    }

    private static void Destroy(InstanceChange change, string line)
    {
        change.Say("collected", line);
        change.MoveTo(InstanceStatus.Destroying);
    }
}
