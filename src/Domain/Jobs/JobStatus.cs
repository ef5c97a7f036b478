namespace Dashboard.Domain.Jobs;

/// <summary>Where a job is in its life. Why it ended is <see cref="StopReason"/>.</summary>
public enum JobStatus
{
    /// <summary>Accepted; nothing rented yet.</summary>
    Submitted,

    /// <summary>Above the person's money limit; somebody has to say yes.</summary>
    AwaitingApproval,

    /// <summary>Waits until a machine costs at most its limit.</summary>
    WaitingForPrice,

    /// <summary>Looking for a machine and renting it.</summary>
    Provisioning,

    /// <summary>The machine boots and is set up.</summary>
    Starting,

    /// <summary>The program runs.</summary>
    Running,

    /// <summary>Its files come home.</summary>
    Collecting,

    /// <summary>The machine is being destroyed, until that is proven.</summary>
    Terminating,

    /// <summary>Stopped for want of budget or credit; goes on once there is money.</summary>
    Paused,

    Succeeded,
    Failed,
    Cancelled,
}

/// <summary>Why an attempt ended. Decides the next status, the message and whether to try again.</summary>
public enum StopReason
{
    Finished,
    CancelledByUser,
    BudgetExhausted,
    CreditExhausted,

    /// <summary>Its own time limit or the contract's end.</summary>
    DeadlineReached,

    ScriptFailed,
    OutOfMemory,
    DiskFull,

    /// <summary>Loss not finite or above its bound.</summary>
    Diverged,

    /// <summary>No step for too long.</summary>
    Hung,

    /// <summary>No offer fitted, or every one was gone.</summary>
    NoCapacity,

    /// <summary>The machine did not come up or refused SSH.</summary>
    StartFailed,

    /// <summary>Outbid or preempted.</summary>
    Interrupted,

    /// <summary>The host stopped answering.</summary>
    HostLost,

    HostKeyChanged,

    /// <summary>The program ended well but its result is missing or damaged.</summary>
    ArtifactMissing,

    /// <summary>The provider refuses the key.</summary>
    ConnectionBroken,

    /// <summary>Its order's time passed and no machine had cost little enough.</summary>
    PriceNotReached,

    /// <summary>It was above its person's money limit, and somebody said no.</summary>
    Declined,
}
