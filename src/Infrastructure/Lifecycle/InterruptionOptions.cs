using System.ComponentModel.DataAnnotations;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>How interruptible machines are lived with, and how much of a run is safe at home at any time. Section <c>Interruption</c>.</summary>
public sealed class InterruptionOptions
{
    /// <summary>An outbid machine is kept stopped for so long while a cheaper continuation is sought; its disk bills. Default 10.</summary>
    [Range(0.0, 1440.0)] public double WaitMinutes { get; init; } = 10;

    /// <summary>Time between two checkpoints brought home from a running machine; the first comes as soon as there is one. Default 5.</summary>
    [Range(0.01, 1440.0)] public double CheckpointMinutes { get; init; } = 5;

    /// <summary>Checkpoints of a job that stay at home, the newest. Default 2.</summary>
    [Range(1, 100)] public int CheckpointsKept { get; init; } = 2;

    /// <summary>After so many interruptions a job goes on on demand, unless it says otherwise. Default 3.</summary>
    [Range(0, 100)] public int OnDemandAfter { get; init; } = 3;

    public TimeSpan Wait => TimeSpan.FromMinutes(WaitMinutes);

    public TimeSpan CheckpointEvery => TimeSpan.FromMinutes(CheckpointMinutes);
}
