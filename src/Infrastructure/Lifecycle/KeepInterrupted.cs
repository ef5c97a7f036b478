using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>
/// A machine that another renter has outbid: kept stopped for a while, because it may come back, while the job seeks a
/// continuation elsewhere. Whichever is first wins and the other is destroyed. Only checkpoints at home count.
/// </summary>
internal sealed class KeepInterrupted(InstanceRecords records, IMachines machines, HomeCheckpoints checkpoints, ProviderStops stops, IOptions<InterruptionOptions> options, IOptions<LifecycleOptions> lifecycle, TimeProvider time)
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(15); // the listings wake it sooner

    /// <summary>What was rented on demand does not come back by itself.</summary>
    public bool IsWorthIt(InstanceSnapshot row) =>
        row.Instance.Rental == RentalType.Interruptible && row.Job.Cancel is null && row.Instance.StopAskedAt is null && options.Value.Wait > TimeSpan.Zero;

    public async Task BeginAsync(InstanceSnapshot row, RowLease lease)
    {
        await records.ApplyAsync(row.Instance.Id, lease.Fence, change =>
        {
            var (i, job) = (change.Instance, change.Job);
            (i.InterruptedAt, i.KeptUntil) = (change.Now, change.Now + options.Value.Wait);
            job.Interruptions++;
            change.Attempt.Pauses = [.. change.Attempt.Pauses, new Pause(change.Now, null)];
            change.MoveTo(InstanceStatus.Interrupted);
            job.Message = $"{Outbid(i)} {AtHome(change.Attempt)}" + Endings.ItCost(JobProgress.SpentOn(change)) + $" It is kept stopped for {options.Value.WaitMinutes:0.##} min" + Said.Money($" ({PerDay(i)})") + " while we look for a cheaper continuation.";
            change.Say("interrupted", job.Message);
        }, lease.Lost);
        await checkpoints.StopAsync(row.Instance.Id);
        await machines.ReleaseAsync(row.Instance.Id);
    }

    public async Task RunAsync(InstanceSnapshot row, RowLease lease)
    {
        var (i, now) = (row.Instance, time.GetUtcNow());
        if (row.Job.Cancel is not null)
        {
            await ApplyAsync(row, lease, change => change.Destroy(StopReason.CancelledByUser, "Stopped while its machine was outbid."));
        }
        else if (i.Observed == ObservedStatus.Running)
        {
            await ApplyAsync(row, lease, Returned);
        }
        else if (!IsRelaunching(i, now) && await stops.ReadAsync(row, lease.Lost) is var (reason, what) && reason != StopReason.Interrupted)
        {
            await ApplyAsync(row, lease, change => change.Destroy(reason, what));
        }
        else if (i.ObservedAt >= i.KeptUntil + (i.Observed is ObservedStatus.Provisioning || IsRelaunching(i, now) ? lifecycle.Value.BootProgress : TimeSpan.Zero)) // seen since and not back; it may be on its way
        {
            await ApplyAsync(row, lease, change =>
            {
                if (change.Now >= change.Instance.KeptUntil && change.Instance.Observed != ObservedStatus.Running)
                {
                    change.Destroy(StopReason.Interrupted, $"{Outbid(change.Instance)} It did not come back within {(change.Now - change.Instance.InterruptedAt!.Value).TotalMinutes:0.##} min. {AtHome(change.Attempt)}");
                }
            });
        }
        else
        {
            await ApplyAsync(row, lease, change => change.Again(change.Instance.KeptUntil - change.Now is { } rest && rest > TimeSpan.Zero && rest < Look ? rest : Look));
        }
    }

    /// <summary>For minutes after a start the provider may still show how the container ended before.</summary>
    private bool IsRelaunching(Instance i, DateTimeOffset now) => i.Observed == ObservedStatus.Failed && now - (i.ProgressAt ?? i.CreatedAt) <= lifecycle.Value.BootProgress;

    /// <summary>Whatever was decided since the row was read stands: the job may have gone on elsewhere.</summary>
    private Task ApplyAsync(InstanceSnapshot row, RowLease lease, Action<InstanceChange> change) => records.ApplyAsync(row.Instance.Id, lease.Fence, applied =>
    {
        if (applied.Instance.Status == InstanceStatus.Interrupted)
        {
            change(applied);
        }
    }, lease.Lost);

    /// <summary>The container has started again by itself, and its supervisor goes on from the checkpoint on its disk.</summary>
    private static void Returned(InstanceChange change)
    {
        var i = change.Instance;
        var away = change.Now - i.InterruptedAt!.Value;
        (i.InterruptedAt, i.KeptUntil, i.WaitedFor) = (null, null, false);
        GoOn(change);
        change.Say("returned", $"The machine came back after {away.TotalMinutes:0.#} min; it goes on there.");
    }

    /// <summary>A machine that was stopped runs again: it is given the time to answer, and its pause is not held against its program.</summary>
    internal static void GoOn(InstanceChange change)
    {
        var i = change.Instance;
        (i.AnsweredAt, i.SshFailures, i.SshMessage, i.Silence) = (change.Now, 0, null, null);
        change.Attempt.Health = change.Attempt.Health with { MovedAt = change.Now };
        change.Attempt.Pauses = Pause.Ended(change.Attempt.Pauses, change.Now);
        (change.Job.Message, change.Job.NextStepAt) = (null, null);
        change.MoveTo(InstanceStatus.Running);
    }

    internal static string Outbid(Instance i) => $"Another renter bid more on the machine in {i.Location ?? "an unnamed place"}.";

    internal static string AtHome(Attempt attempt) => (attempt.CheckpointHome ?? attempt.ResumedFrom) is { } step ? $"{step} steps are at home." : "No checkpoint is at home yet.";

    private static string PerDay(Instance i) => $"{i.DiskRate.For(TimeSpan.FromDays(1)).Words()}/day";
}
