using Dashboard.Domain.Jobs;

namespace Dashboard.Domain.Instances;

/// <summary>How far a machine is that a person wants stopped and kept: its program saves, the checkpoint comes home, the provider stops it, later it is started again.</summary>
/// <param name="SaveAskedAt">When its program was asked to write a checkpoint.</param>
/// <param name="Step">Where the program was then; null: it tells of no checkpoints.</param>
public sealed record Parking(DateTimeOffset SaveAskedAt, int? Step)
{
    /// <summary>A program is waited for so long, as where it is asked to end.</summary>
    public static readonly TimeSpan SavePatience = TimeSpan.FromSeconds(120);

    /// <summary>A person who keeps a machine says until when, at most so far from now: a stopped machine is how money is forgotten.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(14);

    /// <summary>What the form offers first.</summary>
    public static readonly TimeSpan Usual = TimeSpan.FromHours(24);

    /// <summary>When the provider last accepted to stop it; null: it has to be asked, also after a start was taken back.</summary>
    public DateTimeOffset? StopAcceptedAt { get; init; }

    /// <summary>When the provider was last asked to start it again; null while it is to stay stopped.</summary>
    public DateTimeOffset? StartAskedAt { get; init; }

    /// <summary>Whether nothing is lost by stopping now, or it has been waited long enough.</summary>
    /// <param name="made">Step of the newest checkpoint on the machine.</param>
    /// <param name="home">Step of the newest one at home.</param>
    /// <param name="transfer">A checkpoint that was made is waited for so long on its way home.</param>
    public bool MayStop(int? made, int? home, TimeSpan transfer, DateTimeOffset now) =>
        Step is not { } step || home >= step || now - SaveAskedAt >= (made >= step ? SavePatience + transfer : SavePatience);

    /// <summary>A person's wish: this machine is stopped, or stays stopped, until then. Whatever start was asked for has to be taken back at the provider.</summary>
    public static void Keep(Job job, Instance machine, DateTimeOffset until)
    {
        job.ParkUntil = until;
        if (machine is { Status: InstanceStatus.Parked, Parking: { } parking })
        {
            machine.KeptUntil = until;
            machine.Parking = parking with { StartAskedAt = null, StopAcceptedAt = parking.StartAskedAt is null ? parking.StopAcceptedAt : null };
        }
    }

    /// <summary>A person's wish: it is started again. One that was not stopped yet just goes on.</summary>
    public static void StartAgain(Job job, Instance machine)
    {
        job.ParkUntil = null;
        if (machine.Status == InstanceStatus.Running)
        {
            machine.Parking = null;
        }
    }
}
