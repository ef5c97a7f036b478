using System.Globalization;
using Dashboard.Sandbox.Market;

namespace Dashboard.Sandbox.Http;

/// <summary>Contracts as rows of the instance list.</summary>
internal static class InstanceRows
{
    public const string Address = "127.0.0.1";

    public static WireRow Of(RentalMarket market, Contract contract, DateTimeOffset now)
    {
        var (machine, slice) = (market.MachineOf(contract), market.SliceOf(contract));
        var diskPerHour = contract.DiskPerHour;
        var total = contract.GpuPerHour + diskPerHour;
        var running = contract.Phase == ContractPhase.Running;
        var row = new WireRow
        {
            ["id"] = contract.Id,
            ["bundle_id"] = 900_000_000 + (machine.Index * 16) + slice.Index,
            ["label"] = contract.Label,
            ["actual_status"] = ActualStatus(contract, now),
            ["intended_status"] = WantedState(contract),
            ["cur_state"] = contract.Phase is ContractPhase.Stopped or ContractPhase.Queued or ContractPhase.Outbid ? "stopped" : "running",
            ["next_state"] = WantedState(contract),
            ["status_msg"] = StatusMessage(contract, now),
            ["image_uuid"] = contract.Image,
            ["image_args"] = Array.Empty<string>(),
            ["image_runtype"] = RunType(contract.RunType),
            ["extra_env"] = contract.Environment.Select(entry => new[] { entry.Key, entry.Value }).ToArray(),
            ["onstart"] = contract.OnStart,
            ["template_id"] = null,
            ["template_hash_id"] = null,
            ["template_name"] = null,
            ["jupyter_token"] = contract.JupyterToken,
            ["ssh_idx"] = "1",
            ["ssh_host"] = contract.Ports is null ? null : Address,
            ["ssh_port"] = contract.Ports?.Proxy,
            ["machine_dir_ssh_port"] = null,
            ["local_ipaddrs"] = Address + " \n",
        };
        if (running)
        {
            AddPorts(row, contract.Ports!);
        }

        foreach (var (field, value) in OfferRows.Hardware(machine, slice, total))
        {
            row[field] = value;
        }

        row["direct_port_start"] = running ? contract.Ports!.Direct : -1;
        row["direct_port_end"] = running ? contract.Ports!.Direct : -1;
        row["gpu_totalram"] = row["gpu_total_ram"];
        row["start_date"] = contract.CreatedAt.ToUnix();
        row["end_date"] = contract.EndsAt.ToUnix();
        row["duration"] = Math.Round((contract.EndsAt - now).TotalSeconds, 3);
        row["uptime_mins"] = running ? Math.Round((now - contract.ContainerStartedAt!.Value).TotalMinutes, 2) : null;
        row["client_run_time"] = 1.1;
        row["host_run_time"] = machine.Commitment.TotalSeconds;
        row["gpu_util"] = running ? 87.0 : null; // as if a program kept it busy: there is no GPU to look at
        row["gpu_temp"] = running ? 34.0 : null;
        row["cpu_util"] = running ? 0.0 : null;
        row["mem_usage"] = running ? 0.1 : null;
        row["mem_limit"] = Math.Round(machine.CpuRamMb / 1000.0 * slice.GpuCount / machine.GpuCount, 2);
        row["vmem_usage"] = running ? 0.0 : null;
        row["disk_space"] = contract.DiskGb;
        row["disk_usage"] = contract.Has(InstanceFault.DiskFull) ? contract.DiskGb : -1;
        row["disk_util"] = contract.Has(InstanceFault.DiskFull) ? 1 : -1;
        row["rentable"] = false;
        row["external"] = machine.External;
        row["is_bid"] = contract.IsBid;
        row["min_bid"] = contract.MinBid;
        row["dph_base"] = contract.GpuPerHour;
        row["dph_total"] = total;
        row["storage_cost"] = contract.StorageCost;
        row["storage_total_cost"] = diskPerHour;
        row["inet_up_cost"] = contract.UploadCost;
        row["inet_down_cost"] = contract.DownloadCost;
        row["credit_balance"] = null;
        row["credit_discount"] = null;
        row["credit_discount_max"] = 0.4;
        row["search"] = OfferRows.Split(contract.GpuPerHour, diskPerHour, total);
        row["instance"] = running ? OfferRows.Split(contract.GpuPerHour, diskPerHour, total) : OfferRows.Split(0, diskPerHour, diskPerHour);
        var left = contract.EndsAt - now;
        row["time_remaining"] = left > TimeSpan.Zero ? string.Create(CultureInfo.InvariantCulture, $"{left.Days} D {left.Hours} Hr") : "";
        return row;
    }

