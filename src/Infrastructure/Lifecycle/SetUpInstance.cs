using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Ssh;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>From an answer over SSH to a running program: cross-check the host key, upload, grant the lease, start the supervisor.</summary>
internal sealed class SetUpInstance(
    InstanceRecords records,
    IMarketplaces marketplaces,
    IMachines machines,
    CrossCheck crossCheck,
    RunBundles bundles,
    HomeCheckpoints checkpoints,
    ProviderStops stops,
    HostKeyAlarm alarm,
    IOptions<LifecycleOptions> options,
    TimeProvider time)
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    public async Task RunAsync(InstanceSnapshot row, RowLease lease)
    {
        var i = row.Instance;
        if (row.Job.Cancel is not null)
        {
            await records.ApplyAsync(i.Id, lease.Fence, change => change.Destroy(StopReason.CancelledByUser, "Stopped while the machine was set up."), lease.Lost);
            return;
        }

        if (await stops.ReadAsync(row, lease.Lost) is var (reason, what))
        {
            await records.ApplyAsync(i.Id, lease.Fence, change => change.Destroy(reason, what), lease.Lost);
            return;
        }

        try
        {
            var reached = await machines.ReachAsync(i, lease.Lost);
            var verdict = i.HostKeyCrossChecked
                ? HostKeyVerdict.Matches
                : await crossCheck.VerdictAsync(i, marketplaces.For(row.Connection), reached.HostKey, lease.Lost);
            if (verdict == HostKeyVerdict.Differs)
            {
                await alarm.RaiseAsync(row, $"The machine shows host key {reached.HostKey}, but printed others when it started. Nothing was sent.", lease);
                return;
            }

            var resume = row.Attempt.Number > 1 ? await checkpoints.NewestAsync(row.Job.Id, lease.Lost) : null;
            await machines.StartAsync(i, bundles.For(row.Job, row.Attempt, resume), lease.Lost);
            await records.ApplyAsync(i.Id, lease.Fence, change =>
            {
                change.Instance.HostKeys = RouteText.WithPin(change.Instance.HostKeys, reached.Route, reached.HostKey);
                change.Instance.HostKeyCrossChecked = verdict == HostKeyVerdict.Matches;
                (change.Instance.AnsweredAt, change.Instance.LeasedAt, change.Instance.LeaseSequence) = (change.Now, change.Now, 1);
                if (resume is not null)
                {
                    GoOn(change, resume);
                }

                change.Say("running", verdict == HostKeyVerdict.Matches ? "Host key matches what the machine printed; the program runs." : "The program runs. The host key could not be cross-checked.");
                change.MoveTo(InstanceStatus.Running);
            }, lease.Lost);
        }
        catch (HostKeyChanged changed)
        {
            await alarm.RaiseAsync(row, changed, lease);
        }
        catch (TransferRefused refused) when (refused.DiskFull)
        {
            await records.ApplyAsync(i.Id, lease.Fence, change => change.Destroy(StopReason.DiskFull, $"The machine's disk of {i.DiskGb:0.#} GB took not even the program: no space left."), lease.Lost);
        }
        catch (SshFailure failure)
        {
            var waited = time.GetUtcNow() - (i.AnsweredAt ?? i.CreatedAt);
            await records.ApplyAsync(i.Id, lease.Fence, change =>
            {
                if (waited > options.Value.SshAnswer)
                {
                    change.Destroy(StopReason.StartFailed, $"The machine stopped answering while it was set up: {failure.Message}.");
                    return;
                }

                (change.Instance.SshFailures, change.Instance.SshMessage) = (change.Instance.SshFailures + 1, failure.Message);
                change.Again(Retry);
            }, lease.Lost);
        }
    }

    private static void GoOn(InstanceChange change, CheckpointAtHome resume)
    {
        var attempt = change.Attempt;
        (attempt.ResumedFrom, attempt.Step) = (resume.Step, resume.Step);
        var before = change.Db.Attempts.Single(a => a.JobId == change.Job.Id && a.Number == resume.Attempt);
        attempt.TotalSteps = before.TotalSteps;
        attempt.Health = attempt.Health with { FirstLoss = before.Health.FirstLoss };
        change.Say("resumed", $"Going on from step {resume.Step}, the newest checkpoint at home.");
    }
}
