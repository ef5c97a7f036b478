using Dashboard.Domain;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>
/// What the reconciler asks of a rented machine. The product reaches it over SSH; the deterministic simulation passes
/// its own hosts in. Every call may throw an <see cref="Ssh.SshFailure"/>: the machine did not answer, try again later.
/// Every call may be repeated.
/// </summary>
public interface IMachines
{
    /// <summary>Opens or reuses the control connection over the first route that answers.</summary>
    /// <exception cref="Ssh.HostKeyChanged">Another key than the pinned one: nothing was sent.</exception>
    Task<Reached> ReachAsync(Instance instance, CancellationToken ct);

    /// <summary>Uploads what is missing of the bundle, grants the lease, starts the supervisor and begins to follow the log.</summary>
    Task StartAsync(Instance instance, RunBundle bundle, CancellationToken ct);

    /// <summary>One look: beat, exit, new metrics (stored), length of the log. Keeps the log followed.</summary>
    Task<RunLook> LookAsync(Instance instance, CancellationToken ct);

    /// <summary>Renews the machine's lease, so that it never acts on its own.</summary>
    Task RenewLeaseAsync(Instance instance, int sequence, TimeSpan granted, CancellationToken ct);

    /// <summary>Asks the program to checkpoint and exit.</summary>
    Task AskToStopAsync(Instance instance, string reason, CancellationToken ct);

    /// <summary>Asks the program to write a checkpoint and go on.</summary>
    Task AskToSaveAsync(Instance instance, CancellationToken ct);

    /// <summary>Starts the supervisor again; harmless while one runs.</summary>
    Task RestartSupervisorAsync(Instance instance, CancellationToken ct);

    /// <summary>Brings the rest of the log, the metrics and every file of the manifest home, verified.</summary>
    Task<Haul> CollectAsync(Instance instance, CancellationToken ct);

    /// <summary>Brings the machine's newest whole checkpoint home, checked against the hashes it was saved with. Goes on where an earlier call stopped.</summary>
    /// <param name="after">The step that is at home already; null when none is.</param>
    /// <returns>Null: the machine has none that is newer.</returns>
    Task<HomeCheckpoint?> FetchCheckpointAsync(Instance instance, int? after, CancellationToken ct) => Task.FromResult<HomeCheckpoint?>(null);

    /// <summary>Bytes that went to and came from the machine over its connections so far, of this process's doing.</summary>
    (long Down, long Up) TakeTraffic(InstanceId instance);

    /// <summary>Closes the connections and stops following the log.</summary>
    Task ReleaseAsync(InstanceId instance);
}

/// <param name="Route"><c>direct</c> or <c>proxy</c>.</param>
/// <param name="HostKey"><c>SHA256:…</c> as the machine showed it.</param>
public sealed record Reached(string Route, string HostKey);

/// <summary>What is uploaded for one attempt.</summary>
/// <param name="Root"><c>/workspace/.gd/&lt;attempt-id&gt;</c>.</param>
/// <param name="Files">Paths relative to <c>bundle/</c>, in order; the manifest is made from them and goes last.</param>
/// <param name="Lease">What the first lease grants.</param>
public sealed record RunBundle(string Root, IReadOnlyList<(string Path, string Text)> Files, TimeSpan Lease)
{
    /// <summary>The checkpoint to go on from: files at home, each with where it goes below <c>bundle/</c>.</summary>
    public IReadOnlyList<CarriedFile> Carried { get; init; } = [];
}

/// <param name="Path">Relative to <c>bundle/</c>.</param>
/// <param name="LocalPath">Where it lies here.</param>
/// <param name="Sha256">Lower-case hex.</param>
public sealed record CarriedFile(string Path, string LocalPath, long Bytes, string Sha256);

/// <param name="Files">Whole and checked, <c>COMPLETE</c> among them.</param>
public sealed record HomeCheckpoint(int Step, IReadOnlyList<HomeFile> Files);

/// <param name="Beat">Null before the first one.</param>
/// <param name="Exit">The only proof of an end.</param>
/// <param name="LogBytes">Length of the log on the machine.</param>
/// <param name="Progress">From metrics that are new since the last look; null where nothing is.</param>
public sealed record RunLook(RunBeat? Beat, RunExit? Exit, long LogBytes, RunProgress Progress);

/// <param name="At">By the machine's clock.</param>
/// <param name="AgeSeconds">How old it was when read, by the same clock.</param>
public sealed record RunBeat(DateTimeOffset At, double AgeSeconds, int? Step, string? Phase);

public sealed record RunExit(int Code, int? Signal, string Reason, int? Step);

public sealed record RunProgress(int? Step, int? TotalSteps, double? Loss, double? EvalLoss, double? SecondsPerStep)
{
    /// <summary>The newest checkpoint that was told of.</summary>
    public int? Checkpoint { get; init; }

    /// <summary>Trained on so far, as the program counts.</summary>
    public long? Tokens { get; init; }

    /// <summary>How fast it downloaded of late, megabits a second.</summary>
    public double? DownloadMbps { get; init; }

    /// <summary>Every line that is new, as a sign of health, in order.</summary>
    public IReadOnlyList<RunSign> Signs { get; init; } = [];
}

/// <param name="Files">What is home.</param>
/// <param name="Missing">Promised by the machine's manifest and not there.</param>
public sealed record Haul(IReadOnlyList<HomeFile> Files, IReadOnlyList<string> Missing);

/// <param name="Path">Relative, forward slashes.</param>
/// <param name="Sha256">Lower-case hex.</param>
/// <param name="Verified">Equal to the machine's manifest.</param>
public sealed record HomeFile(string Path, long Bytes, string Sha256, bool Verified);
