using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;

namespace Dashboard.Web.Features.Jobs;

/// <summary>What a person asked for on the stop card.</summary>
/// <param name="Cancel">How the job ends; null: it does not, its machine is kept.</param>
/// <param name="Keep">For how long, where it is kept.</param>
public sealed record StopWish(CancelMode? Cancel, TimeSpan? Keep);

/// <summary>The third way to stop: the machine stays, stopped, and goes on billing its disk.</summary>
/// <param name="Loses">What is lost, first in its sentence; null: nothing.</param>
/// <param name="PerDay">What it costs a day.</param>
/// <param name="PerMonth">What it would cost in 30 days.</param>
public sealed record KeepChoice(string? Loses, string Detail, Money PerDay, Money PerMonth)
{
    /// <summary>How long one may be kept, the usual first.</summary>
    public static IReadOnlyList<TimeSpan> Times { get; } = [Parking.Usual, TimeSpan.FromHours(6), TimeSpan.FromDays(3), TimeSpan.FromDays(7), Parking.Longest];

    /// <summary>Null: there is no machine that could be kept, or it is kept already.</summary>
    public static KeepChoice? For(JobView job)
    {
        if (job.LastMachine is not { Status: InstanceStatus.Running } machine || job.ParkUntil is not null || !ParkJob.MayPark(job.Status, machine.Status, job.Cancel))
        {
            return null;
        }

        var anew = job.Spec.Command is not null && job.LastAttempt?.CheckpointMade is null;
        return new KeepChoice(
            anew ? "Its script begins anew when it is started again." : null,
            anew ? "It has saved no checkpoint." : "Writes a checkpoint, brings it home, then the machine is stopped. You can start it again there while its GPU is free.",
            machine.DiskRate.For(TimeSpan.FromDays(1)),
            machine.DiskRate.For(TimeSpan.FromDays(30)));
    }
}
