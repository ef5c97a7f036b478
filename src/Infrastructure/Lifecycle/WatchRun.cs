using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Budgets;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Ssh;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>One look at a running program: has it ended, must it end, does it still hold its lease. End of a stream is never an end; only the exit file is.</summary>
internal sealed class WatchRun(
    AppDatabase database,
    InstanceRecords records,
    IMachines machines,
    HomeCheckpoints checkpoints,
    KeepInterrupted keep,
    ParkMachine park,
    ProviderStops stops,
    HostKeyAlarm alarm,
    IOptions<LifecycleOptions> options,
    IOptions<DeadManOptions> deadMan,
    IOptions<BudgetOptions> budgets,
    TimeProvider time)
{
    /// <summary>Longer than the program's own grace between TERM and KILL.</summary>
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(150);

    private static readonly TimeSpan BeatIsOld = TimeSpan.FromSeconds(30);

    public async Task RunAsync(InstanceSnapshot row, RowLease lease)
    {
        var (i, now) = (row.Instance, time.GetUtcNow());
        if (row.Job.Cancel == CancelMode.DestroyNow)
        {
            await records.ApplyAsync(i.Id, lease.Fence, change => change.Destroy(StopReason.CancelledByUser, $"Stopped by a person at step {change.Attempt.Step ?? 0}."), lease.Lost);
            return;
        }

        if (ParkMachine.IsWanted(row) && park.IsOverdue(row))
        {
            await park.StopAsync(row, lease);
            return;
        }

        if (await stops.ReadAsync(row, lease.Lost) is var (reason, what))
        {
            await (reason == StopReason.Interrupted && keep.IsWorthIt(row) ? keep.BeginAsync(row, lease) : records.ApplyAsync(i.Id, lease.Fence, change => change.Destroy(reason, what), lease.Lost));
            return;
        }

        try
        {
            var look = await machines.LookAsync(i, lease.Lost);
            if (look.Exit is null)
            {
                await KeepAsync(row, look, lease, now);
            }

            var (down, up) = machines.TakeTraffic(i.Id);
            await records.ApplyAsync(i.Id, lease.Fence, change =>
            {
                (change.Attempt.BytesDown, change.Attempt.BytesUp) = (change.Attempt.BytesDown + down, change.Attempt.BytesUp + up);
                Note(change, look);
            }, lease.Lost);
            if (look.Exit is null)
            {
                await checkpoints.KeepAsync(row, look, lease);
                if (ParkMachine.IsWanted(row))
                {
                    await park.BeginAsync(row, look, lease);
                }
            }
        }
        catch (HostKeyChanged changed)
        {
            await alarm.RaiseAsync(row, changed, lease);
        }
        catch (SshFailure failure)
        {
            await records.ApplyAsync(i.Id, lease.Fence, change => Silent(change, failure), lease.Lost);
        }
    }

    private async Task KeepAsync(InstanceSnapshot row, RunLook look, RowLease lease, DateTimeOffset now)
    {
        var i = row.Instance;
        if (look.Beat is null || look.Beat.AgeSeconds > BeatIsOld.TotalSeconds)
        {
            await machines.RestartSupervisorAsync(i, lease.Lost); // refused by its lock when one lives
        }

        if (now - (i.LeasedAt ?? DateTimeOffset.MinValue) >= deadMan.Value.Refresh)
        {
            await machines.RenewLeaseAsync(i, i.LeaseSequence + 1, deadMan.Value.Lease, lease.Lost);
            await records.ApplyAsync(i.Id, lease.Fence, change => { change.Instance.LeasedAt = change.Now; change.Instance.LeaseSequence++; }, lease.Lost);
        }

        if (i.StopAskedAt is null && (await LimitAsync(row, now, lease.Lost) ?? Unwell(row, look, now)) is var (reason, what))
        {
            await machines.AskToStopAsync(i, reason.ToString(), lease.Lost);
            await records.ApplyAsync(i.Id, lease.Fence, change =>
            {
                (change.Instance.StopAskedAt, change.Instance.StopAskedFor, change.Instance.EndMessage) = (change.Now, reason, what);
                if (reason is StopReason.Hung or StopReason.Diverged)
                {
                    Spare(change, look);
                }

                change.Say("stopping", (change.Instance.EndMessage ?? what) + " Asked the program to save and stop.");
            }, lease.Lost);
        }
    }

    /// <summary>Whether the program does not get on: hung, or diverged.</summary>
    private static (StopReason Reason, Said What)? Unwell(InstanceSnapshot row, RunLook look, DateTimeOffset now)
    {
        var (job, attempt, p) = (row.Job, row.Attempt, look.Progress);
        var health = RunNotes.HealthAfter(job, attempt.Health, look, row.Instance.AnsweredAt, now);
        return HealthRules.Verdict(job.Spec, job.Limits.Health, health, p.Step ?? attempt.Step, p.TotalSteps ?? attempt.TotalSteps, p.SecondsPerStep ?? attempt.SecondsPerStep, now);
    }

    /// <summary>What is not spent because it stops now is said with the reason.</summary>
    private static void Spare(InstanceChange change, RunLook look)
    {
        var (i, attempt, p) = (change.Instance, change.Attempt, look.Progress);
        var saved = HealthRules.Saved(p.Step ?? attempt.Step, p.TotalSteps ?? attempt.TotalSteps, p.SecondsPerStep ?? attempt.SecondsPerStep, i.GpuRate + i.DiskRate);
        attempt.Health = attempt.Health with { Saved = saved };
        i.EndMessage = (i.EndMessage ?? "") + Said.Money(saved is { } rest ? $" Saved ≈ {rest.Words()}." : "") + $" {KeepInterrupted.AtHome(attempt)}";
    }

    /// <summary>Whether the program has to stop itself now, saved.</summary>
    private async Task<(StopReason Reason, Said What)?> LimitAsync(InstanceSnapshot row, DateTimeOffset now, CancellationToken ct)
    {
        var (i, job) = (row.Instance, row.Job);
        if (job.Cancel is not null)
        {
            return (StopReason.CancelledByUser, "A person stopped it.");
        }

        if (job.Limits.MaxRuntime is { } time && row.Attempt.StartedAt is { } started && now - started - Pause.Total(row.Attempt.Pauses, now) + await RanBeforeAsync(row, ct) >= time)
        {
            return (StopReason.DeadlineReached, $"It ran for its limit of {time.TotalHours:0.##} h.");
        }

        if (job.Limits.FinishBy <= now)
        {
            return (StopReason.DeadlineReached, $"It was to be done by {job.Limits.FinishBy:yyyy-MM-dd HH:mm} UTC.");
        }

        if (i.ContractEnd is { } end && end - now <= options.Value.Drain)
        {
            return (StopReason.DeadlineReached, $"The machine's contract ends at {end:HH:mm} UTC.");
        }

        if (i.HeldUntil - budgets.Value.ToDestroy <= now)
        {
            return (StopReason.BudgetExhausted, i.HoldRefusal ?? "What was set aside for it is used up.");
        }

        return null;
    }

    /// <summary>What earlier attempts ran, as far as their machines were heard of.</summary>
    private async Task<TimeSpan> RanBeforeAsync(InstanceSnapshot row, CancellationToken ct)
    {
        if (row.Attempt.Number == 1)
        {
            return TimeSpan.Zero;
        }

        await using var db = await database.ForSystemAsync(ct);
        var runs = await db.Attempts.AsNoTracking().Where(a => a.JobId == row.Job.Id && a.Number < row.Attempt.Number && a.StartedAt != null && a.BeatAt > a.StartedAt)
            .Select(a => new { a.StartedAt, a.BeatAt }).ToListAsync(ct);
        return runs.Aggregate(TimeSpan.Zero, (sum, run) => sum + (run.BeatAt!.Value - run.StartedAt!.Value));
    }

    private void Note(InstanceChange change, RunLook look)
    {
        var (i, attempt) = (change.Instance, change.Attempt);
        RunNotes.Take(change.Job, attempt, look, i.AnsweredAt, change.Now);
        (i.AnsweredAt, i.SshFailures, i.SshMessage, i.Silence) = (change.Now, 0, null, null);
        MeterUsage.Answers(change);

        if (look.Exit is { } exit)
        {
            var reason = Endings.FromMachine(exit.Reason, i.StopAskedFor);
            attempt.ExitCode = exit.Code;
            change.Drain(reason, i.EndMessage ?? RunNotes.What(exit, reason), options.Value.Drain);
            return;
        }

        if (i.StopAskedAt is { } asked && change.Now - asked > StopPatience)
        {
            change.Drain(i.StopAskedFor!.Value, i.EndMessage ?? "It did not stop when asked.", options.Value.Drain);
            return;
        }

        change.Again(i.StopAskedAt is null && change.Job.ParkUntil is null ? options.Value.WatchInterval : TimeSpan.FromMilliseconds(250));
    }

    private void Silent(InstanceChange change, SshFailure failure)
    {
        var i = change.Instance;
        i.SshFailures++;
        if (i.SshMessage is null)
        {
            change.Say("silent", $"Lost the connection ({failure.Message}); reconnecting. Nothing is lost, the log is on the machine.");
        }

        i.SshMessage = failure.Message;
        i.Silence = Silence.Heard(i.Silence, change.Now);
        if (i.Silence.Lasts > options.Value.HostReturn)
        {
            change.Destroy(StopReason.HostLost, i.Observed == ObservedStatus.Unreachable
                ? ProviderStops.Offline(i, options.Value)
                : $"The machine has not answered over SSH for {options.Value.HostReturn.TotalMinutes:0} min: {failure.Message}.");
            return;
        }

        change.Again(options.Value.WatchInterval);
    }
}
