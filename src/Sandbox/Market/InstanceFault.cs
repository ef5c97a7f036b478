namespace Dashboard.Sandbox.Market;

/// <summary>What can be made to go wrong with one instance, beyond what the market does by itself.</summary>
internal enum InstanceFault
{
    /// <summary>The image is never pulled to its end: <c>loading</c> without progress.</summary>
    StuckLoading,

    /// <summary>The container cannot be made: <c>created</c> with the runtime's error, at the next start.</summary>
    OciFailure,

    /// <summary>The SSH ports open only after the fault's duration, counted from each start.</summary>
    SshLate,

    /// <summary>The SSH ports are closed although it says <c>running</c>.</summary>
    SshRefusing,

    /// <summary>Once: sshd shows another host key. What runs goes on.</summary>
    HostKeyChanged,

    /// <summary>Once: every open connection is dropped; new ones work.</summary>
    SessionCut,

    /// <summary>Once: the container ends by itself.</summary>
    ContainerExits,

    /// <summary>The host has lost power: nothing runs, nothing is billed. When it is back, what was wanted running starts again with its data.</summary>
    HostOffline,

    /// <summary>The status says <c>unknown</c>; what runs goes on and bills.</summary>
    NoHeartbeat,

    /// <summary>Destroying is confirmed and does not happen.</summary>
    DestroyLies,

    /// <summary>Destroying is confirmed and happens after the fault's duration.</summary>
    DestroyLags,

    /// <summary><c>/workspace</c> takes next to nothing and is full, from the next start on; what it held is out of reach until the fault ends.</summary>
    DiskFull,
}

/// <summary>A fault that lies on an instance.</summary>
/// <param name="Duration">How late or how slow, for the faults that delay something; for the others, after what time it ends by itself.</param>
internal sealed record ActiveFault(InstanceFault Kind, DateTimeOffset Since, TimeSpan? Duration)
{
    /// <summary>When it ends by itself; null if somebody has to end it.</summary>
    public DateTimeOffset? EndsAt => Kind is InstanceFault.SshLate or InstanceFault.DestroyLags ? null : Since + Duration;
}

/// <summary>A fault for an instance that does not exist yet.</summary>
internal sealed record FaultOfNext(InstanceFault Kind, TimeSpan? Duration);
