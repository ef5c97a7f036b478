using Dashboard.Sandbox.Market;

namespace Dashboard.Sandbox.Containers;

/// <summary>What a container is made of.</summary>
/// <param name="Environment">Of its first process. SSH sessions do not see it unless <paramref name="OnStart"/> writes it to <c>/etc/environment</c>.</param>
/// <param name="OnStart">Script text, run at every start.</param>
/// <param name="Keys">Public keys that may log in.</param>
/// <param name="FullDisk"><c>/workspace</c> is a disk with next to no room, and not the instance's own.</param>
internal sealed record ContainerSpec(
    int Id, string HostName, IReadOnlyList<KeyValuePair<string, string>> Environment, string OnStart, IReadOnlyList<string> Keys, bool FullDisk)
{
    public static ContainerSpec Of(Contract contract, int gpuCount, int directPort)
    {
        var keys = RentalMarket.InstalledKeys(contract);
        var environment = new List<KeyValuePair<string, string>>
        {
            new("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            new("HOME", "/root"),
            new("LANG", "C.UTF-8"),
            new("CONTAINER_ID", FormattableString.Invariant($"{contract.Id}")),
            new("CONTAINER_API_KEY", contract.InstanceKey),
            new("VAST_CONTAINERLABEL", FormattableString.Invariant($"C.{contract.Id}")),
            new("PUBLIC_IPADDR", "127.0.0.1"),
            new("SSH_PUBLIC_KEY", string.Join('\n', keys)),
            new("VAST_TCP_PORT_22", FormattableString.Invariant($"{directPort}")),
            new("DATA_DIRECTORY", "/workspace/"),
            new("JUPYTER_TOKEN", contract.JupyterToken),
            new("GPU_COUNT", FormattableString.Invariant($"{gpuCount}")),
        };
        // Entries that begin with a dash are flags of the container engine ("-p 8000:8000", "-h"), not variables.
        environment.AddRange(contract.Environment.Where(entry => entry.Key.Length > 0 && entry.Key[0] != '-' && !entry.Key.Contains('=', StringComparison.Ordinal)));
        return new ContainerSpec(contract.Id, FormattableString.Invariant($"c{contract.Id}"), environment, contract.OnStart, keys, contract.Has(InstanceFault.DiskFull));
    }
}
