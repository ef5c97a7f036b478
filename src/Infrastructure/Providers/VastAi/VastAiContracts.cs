using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dashboard.Infrastructure.Providers.VastAi;

// Wire names are the properties' in snake case. Everything but an id may be null, absent or of another type, see VastAiJson.
// Units: money USD, times Unix seconds UTC, memory MB, disk GB, bandwidth Mbit/s.

/// <summary>Answer of <c>GET /users/current/</c>. It also echoes the API key, so unknown fields are dropped and not kept.</summary>
internal sealed record WireUser
{
    public required string Id { get; init; }

    public string? Username { get; init; }

    /// <summary>What may still be spent. <c>balance</c> is something else.</summary>
    public decimal? Credit { get; init; }
}

/// <summary>A row of <c>POST /bundles/</c>.</summary>
internal sealed record WireOffer
{
    public required string Id { get; init; }

    public string? MachineId { get; init; }

    public string? HostId { get; init; }

    public string? GpuName { get; init; }

    public int? NumGpus { get; init; }

    /// <summary>Per GPU.</summary>
    public decimal? GpuRam { get; init; }

    public decimal? GpuTotalRam { get; init; }

    public decimal? GpuFrac { get; init; }

    /// <summary>USD per hour for all GPUs of the slice, without disk.</summary>
    public decimal? DphBase { get; init; }

    /// <summary><see cref="DphBase"/> and the disk that was asked for.</summary>
    public decimal? DphTotal { get; init; }

    /// <summary>The host's floor for bids, whole slice.</summary>
    public decimal? MinBid { get; init; }

    public bool? IsBid { get; init; }

    /// <summary>USD per GB and month.</summary>
    public decimal? StorageCost { get; init; }

    /// <summary>USD per hour for the disk that was asked for.</summary>
    public decimal? StorageTotalCost { get; init; }

    /// <summary>USD per GB out of the machine.</summary>
    public decimal? InetUpCost { get; init; }

    /// <summary>USD per GB into the machine.</summary>
    public decimal? InetDownCost { get; init; }

    public decimal? InetUp { get; init; }

    public decimal? InetDown { get; init; }

    public decimal? DiskSpace { get; init; }

    /// <summary>MB/s.</summary>
    public decimal? DiskBw { get; init; }

    public decimal? Reliability { get; init; }

    public decimal? Reliability2 { get; init; }

    public string? Verification { get; init; }

    public bool? Rentable { get; init; }

    public bool? Rented { get; init; }

    /// <summary>Offered by another marketplace through this one.</summary>
    public bool? External { get; init; }

    public decimal? CudaMaxGood { get; init; }

    public int? DirectPortCount { get; init; }

    public string? Geolocation { get; init; }

    public string? CountryCode { get; init; }

    public decimal? CpuCores { get; init; }

    public decimal? CpuCoresEffective { get; init; }

    /// <summary>Of the whole machine, not of the slice.</summary>
    public decimal? CpuRam { get; init; }

    public decimal? EndDate { get; init; }

    /// <summary>Seconds left until the contract would end.</summary>
    public decimal? Duration { get; init; }

    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Others { get; init; }
}

/// <summary>A row of <c>GET /v1/instances/</c>, or the object under <c>instances</c> of the single read.</summary>
internal sealed record WireInstance
{
    public required string Id { get; init; }

    public string? Label { get; init; }

    public string? MachineId { get; init; }

    public string? ActualStatus { get; init; }

    public string? IntendedStatus { get; init; }

    public string? CurState { get; init; }

    public string? NextState { get; init; }

    public string? StatusMsg { get; init; }

    public string? ImageRuntype { get; init; }

    public string? SshHost { get; init; }

    public int? SshPort { get; init; }

    public string? PublicIpaddr { get; init; }

    /// <summary>Docker's port map while running: <c>{"22/tcp":[{"HostIp":..,"HostPort":"41022"}]}</c>. The schema of the single read wrongly says an array of numbers.</summary>
    public JsonElement Ports { get; init; }

    public decimal? StartDate { get; init; }

    public decimal? EndDate { get; init; }

    /// <summary>Of the container's present run.</summary>
    public decimal? UptimeMins { get; init; }

    /// <summary>Percent.</summary>
    public decimal? GpuUtil { get; init; }

    public string? GpuName { get; init; }

    public int? NumGpus { get; init; }

    public string? Geolocation { get; init; }

    public bool? IsBid { get; init; }

    public decimal? DphBase { get; init; }

    public decimal? DphTotal { get; init; }

    public decimal? StorageCost { get; init; }

    public decimal? StorageTotalCost { get; init; }

    public decimal? InetUpCost { get; init; }

    public decimal? InetDownCost { get; init; }

    public decimal? DiskSpace { get; init; }

    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Others { get; init; }
}

/// <summary>Body of the rent call.</summary>
internal sealed record WireRent
{
    public string ClientId { get; } = "me";

    public required string Image { get; init; }

    public required decimal Disk { get; init; }

    public required string Label { get; init; }

    public string Runtype { get; } = "ssh_direct";

    /// <summary>An object, although the schema says string: a string of flags is not applied.</summary>
    public required IReadOnlyDictionary<string, string> Env { get; init; }

    public required string Onstart { get; init; }

    /// <summary>Present means interruptible, null on demand.</summary>
    public required decimal? Price { get; init; }

    public string TargetState { get; } = "running";

    /// <summary>Fail, rather than leave a stopped machine behind that bills its disk.</summary>
    public bool CancelUnavail { get; } = true;
}

internal sealed record WireState(string State);

/// <summary>Body of the bid change.</summary>
/// <param name="Price">USD per hour for the whole slice. Never null: that would ask for whatever wins now.</param>
internal sealed record WireBid(decimal Price)
{
    public string ClientId { get; } = "me";
}

internal sealed record WireSshKey(string SshKey);

/// <param name="Tail">Number of lines, as a string.</param>
internal sealed record WireLogRequest(string Tail);

/// <summary>Answer of <c>request_logs</c>.</summary>
internal sealed record WireLogReply
{
    public string? ResultUrl { get; init; }
}

/// <summary>A row of <c>GET /charges/</c>, and its items.</summary>
internal sealed record WireCharge
{
    public string? Type { get; init; }

    /// <summary><c>instance-51880423</c>.</summary>
    public string? Source { get; init; }

    /// <summary>Of a GPU charge: <c>1.500 hours at $0.361/hour</c>.</summary>
    public string? Description { get; init; }

    public decimal? Amount { get; init; }

    public decimal? Start { get; init; }

    public decimal? End { get; init; }

    public JsonElement Metadata { get; init; }

    public IReadOnlyList<WireCharge>? Items { get; init; }
}
