using System.Globalization;

namespace Dashboard.Sandbox.Containers;

/// <summary>
/// The command line of a container. A user namespace made by real root would keep every capability over the host's files, so root drops to
/// an unprivileged user first. No <c>--die-with-parent</c>: that follows the thread that started the child, and .NET's threads come and go.
/// </summary>
internal static class Bubblewrap
{
    private const long RoomOnFullDisk = 64 * 1024;

    /// <summary>What goes before <c>bwrap</c>: a session of its own, so that Ctrl-C in our terminal is ours to answer, and for root another user.</summary>
    public static IReadOnlyList<string> Prefix(int? userId) => userId is { } uid
        ? ["/usr/bin/setsid", "/usr/bin/setpriv", "--reuid", Text(uid), "--regid", Text(uid), "--clear-groups", "--"]
        : ["/usr/bin/setsid"];

    /// <summary>Arguments that every container shares: namespaces, no capabilities, the system read-only.</summary>
    public static IReadOnlyList<string> Isolation(HostTools tools)
    {
        List<string> arguments =
        [
            "--unshare-user", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL", "--clearenv",
            "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--as-pid-1",
            "--ro-bind", "/usr", "/usr",
            "--symlink", "usr/bin", "/bin", "--symlink", "usr/sbin", "/sbin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64",
            "--proc", "/proc", "--dev", "/dev",
        ];
        if (tools.UnpackedAt is { } root)
        {
            arguments.AddRange(["--ro-bind", root, HostTools.InsideContainer]);
        }

        return arguments;
    }

    public static IReadOnlyList<string> Container(InstanceFolder folder, ContainerSpec spec, HostTools tools)
    {
        List<string> arguments = [.. Isolation(tools), "--hostname", spec.HostName];
        foreach (var name in InstanceFolder.Private)
        {
            arguments.AddRange(name == "workspace" && spec.FullDisk
                ? ["--size", Text(RoomOnFullDisk), "--tmpfs", "/" + name]
                : ["--bind", Path.Combine(folder.FileSystem, name), "/" + name]);
        }

        arguments.AddRange(["--ro-bind", folder.Ssh, "/etc/ssh"]);
        // Debian's awk, editors and others are links through here.
        arguments.AddRange(["--ro-bind-try", "/etc/alternatives", "/etc/alternatives", "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"]);
        arguments.AddRange(["--remount-ro", "/", "--chdir", "/root"]);
        foreach (var (name, value) in spec.Environment)
        {
            arguments.AddRange(["--setenv", name, value]);
        }

        return arguments;
    }

    /// <summary>Makes the instance's host key, as its own user: ssh-keygen refuses to work for a user that has no name, which the container gives it.</summary>
    public static IReadOnlyList<string> MakeHostKey(InstanceFolder folder, HostTools tools, int? userId) =>
    [
        .. Prefix(userId).Skip(1), tools.Bwrap, .. Isolation(tools), "--setenv", "LD_LIBRARY_PATH", tools.Libraries(inside: true),
        "--bind", Path.Combine(folder.FileSystem, "etc"), "/etc", "--bind", folder.Ssh, "/etc/ssh", "--",
        tools.SshKeygenInside, "-q", "-t", "ed25519", "-N", "", "-C", "sandbox", "-f", "/etc/ssh/ssh_host_ed25519_key",
    ];

    public static IReadOnlyList<string> FirstProcess(ContainerOptions options) =>
    [
        "/usr/bin/prlimit", "--nproc=" + Text(options.MaxProcesses), "--fsize=" + Text(options.MaxFileBytes), "--cpu=" + Text((long)options.MaxCpuTime.TotalSeconds),
        "--core=0", "/bin/bash", "/etc/ssh/init.sh",
    ];

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
