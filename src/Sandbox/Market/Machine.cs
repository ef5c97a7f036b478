namespace Dashboard.Sandbox.Market;

/// <summary>A physical machine of one host. Nothing in here moves with time; ids are stable for the life of the market.</summary>
internal sealed record Machine
{
    /// <summary>Position in the park, from 0.</summary>
    public required int Index { get; init; }

    public required int MachineId { get; init; }

    public required int HostId { get; init; }

    public required GpuModel Gpu { get; init; }

    public required int GpuCount { get; init; }

    /// <summary>What a GPU-hour costs here on an average day, USD.</summary>
    public required decimal TypicalPrice { get; init; }

    /// <summary>The lowest bid the host takes, as a share of the price.</summary>
    public required decimal BidShare { get; init; }

    /// <summary>USD per GB and month of 720 hours.</summary>
    public required decimal StorageCost { get; init; }

    /// <summary>USD per GB that leaves the machine.</summary>
    public required decimal UploadCost { get; init; }

    /// <summary>USD per GB that comes in.</summary>
    public required decimal DownloadCost { get; init; }

    public required double Reliability { get; init; }

    public required bool Verified { get; init; }

    public required bool Datacenter { get; init; }

    public required bool External { get; init; }

    public required string Place { get; init; }

    public required string Country { get; init; }

    public required double UploadMbps { get; init; }

    public required double DownloadMbps { get; init; }

    public required int DirectPorts { get; init; }

    public required bool StaticIp { get; init; }

    public required string Address { get; init; }

    public required string DriverVersion { get; init; }

    public required decimal MaxCuda { get; init; }

    public required string CpuName { get; init; }

    public required double CpuGhz { get; init; }

    public required int CpuCores { get; init; }

    public required int CpuRamMb { get; init; }

    public required string DiskName { get; init; }

    public required double DiskMbPerSecond { get; init; }

    /// <summary>Free disk of the whole machine, GB.</summary>
    public required double DiskGb { get; init; }

    public required double PcieGbPerSecond { get; init; }

    public required int PcieGeneration { get; init; }

    public required string Mainboard { get; init; }

    public required string OsVersion { get; init; }

    public required DateTimeOffset ListedSince { get; init; }

    /// <summary>How long the host commits at a time; the listing's end moves on in such steps.</summary>
    public required TimeSpan Commitment { get; init; }

    /// <summary>Every way to rent this machine: the whole, its halves, quarters and so on down to single GPUs.</summary>
    public IReadOnlyList<Slice> Slices { get; private init; } = [];

    public Machine WithSlices()
    {
        var slices = new List<Slice>();
        for (var size = GpuCount; size >= 1; size /= 2)
        {
            for (var first = 0; first < GpuCount; first += size)
            {
                slices.Add(new Slice(slices.Count, first, size));
            }
        }

        return this with { Slices = slices };
    }
}

/// <summary>Neighbouring GPUs of one machine that are rented together. Slices that share a GPU exclude each other.</summary>
/// <param name="Index">Position among the machine's slices.</param>
internal sealed record Slice(int Index, int FirstGpu, int GpuCount)
{
    /// <summary>One bit per GPU of the machine.</summary>
    public uint Gpus => ((1u << GpuCount) - 1) << FirstGpu;
}
