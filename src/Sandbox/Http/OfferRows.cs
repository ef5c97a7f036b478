using Dashboard.Sandbox.Market;

namespace Dashboard.Sandbox.Http;

/// <summary>Offers as rows of a search answer, every field the provider's rows carry.</summary>
internal static class OfferRows
{
    private const decimal ReservedDiscount = 0.2m;

    public static WireRow Of(Offer offer, DateTimeOffset now)
    {
        var (machine, slice) = (offer.Machine, offer.Slice);
        var hardware = Hardware(machine, slice, offer.TotalPerHour);
        var discount = offer.Kind == OfferKind.Reserved ? ReservedDiscount : 0m;
        var discounted = Math.Round(offer.TotalPerHour * (1 - discount), 6);
        var row = new WireRow
        {
            ["id"] = offer.AskId,
            ["ask_contract_id"] = offer.AskId,
            ["bundle_id"] = 900_000_000 + (machine.Index * 16) + slice.Index,
            ["bundled_results"] = null,
        };
        foreach (var (field, value) in hardware)
        {
            row[field] = value;
        }

        row["public_ipaddr"] = machine.Address;
        row["gpu_display_active"] = false;
        row["gpu_ids"] = Enumerable.Range(slice.FirstGpu, slice.GpuCount).Select(position => (machine.MachineId * 16) + position).ToArray();
        row["disk_space"] = offer.MaxDiskGb;
        row["external"] = machine.External ? true : null;
        row["rentable"] = offer.Rentable;
        row["rented"] = offer.RentedByCaller;
        row["is_bid"] = offer.Kind == OfferKind.Bid;
        row["dph_base"] = offer.GpuPerHour;
        row["dph_total"] = offer.TotalPerHour;
        row["dph_total_adj"] = discounted;
        row["min_bid"] = offer.MinBid;
        row["storage_cost"] = machine.StorageCost;
        row["storage_total_cost"] = offer.DiskPerHour;
        row["discount_rate"] = discount;
        row["discounted_hourly"] = discount > 0 ? Math.Round(offer.GpuPerHour * (1 - discount), 6) : 0m;
        row["discounted_dph_total"] = discounted;
        row["credit_discount_max"] = 0.4;
        row["search"] = Split(offer.GpuPerHour, offer.DiskPerHour, discounted);
        row["instance"] = Split(0, offer.DiskPerHour, offer.DiskPerHour);
        row["start_date"] = machine.ListedSince.ToUnix();
        row["end_date"] = offer.EndsAt.ToUnix();
        row["duration"] = Math.Round((offer.EndsAt - now).TotalSeconds, 3);
        row["is_vm_deverified"] = false;
        row["rn"] = 1;
        return row;
    }

    /// <summary>What an offer and an instance say alike about the machine below them.</summary>
    public static WireRow Hardware(Machine machine, Slice slice, decimal totalPerHour)
    {
        var gpu = machine.Gpu;
        var count = slice.GpuCount;
        var flops = Math.Round(gpu.Bf16Tflops / 2 * count, 2);
        // The provider's benchmark in its own proportions: a V100 scores about 21, an RTX 4090 about 92.
        var dlperf = Math.Round(gpu.Bf16Tflops * (gpu.ComputeCapability >= 8m ? 0.56 : 0.17) * count, 2);
        var perDollar = totalPerHour == 0 ? 0 : Math.Round(dlperf / (double)totalPerHour, 3);
        return new WireRow
        {
            ["machine_id"] = machine.MachineId,
            ["host_id"] = machine.HostId,
            ["gpu_name"] = gpu.Name,
            ["gpu_arch"] = "nvidia",
            ["num_gpus"] = count,
            ["gpu_ram"] = gpu.RamMb,
            ["gpu_total_ram"] = gpu.RamMb * count,
            ["gpu_frac"] = (double)count / machine.GpuCount,
            ["gpu_lanes"] = 16,
            ["gpu_mem_bw"] = gpu.MemoryGbPerSecond,
            ["gpu_max_power"] = gpu.IsServerBoard ? 700.0 : 350.0,
            ["gpu_max_temp"] = 88.0,
            ["bw_nvlink"] = gpu.IsServerBoard && count > 1 ? 450.0 : 0.0,
            ["compute_cap"] = (int)(gpu.ComputeCapability * 100),
            ["cuda_max_good"] = machine.MaxCuda,
            ["driver_version"] = machine.DriverVersion,
            ["driver_vers"] = DriverNumber(machine.DriverVersion),
            ["total_flops"] = flops,
            ["dlperf"] = dlperf,
            ["dlperf_per_dphtotal"] = perDollar,
            ["flops_per_dphtotal"] = totalPerHour == 0 ? 0 : Math.Round(flops / (double)totalPerHour, 3),
            ["score"] = Math.Round(perDollar * machine.Reliability, 3),
            ["vram_costperhour"] = Math.Round(totalPerHour / (gpu.RamMb * count), 10),
            ["pcie_bw"] = machine.PcieGbPerSecond,
            ["pci_gen"] = (double)machine.PcieGeneration,
            ["cpu_name"] = machine.CpuName,
            ["cpu_cores"] = machine.CpuCores,
            ["cpu_cores_effective"] = (double)machine.CpuCores * count / machine.GpuCount,
            ["cpu_ghz"] = machine.CpuGhz,
            ["cpu_ram"] = machine.CpuRamMb,
            ["cpu_arch"] = "amd64",
            ["has_avx"] = 1,
            ["disk_bw"] = machine.DiskMbPerSecond,
            ["disk_name"] = machine.DiskName,
            ["inet_up"] = machine.UploadMbps,
            ["inet_down"] = machine.DownloadMbps,
            ["inet_up_cost"] = machine.UploadCost,
            ["inet_down_cost"] = machine.DownloadCost,
            ["internet_up_cost_per_tb"] = machine.UploadCost * 1000,
            ["internet_down_cost_per_tb"] = machine.DownloadCost * 1000,
            ["direct_port_count"] = machine.DirectPorts,
            ["static_ip"] = machine.StaticIp,
            ["geolocation"] = machine.Place,
            ["geolocode"] = 1000 + (machine.Country[0] * 26) + machine.Country[1],
            ["country_code"] = machine.Country,
            ["reliability"] = machine.Reliability,
            ["reliability2"] = machine.Reliability,
            ["expected_reliability"] = machine.Reliability,
            ["reliability_mult"] = 1.0,
            ["verification"] = machine.Verified ? "verified" : "unverified",
            ["vericode"] = machine.Verified ? 1 : 0,
            ["hosting_type"] = machine.Datacenter ? 1 : 0,
            ["vms_enabled"] = false,
            ["resource_type"] = "gpu",
            ["os_version"] = machine.OsVersion,
            ["mobo_name"] = machine.Mainboard,
            ["cluster_id"] = null,
            ["logo"] = "/static/logos/vastai_small2.png",
            ["webpage"] = null,
            ["time_remaining"] = "",
            ["time_remaining_isbid"] = "",
        };
    }

    public static WireRow Split(decimal gpuPerHour, decimal diskPerHour, decimal discounted) => new()
    {
        ["gpuCostPerHour"] = gpuPerHour,
        ["diskHour"] = diskPerHour,
        ["totalHour"] = gpuPerHour + diskPerHour,
        ["discountTotalHour"] = 0,
        ["discountedTotalPerHour"] = discounted,
    };

    // 570.86.15 is 570086015.
    private static int DriverNumber(string version) =>
        version.Split('.').Aggregate(0, (number, part) => (number * 1000) + int.Parse(part, System.Globalization.CultureInfo.InvariantCulture));
}
