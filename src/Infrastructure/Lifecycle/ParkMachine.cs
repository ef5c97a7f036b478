using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>
/// A machine that a person wants stopped and kept: its program saves, the checkpoint comes home, the provider stops the machine, its
/// disk bills until the day the person named, and then it is destroyed. Until then it can be started again, and its program goes on
/// from the checkpoint on its disk.
/// </summary>
internal sealed class ParkMachine(InstanceRecords records, IMachines machines, IMarketplaces marketplaces, HomeCheckpoints checkpoints, IOptions<LifecycleOptions> options, IOptions<InterruptionOptions> interruption, TimeProvider time)
{
    private static readonly TimeSpan Look = TimeSpan.FromMinutes(1); // listings and people wake it sooner
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(30);

    /// <summary>Whether its program is to make way.</summary>
    public static bool IsWanted(InstanceSnapshot row) => row.Job is { ParkUntil: not null, Cancel: null } && row.Instance.StopAskedAt is null;

    /// <summary>Whether it can be stopped without looking at it again: it is stopped, or has been waited for too long.</summary>
    public bool IsOverdue(InstanceSnapshot row) => row.Instance.Observed is ObservedStatus.Stopped or ObservedStatus.WaitingForGpu || MayStop(row, row.Attempt.CheckpointMade);

    /// <summary>Part of each look at a program that still runs: asks it to save, and once it has, the provider to stop the machine.</summary>
    public async Task BeginAsync(InstanceSnapshot row, RunLook look, RowLease lease)
    {
        var made = look.Progress.Checkpoint ?? row.Attempt.CheckpointMade;
        if (row.Instance.Parking is not null)
        {
            if (MayStop(row, made))
            {
                await StopAsync(row, lease);
            }

            return;
        }

        await machines.AskToSaveAsync(row.Instance, lease.Lost);
        await records.ApplyAsync(row.Instance.Id, lease.Fence, change =>
        {
            var saves = (made is not null || change.Job.Spec.Command is null) && change.Attempt.Health is { NotFinite: 0, High: 0 }; // nobody goes on from a run that has diverged
            change.Instance.Parking = new Parking(change.Now, saves ? look.Progress.Step ?? change.Attempt.Step : null);
            change.Say("parking", saves ? "Asked the program to save; once that is home, its machine is stopped and kept." : "Its program has nothing to save; its machine is stopped and kept.");
        }, lease.Lost);
    }

    /// <summary>Asks the provider, then writes it down. Whoever dies in between finds a stopped machine that is to be stopped, and asks once more.</summary>
    public async Task StopAsync(InstanceSnapshot row, RowLease lease)
    {
        var asked = time.GetUtcNow();
        await marketplaces.For(row.Connection).StopAsync(row.Instance.ContractId!, lease.Lost);
        await records.ApplyAsync(row.Instance.Id, lease.Fence, change =>
        {
            if (change.Instance.Status == InstanceStatus.Running)
            {
                Stopped(change, asked);
            }
        }, lease.Lost);
        await checkpoints.StopAsync(row.Instance.Id);
        await machines.ReleaseAsync(row.Instance.Id);
    }

    /// <summary>One look at a machine that is kept.</summary>
    public async Task RunAsync(InstanceSnapshot row, RowLease lease)
    {
        var (i, job, now) = (row.Instance, row.Job, time.GetUtcNow());
        if (job.Cancel is not null)
        {
            await ApplyAsync(row, lease, change => change.Destroy(StopReason.CancelledByUser, "Stopped while its machine was kept."));
        }
        else if (i.ContractEnd <= now)
        {
            await ApplyAsync(row, lease, change => change.Destroy(StopReason.DeadlineReached, $"The contract of the kept machine at {change.Connection.Market.Name} ended. {KeepInterrupted.AtHome(change.Attempt)}"));
        }
        else if (job.ParkUntil is null && Runs(i, since: i.Parking?.StartAskedAt))
        {
            await ApplyAsync(row, lease, Returned);
        }
        else if ((job.ParkUntil is null ? i.ObservedAt : now) >= i.KeptUntil) // one that is to start again may be back: not before a listing says that it is not
        {
            await ApplyAsync(row, lease, Expired);
        }
        else if (job.ParkUntil is null)
        {
            await BringBackAsync(row, lease);
        }
        else if (i.Parking?.StopAcceptedAt is null || Runs(i, since: i.Parking.StopAcceptedAt + options.Value.ProofWait))
        {
            // A start that was asked for and taken back may still be queued. Or: accepted and not done, or started by somebody else; then it bills its GPU.
            await marketplaces.For(row.Connection).StopAsync(i.ContractId!, lease.Lost);
            await ApplyAsync(row, lease, change =>
            {
                var runs = change.Instance.Parking!.StopAcceptedAt is not null;
                change.Instance.Parking = change.Instance.Parking with { StopAcceptedAt = now };
                change.Say("stop-again", runs ? $"{change.Connection.Market.Name} still lists machine {i.ContractId} as running; asked again to stop it." : $"Took the start of machine {i.ContractId} back.");
            });
        }
        else
        {
            await ApplyAsync(row, lease, change => change.Again(Least(Look, change.Instance.KeptUntil!.Value - change.Now)));
        }
    }

