using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Jobs;

/// <summary>One try of a job on one instance, with what is known of its run.</summary>
public sealed class Attempt
{
    public required AttemptId Id { get; init; }

    public required TeamId TeamId { get; init; }

    public required JobId JobId { get; init; }

    /// <summary>From 1.</summary>
    public required int Number { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When its program started.</summary>
    public DateTimeOffset? StartedAt { get; set; }

    public DateTimeOffset? EndedAt { get; set; }

    public StopReason? StopReason { get; set; }

    public Said? Message { get; set; }

    /// <summary>The program's own, from its exit file.</summary>
    public int? ExitCode { get; set; }

    public int? Step { get; set; }

    public int? TotalSteps { get; set; }

    /// <summary>Trained on, as the program counts; one that goes on from a checkpoint counts on from there.</summary>
    public long? Tokens { get; set; }

    public double? Loss { get; set; }

    public double? EvalLoss { get; set; }

    /// <summary>Median seconds a step, from its last steps.</summary>
    public double? SecondsPerStep { get; set; }

    /// <summary><c>install, download, load, tokenize, train, save</c>.</summary>
    public string? Phase { get; set; }

    /// <summary>When the machine's supervisor was last seen beating.</summary>
    public DateTimeOffset? BeatAt { get; set; }

    /// <summary>When its first log line arrived.</summary>
    public DateTimeOffset? FirstLineAt { get; set; }

    /// <summary>The step of the checkpoint it went on from; null: it began anew.</summary>
    public int? ResumedFrom { get; set; }

    /// <summary>Step of the newest checkpoint that the machine has told of.</summary>
    public int? CheckpointMade { get; set; }

    /// <summary>Step of the newest checkpoint of this attempt that is at home.</summary>
    public int? CheckpointHome { get; set; }

    /// <summary>When home was last brought up to the machine's newest checkpoint.</summary>
    public DateTimeOffset? CheckpointAt { get; set; }

    /// <summary>When its machine was stopped, in order; the last one has no end while it lasts.</summary>
    public IReadOnlyList<Pause> Pauses { get; set; } = [];

    /// <summary>How fast the machine fetched what the program downloads, megabits a second; null: it fetched nothing that says.</summary>
    public double? DownloadMbps { get; set; }

    /// <summary>Steps per second relative to the estimate; null where there is no estimate.</summary>
    public double? Speed { get; set; }

    /// <summary>What its metrics say of its health so far.</summary>
    public RunHealth Health { get; set; } = RunHealth.Unknown;

    /// <summary>How fast it makes its steps, as its metrics say so far.</summary>
    public StepPace Pace { get; set; } = StepPace.Unknown;

    /// <summary>Bytes that came home, for traffic.</summary>
    public long BytesUp { get; set; }

    /// <summary>Bytes that were sent to the machine.</summary>
    public long BytesDown { get; set; }
}

/// <summary>A time in which an attempt's machine was stopped and kept: by another renter's bid, or as a person asked.</summary>
public sealed record Pause(DateTimeOffset From, DateTimeOffset? To)
{
    /// <summary>A person asked for it.</summary>
    public bool Parked { get; init; }

    /// <summary>How long they took so far, all together.</summary>
    public static TimeSpan Total(IReadOnlyList<Pause> pauses, DateTimeOffset now) => pauses.Aggregate(TimeSpan.Zero, (sum, p) => sum + ((p.To ?? now) - p.From));

    /// <summary>Ends the one that lasts.</summary>
    public static IReadOnlyList<Pause> Ended(IReadOnlyList<Pause> pauses, DateTimeOffset at) => [.. pauses.Select(p => p.To is null ? p with { To = at } : p)];
}

/// <summary>Something that happened to a job or its machine, in words, for the timeline.</summary>
public sealed class JobEvent
{
    public long Id { get; init; }

    public required TeamId TeamId { get; init; }

    public required JobId JobId { get; init; }

    public InstanceId? InstanceId { get; init; }

    public int? AttemptNumber { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>Stable word for filters: <c>submitted, rented, running, cancel, destroyed</c> and so on.</summary>
    public required string Kind { get; init; }

    /// <summary>One sentence for people.</summary>
    public required Said Text { get; init; }

    /// <summary>Who did it; null: the dashboard itself.</summary>
    public UserId? PersonId { get; init; }
}

/// <summary>What a file at home is of.</summary>
public enum ArtifactKind
{
    /// <summary>What the job was for: adapter, result, files of a script.</summary>
    Result,

    /// <summary>A state of the training to go on from.</summary>
    Checkpoint,
}

/// <summary>A file that came home.</summary>
public sealed class Artifact
{
    public long Id { get; init; }

    public required TeamId TeamId { get; init; }

    public required JobId JobId { get; init; }

    public required int AttemptNumber { get; init; }

    /// <summary>Relative, with forward slashes: <c>adapter/adapter_model.safetensors</c>.</summary>
    public required string Path { get; init; }

    public ArtifactKind Kind { get; init; }

    /// <summary>Of a checkpoint.</summary>
    public int? Step { get; init; }

    public required long Bytes { get; init; }

    /// <summary>Lower-case hex.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Whether the hash is the one in the machine's manifest. It proves the transport, not the host's honesty.</summary>
    public required bool Verified { get; init; }

    public required DateTimeOffset ArrivedAt { get; init; }
}
