using System.Security.Cryptography;
using System.Text;

namespace Dashboard.Sandbox.Containers;

/// <summary>Whether this computer can hold containers, tried out and not guessed.</summary>
internal static class Prerequisites
{
    private const UnixFileMode Passable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <returns>Where instances live and with what, or one sentence that says what is missing.</returns>
    public static async Task<(ContainerOptions? Options, HostTools? Tools, string? Missing)> CheckAsync(SandboxOptions sandbox, CancellationToken ct)
    {
        var (tools, missing) = HostTools.Find(sandbox.Tools);
        if (tools is null)
        {
            return (null, null, missing);
        }

        var options = new ContainerOptions
        {
            InstancesDirectory = Path.Combine(sandbox.Data, "instances"),
            FirstPort = sandbox.FirstInstancePort,
            LastPort = sandbox.LastInstancePort,
        };
        int? userId = Environment.IsPrivilegedProcess ? options.FirstUserId : null;
        if (userId is { } unprivileged && await CannotBecomeAsync(unprivileged, ct) is { } refusal)
        {
            return (null, null, $"The sandbox runs as root, which it must not be for its containers, and cannot become another user: {refusal}");
        }

        Directory.CreateDirectory(options.InstancesDirectory, Passable);
        if (userId is { } user && !await ReachableAsync(options.InstancesDirectory, user, ct))
        {
            // A checkout in root's own home is closed to the user that containers run as.
            var elsewhere = Path.Combine("/var/tmp/dashboard-sandbox", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sandbox.Data)))[..16]);
            options = options with { InstancesDirectory = elsewhere };
            Directory.CreateDirectory(elsewhere, Passable);
            if (!await ReachableAsync(elsewhere, user, ct))
            {
                return (null, null, $"The sandbox runs as root and needs a data folder that other users can enter: neither {sandbox.Data} nor {elsewhere} is one.");
            }
        }

        if (userId is { } other && tools.UnpackedAt is { } unpacked && !await ReachableAsync(unpacked, other, ct))
        {
            return (null, null, $"The sandbox runs as root and needs its tools in a folder that other users can enter, not in {unpacked}.");
        }

        var (code, output) = await Run.ToEndAsync(
            [.. Bubblewrap.Prefix(userId).Skip(1), tools.Bwrap, .. Bubblewrap.Isolation(tools), "--", "/usr/bin/python3", "-c", "print('ready')"], tools.Libraries(inside: false), ct);
        return code == 0 && output == "ready"
            ? (options, tools, null)
            : (null, null, $"The sandbox needs unprivileged user namespaces and python3 inside them, and a try failed: {output.ReplaceLineEndings(" ")}");
    }

    private static async Task<string?> CannotBecomeAsync(int userId, CancellationToken ct)
    {
        var (code, output) = await Run.ToEndAsync([.. Bubblewrap.Prefix(userId).Skip(1), "/usr/bin/true"], null, ct);
        return code == 0 ? null : output.ReplaceLineEndings(" ");
    }

    private static async Task<bool> ReachableAsync(string path, int userId, CancellationToken ct) =>
        (await Run.ToEndAsync([.. Bubblewrap.Prefix(userId).Skip(1), "/usr/bin/test", "-x", path], null, ct)).Code == 0;
}
