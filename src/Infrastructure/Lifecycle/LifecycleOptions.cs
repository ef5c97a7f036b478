using System.ComponentModel.DataAnnotations;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>How the reconciler paces itself and where it gives up. Section <c>Lifecycle</c>.</summary>
public sealed class LifecycleOptions
{
    /// <summary>Time between listings of an account while nothing moves. Default 15 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")] public TimeSpan QuietInterval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The same while a machine drains or dies. Default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.2", "00:01:00")] public TimeSpan MovingInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The same while a machine boots: people wait for it. Providers allow one listing a second. Default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.2", "00:01:00")] public TimeSpan BootingInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Due rows are looked for at least so often; whoever makes one due wakes the reconciler besides. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00")] public TimeSpan LongestSleep { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Time between two looks at a running program. Default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.2", "00:01:00")] public TimeSpan WatchInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>A booting machine without progress for so long is dropped. Default 5 min.</summary>
    [Range(typeof(TimeSpan), "00:00:05", "01:00:00")] public TimeSpan BootProgress { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Bounds of the hard limit of booting, which is twice the estimate. Default 10 and 60 min.</summary>
    public TimeSpan BootHardMin { get; init; } = TimeSpan.FromMinutes(10);

    public TimeSpan BootHardMax { get; init; } = TimeSpan.FromMinutes(60);

    /// <summary>From running to an answer over SSH. Default 5 min.</summary>
    [Range(typeof(TimeSpan), "00:00:05", "01:00:00")] public TimeSpan SshAnswer { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long the machine's own log is waited for, to cross-check its host key. Default 20 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")] public TimeSpan CrossCheck { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>An offline host is waited for so long. Default 15 min.</summary>
    [Range(typeof(TimeSpan), "00:00:05", "1.00:00:00")] public TimeSpan HostReturn { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long a machine may be kept to bring files home. Default 30 min.</summary>
    [Range(typeof(TimeSpan), "00:00:05", "1.00:00:00")] public TimeSpan Drain { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Two complete listings without a machine, so far apart, prove that it is gone. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")] public TimeSpan AbsenceProof { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A machine that was rented but never listed is not believed absent before. Lists lag. Default 90 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:30:00")] public TimeSpan ListLag { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>Usage of a running machine is posted to the ledger at least so often, and at every change. Default 1 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")] public TimeSpan MeterEvery { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Time between two looks for the label of a rent whose answer was unclear. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.2", "00:01:00")] public TimeSpan LookEvery { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long it is looked for so closely, and at least before it is believed never rented. Default 2 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:30:00")] public TimeSpan LookClosely { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>After that its label stays on watch: should the machine show up after all, it is destroyed. Default 24 h.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "7.00:00:00")] public TimeSpan LabelWatch { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Time between listings of an account on which nothing but such labels is watched. Default 1 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00.2", "01:00:00")] public TimeSpan LabelWatchInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Time between listings of an account in which nothing of ours is known to live: strays show up, and machines of others are counted. Default 2 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00.2", "00:05:00")] public TimeSpan IdleInterval { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>After a rent that was refused for its pace, before the next one; doubled each time. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")] public TimeSpan PacePause { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Before a failed destroy is asked for again; doubled each time up to 5 min. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:05:00")] public TimeSpan DestroyRetry { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A machine still listed so long after its destroy was accepted is asked to go again, and bills. Default 15 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")] public TimeSpan ProofWait { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>After a restart the provider shows the old state for a while. A stop or an exit counts once the machine has been silent so long. Default 1 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:15:00")] public TimeSpan ExitedGrace { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Machines that failed somebody in this time are rented last. Default 24 h.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "30.00:00:00")] public TimeSpan CoolDown { get; init; } = TimeSpan.FromHours(24);

    /// <summary>After a search that found nothing, before the next one; doubled each time. Default 1 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")] public TimeSpan CapacityPause { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Between two looks for offers of a job that waits for its price. Searches are rationed: many different jobs look less often. Default 1 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")] public TimeSpan OrderLook { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Offers tried for one attempt. Default 5.</summary>
    [Range(1, 20)] public int OffersPerAttempt { get; init; } = 5;

    /// <summary>An unconfirmed destroy becomes an inbox item after this. Default 10 min.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")] public TimeSpan DestroyAlarm { get; init; } = TimeSpan.FromMinutes(10);
}

/// <summary>The machine's second line of defence. Section <c>DeadMan</c>.</summary>
public sealed class DeadManOptions
{
    /// <summary>A machine whose lease was not refreshed for so long destroys itself. Default 60 min.</summary>
    [Range(typeof(TimeSpan), "00:00:20", "1.00:00:00")] public TimeSpan After { get; init; } = TimeSpan.FromMinutes(60);

    /// <summary>What each refresh of the lease grants. Default 15 min.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "01:00:00")] public TimeSpan Lease { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How often the lease is refreshed. Default 1 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:30:00")] public TimeSpan Refresh { get; init; } = TimeSpan.FromMinutes(1);
}
