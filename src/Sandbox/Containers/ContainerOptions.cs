namespace Dashboard.Sandbox.Containers;

/// <summary>Where containers live on this computer, and what each may use of it.</summary>
internal sealed record ContainerOptions
{
    /// <summary>Holds one folder per instance; every folder above it must be open to other users when this program runs as root.</summary>
    public required string InstancesDirectory { get; init; }

    public required int FirstPort { get; init; }

    public required int LastPort { get; init; }

    public int MaxProcesses { get; init; } = 1024;

    public long MaxFileBytes { get; init; } = 20L << 30;

    /// <summary>CPU time of any one process.</summary>
    public TimeSpan MaxCpuTime { get; init; } = TimeSpan.FromHours(24);

    /// <summary>As root, the first user id that containers run under; each has its own.</summary>
    public int FirstUserId { get; init; } = 60_600;
}