    private bool MayStop(InstanceSnapshot row, int? made) => row.Instance.Parking?.MayStop(made, row.Attempt.CheckpointHome, options.Value.Drain, time.GetUtcNow()) == true;

    /// <summary>Asks until it runs. It is wanted to go on: where its GPU stays taken as long as an outbid machine would be waited for, it goes on elsewhere.</summary>
    private async Task BringBackAsync(InstanceSnapshot row, RowLease lease)
    {
        var (i, now) = (row.Instance, time.GetUtcNow());
        if (now - i.Parking?.StartAskedAt < AskAgain)
        {
            await ApplyAsync(row, lease, change => change.Again(Least(AskAgain, change.Instance.KeptUntil!.Value - change.Now)));
            return;
        }

        // Written down first: the waiting ends however the question is answered.
        var first = i.Parking?.StartAskedAt is null;
        await ApplyAsync(row, lease, change =>
        {
            var kept = change.Instance;
            if (first && now + interruption.Value.Wait + options.Value.BootProgress is var waited && waited < kept.KeptUntil)
            {
                kept.KeptUntil = waited;
            }

            kept.Parking = kept.Parking! with { StartAskedAt = now };
        });
        var (starts, refusal) = (false, (string?)null);
        try
        {
            starts = await marketplaces.For(row.Connection).StartAsync(i.ContractId!, lease.Lost);
        }
        catch (MarketplaceException fault) when (fault is not CredentialRejectedException)
        {
            refusal = fault.Message;
        }

        await ApplyAsync(row, lease, change =>
        {
            var kept = change.Instance;
            if (change.Job.ParkUntil is not null)
            {
                return; // a person has taken it back meanwhile
            }

            Said said = starts ? $"Starting machine {i.ContractId} again."
                : refusal is not null ? $"{change.Connection.Market.Name} does not start machine {i.ContractId}" + Said.Money($": {refusal}", ".") + $" It is asked again until {kept.KeptUntil:HH:mm} UTC; then the job goes on elsewhere. {KeepInterrupted.AtHome(change.Attempt)}"
                : $"Somebody else has the GPU of machine {i.ContractId}. {change.Connection.Market.Name} starts it once it is free; only its disk bills until then. If it is not free by {kept.KeptUntil:HH:mm} UTC, the job goes on elsewhere. {KeepInterrupted.AtHome(change.Attempt)}";
            if (first || change.Job.Message != said)
            {
                change.Say("starting", said);
            }

            change.Job.Message = said;
            change.Again(AskAgain);
        });
    }

    /// <summary>Whatever was decided since the row was read stands.</summary>
    private Task ApplyAsync(InstanceSnapshot row, RowLease lease, Action<InstanceChange> change) => records.ApplyAsync(row.Instance.Id, lease.Fence, applied =>
    {
        if (applied.Instance.Status == InstanceStatus.Parked)
        {
            change(applied);
        }
    }, lease.Lost);

    private static void Stopped(InstanceChange change, DateTimeOffset asked)
    {
        var (i, job) = (change.Instance, change.Job);
        var until = job.ParkUntil ?? change.Now + Parking.Usual; // taken back meanwhile: it is started again by the next step
        i.Parking = (i.Parking ?? new Parking(change.Now, null)) with { StopAcceptedAt = asked };
        i.KeptUntil = until;
        change.Attempt.Pauses = [.. change.Attempt.Pauses, new Pause(change.Now, null) { Parked = true }];
        change.MoveTo(InstanceStatus.Parked);
        job.Message = ParkWords.Of(until);
        change.Say("parked", job.Message);
    }

    private static void Expired(InstanceChange change)
    {
        var wanted = change.Job.ParkUntil is null;
        change.Destroy(
            wanted ? StopReason.Interrupted : StopReason.CancelledByUser,
            wanted ? $"Its machine could not be started again in time. {KeepInterrupted.AtHome(change.Attempt)}" : $"It was kept stopped until now, as asked. {KeepInterrupted.AtHome(change.Attempt)}");
    }

    private static void Returned(InstanceChange change)
    {
        var i = change.Instance;
        var stopped = change.Now - (i.Parking?.StopAcceptedAt ?? change.Now);
        (i.Parking, i.KeptUntil) = (null, null);
        KeepInterrupted.GoOn(change);
        change.Say("returned", $"The machine runs again after {(stopped < TimeSpan.FromHours(2) ? $"{stopped.TotalMinutes:0} min" : $"{stopped.TotalHours:0.#} h")}; it goes on there.");
    }

    private static bool Runs(Instance i, DateTimeOffset? since) => i.Observed == ObservedStatus.Running && i.ObservedAt > since;

    private static TimeSpan Least(TimeSpan a, TimeSpan b) => a < b ? a : b;
}

/// <summary>What a job whose machine is kept says of itself.</summary>
public static class ParkWords
{
    public static string Of(DateTimeOffset until) => $"Its machine is stopped and kept until {until:yyyy-MM-dd HH:mm} UTC, as asked; then it is destroyed. Only its disk bills.";
}