    // Nothing in a row says who stopped an instance: one that was outbid looks like one that its renter stopped.
    private static string WantedState(Contract contract) => contract.WantedRunning && contract.Phase != ContractPhase.Outbid ? "running" : "stopped";

    public static string? ActualStatus(Contract contract, DateTimeOffset now) => contract.Has(InstanceFault.NoHeartbeat) ? "unknown" : ReportedStatus(contract, now);

    private static string? ReportedStatus(Contract contract, DateTimeOffset now) => contract.Phase switch
    {
        ContractPhase.Provisioning => null,
        ContractPhase.Loading => "loading",
        ContractPhase.Starting => contract.HasRun ? "exited" : "loading", // the old state shows until the container is back
        ContractPhase.Running => "running",
        ContractPhase.Rebooting => "rebooting",
        ContractPhase.Recycling => "recycling",
        ContractPhase.Outbid when now < contract.StaleUntil => "running",
        ContractPhase.Offline => "offline",
        ContractPhase.Stopped or ContractPhase.Queued or ContractPhase.Outbid => contract.HasRun ? "exited" : "stopped",
        ContractPhase.Exited => "exited",
        ContractPhase.Broken => "created",
        ContractPhase.Destroyed => null,
    };

    // As of the guides: absent, not null, while it is not running, because the official client reads null as a port map and fails.
    private static void AddPorts(WireRow row, InstancePorts ports)
    {
        var direct = ports.Direct.ToString(CultureInfo.InvariantCulture);
        row["public_ipaddr"] = Address;
        row["ports"] = new WireRow
        {
            ["22/tcp"] = new[] { new WireRow { ["HostIp"] = "0.0.0.0", ["HostPort"] = direct }, new WireRow { ["HostIp"] = "::", ["HostPort"] = direct } },
        };
    }

    private static string? StatusMessage(Contract contract, DateTimeOffset now) => contract.Phase switch
    {
        ContractPhase.Provisioning => null,
        ContractPhase.Loading => PullProgress(contract, now),
        ContractPhase.Starting or ContractPhase.Running or ContractPhase.Rebooting or ContractPhase.Recycling or ContractPhase.Stopped or ContractPhase.Queued
            or ContractPhase.Outbid or ContractPhase.Offline => contract.HasRun || contract.Phase == ContractPhase.Starting ? $"success, running {contract.Image.Replace(':', '_')}/ssh\n" : null, // stale by design: it still says running when stopped
        ContractPhase.Exited => "Error: container exited\n",
        ContractPhase.Broken => $"Error response from daemon: failed to create task for container: OCI runtime create failed: {contract.Failure}\n",
        ContractPhase.Destroyed => null,
    };

    private static string PullProgress(Contract contract, DateTimeOffset now)
    {
        const int layers = 12;
        var loading = contract.LoadedAt - contract.ProvisionedAt;
        var share = loading <= TimeSpan.Zero ? 1 : Math.Clamp((now - contract.ProvisionedAt) / loading, 0, 1);
        var layer = (int)(share * layers);
        var digest = (((long)contract.Id * 2_654_435_761) + (layer * 40_503)).ToString("x12", CultureInfo.InvariantCulture)[^12..];
        var within = (share * layers) - layer;
        return within < 0.7
            ? string.Create(CultureInfo.InvariantCulture, $"{digest}: Downloading {within * 400:0.0}MB/280MB\n")
            : $"{digest}: Download complete\n";
    }

    private static string RunType(string asked) => asked switch
    {
        "ssh_direct" => "ssh_direc ssh_proxy",
        "ssh" => "ssh_proxy",
        _ => asked,
    };
}
