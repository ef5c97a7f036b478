using System.Text.Json.Serialization;

namespace Dashboard.Sandbox.Market;

internal enum ContractPhase
{
    /// <summary>Accepted; the host has not reported anything yet.</summary>
    Provisioning,

    /// <summary>The image is being pulled.</summary>
    Loading,

    /// <summary>The container has been asked for and has not reported back.</summary>
    Starting,
    Running,

    /// <summary>Stopped and started again without giving up its GPUs.</summary>
    Rebooting,

    /// <summary>Made anew from its image, on the same GPUs.</summary>
    Recycling,

    /// <summary>Halted by request, by the end of the contract or of the credit; data kept.</summary>
    Stopped,

    /// <summary>Wanted running, but somebody else has its GPUs.</summary>
    Queued,

    /// <summary>Paused because somebody bids more, or rents on demand; goes on by itself when its bid wins again.</summary>
    Outbid,

    /// <summary>Its host is away.</summary>
    Offline,

    /// <summary>The container ended by itself.</summary>
    Exited,

    /// <summary>The container could not be made.</summary>
    Broken,
    Destroyed,
}

/// <summary>A stretch of time billed at one rate.</summary>
/// <param name="PerHour">USD per hour.</param>
internal sealed record BilledInterval(DateTimeOffset Start, DateTimeOffset? End, decimal PerHour)
{
    /// <summary>Exact, for the part that lies between two instants.</summary>
    public decimal Cost(DateTimeOffset from, DateTimeOffset until)
    {
        var start = Start > from ? Start : from;
        var end = End is { } ended && ended < until ? ended : until;
        return end > start ? PerHour * (end - start).Ticks / TimeSpan.TicksPerHour : 0m;
    }
}

/// <summary>Bytes through the instance's SSH ports within one clock hour.</summary>
internal sealed record TrafficHour(DateTimeOffset Hour, long UpBytes, long DownBytes);

/// <summary>A public key that was attached to one instance.</summary>
internal sealed record AttachedKey(int Id, string PublicKey, DateTimeOffset AttachedAt, bool Installed);

/// <summary>One rental, from the rent call until it is destroyed and, for the books, for ever after. Prices are frozen at the rent.</summary>
internal sealed class Contract
{
    public required int Id { get; init; }

    /// <summary>The account that rented it and pays for it.</summary>
    public int AccountId { get; init; } = MarketState.FirstAccount;

    public required int AskId { get; init; }

    public required int MachineIndex { get; init; }

    public required int SliceIndex { get; init; }

    public string? Label { get; set; }

    public required string Image { get; init; }

    public required string RunType { get; init; }

    public required string OnStart { get; init; }

    public required IReadOnlyList<KeyValuePair<string, string>> Environment { get; init; }

    public required decimal DiskGb { get; init; }

    /// <summary>USD per hour for the slice; the bid of an interruptible one.</summary>
    public required decimal GpuPerHour { get; set; }

    public required decimal StorageCost { get; init; }

    public required decimal UploadCost { get; init; }

    public required decimal DownloadCost { get; init; }

    public required decimal MinBid { get; init; }

    public required bool IsBid { get; init; }

    /// <summary>May show, start, stop and destroy this instance and nothing else.</summary>
    public required string InstanceKey { get; init; }

    public required string JupyterToken { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset EndsAt { get; set; }

    public required DateTimeOffset ProvisionedAt { get; init; }

    public required DateTimeOffset LoadedAt { get; init; }

    public DateTimeOffset? DestroyedAt { get; set; }

    /// <summary>When a destruction that was confirmed too early takes place.</summary>
    public DateTimeOffset? DestroyDueAt { get; set; }

    /// <summary>Until then the host still reports what was before it was outbid.</summary>
    public DateTimeOffset? StaleUntil { get; set; }

    public ContractPhase Phase { get; set; }

    public bool WantedRunning { get; set; }

    /// <summary>It has been running once, so a start shows the old state until the container is back.</summary>
    public bool HasRun { get; set; }

    /// <summary>How often a container has been asked for.</summary>
    public int Launches { get; set; }

    public DateTimeOffset? ContainerStartedAt { get; set; }

    public string? Failure { get; set; }

    public InstancePorts? Ports { get; set; }

    /// <summary>Account keys at the moment of the rent.</summary>
    public required IReadOnlyList<string> AccountKeys { get; init; }

    public List<AttachedKey> AttachedKeys { get; init; } = [];

    public List<ActiveFault> Faults { get; init; } = [];

    public List<BilledInterval> GpuIntervals { get; init; } = [];

    public List<BilledInterval> DiskIntervals { get; init; } = [];

    public List<TrafficHour> Traffic { get; init; } = [];

    [JsonIgnore]
    public decimal DiskPerHour => Offer.DiskRate(DiskGb, StorageCost);

    [JsonIgnore]
    public bool IsLiving => Phase != ContractPhase.Destroyed;

    /// <summary>Nobody else can have its GPUs.</summary>
    [JsonIgnore]
    public bool HoldsGpus => Phase is ContractPhase.Provisioning or ContractPhase.Loading or ContractPhase.Starting or ContractPhase.Running
        or ContractPhase.Rebooting or ContractPhase.Recycling or ContractPhase.Exited or ContractPhase.Broken or ContractPhase.Offline;

    /// <summary>A start has been asked of the host.</summary>
    [JsonIgnore]
    public bool AwaitsContainer => Phase is ContractPhase.Starting or ContractPhase.Rebooting or ContractPhase.Recycling;

    public bool Has(InstanceFault fault) => FaultOf(fault) is not null;

    public ActiveFault? FaultOf(InstanceFault fault) => Faults.Find(active => active.Kind == fault);
}

/// <summary>Loopback ports of one instance: what the direct and the proxy address forward, and where its sshd listens.</summary>
internal sealed record InstancePorts(int Direct, int Proxy, int Sshd);
