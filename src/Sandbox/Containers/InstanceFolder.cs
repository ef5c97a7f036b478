using System.Reflection;
using Dashboard.Sandbox.Market;

namespace Dashboard.Sandbox.Containers;

/// <summary>One instance on this computer's disk: its private file system, what sshd needs, and its log.</summary>
internal sealed class InstanceFolder(string path)
{
    /// <summary>The folders an instance has to itself; everything else it sees is read-only.</summary>
    public static readonly IReadOnlyList<string> Private = ["workspace", "root", "tmp", "etc", "var", "run"];

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Reachable = OwnerOnly | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
    private const UnixFileMode Open = Reachable | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public string Path { get; } = path;

    public string FileSystem => System.IO.Path.Combine(Path, "fs");

    /// <summary>Mounted read-only at <c>/etc/ssh</c>, so the instance cannot plant a link where we write.</summary>
    public string Ssh => System.IO.Path.Combine(Path, "ssh");

    /// <summary>Standard output of the first process, hence of <c>onstart</c>.</summary>
    public string Log => System.IO.Path.Combine(Path, "container.log");

    public string Arguments => System.IO.Path.Combine(Path, "arguments");

    public string Info => System.IO.Path.Combine(Path, "info.json");

    public bool Exists => File.Exists(System.IO.Path.Combine(Ssh, "sshd_config"));

    private string ProcessFile => System.IO.Path.Combine(Path, "process");

    public async Task CreateAsync(ContainerSpec spec, InstancePorts ports, HostTools tools, int? owner, CancellationToken ct)
    {
        Directory.CreateDirectory(Path, Reachable);
        Directory.CreateDirectory(Ssh, OwnerOnly);
        Directory.CreateDirectory(FileSystem, OwnerOnly);
        await File.Create(Log).DisposeAsync();
        File.SetUnixFileMode(Log, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        foreach (var folder in Private)
        {
            Directory.CreateDirectory(System.IO.Path.Combine(FileSystem, folder), Open);
        }

        // uid 1000 is called root inside: clients expect to log in as root, and sshd without privileges only serves its own user.
        WriteInto("fs/etc/passwd", "root:x:1000:1000:root:/root:/etc/ssh/session-shell\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\nsshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n");
        WriteInto("fs/etc/group", "root:x:1000:\nnogroup:x:65534:\n");
        WriteInto("fs/etc/hosts", $"127.0.0.1 localhost {spec.HostName}\n::1 localhost\n");
        WriteInto("fs/etc/hostname", spec.HostName + "\n");
        WriteInto("fs/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n");
        if (spec.OnStart.Length > 0)
        {
            WriteInto("fs/root/onstart.sh", spec.OnStart);
        }

        WriteInto("ssh/banner", "Welcome to the sandbox marketplace. If authentication fails, try again after a few seconds, and double check your ssh key.\n");
        WriteInto("ssh/sshd_config", Script("sshd_config").Replace("@PORT@", FormattableString.Invariant($"{ports.Sshd}"), StringComparison.Ordinal));
        WriteInto("ssh/init.sh", Script("init.sh")
            .Replace("@SSHD@", tools.SshdInside, StringComparison.Ordinal)
            .Replace("@SSHD_ENVIRONMENT@", tools.UnpackedAt is null ? "" : "LD_LIBRARY_PATH=" + tools.Libraries(inside: true), StringComparison.Ordinal));
        WriteInto("ssh/session-shell", Script("session-shell.sh"));
        File.SetUnixFileMode(System.IO.Path.Combine(Ssh, "session-shell"), Open);
        WriteKeys(spec.Keys);
        if (owner is { } uid)
        {
            await Run.CheckedAsync(["/bin/chown", "-R", FormattableString.Invariant($"{uid}:{uid}"), FileSystem, Ssh], null, ct);
        }

        await Run.CheckedAsync(Bubblewrap.MakeHostKey(this, tools, owner), tools.Libraries(inside: false), ct);
    }

    public void WriteKeys(IReadOnlyList<string> keys)
    {
        var file = System.IO.Path.Combine(Ssh, "authorized_keys");
        File.WriteAllText(file + ".new", string.Concat(keys.Select(key => key + "\n")));
        File.Move(file + ".new", file, overwrite: true);
    }

    public void ForgetHostKey()
    {
        File.Delete(System.IO.Path.Combine(Ssh, "ssh_host_ed25519_key"));
        File.Delete(System.IO.Path.Combine(Ssh, "ssh_host_ed25519_key.pub"));
    }

    public void RememberProcess(LivingProcess process) => File.WriteAllText(ProcessFile, process.ToString());

    /// <summary>The first process of the container, if it still lives.</summary>
    public LivingProcess? Process => File.Exists(ProcessFile) && LivingProcess.TryParse(File.ReadAllText(ProcessFile), out var process) && process.IsAlive ? process : null;

    /// <summary>Removes everything. The instance may have made its own folders unreadable, which stops a plain user's delete.</summary>
    public async Task DeleteAsync(CancellationToken ct)
    {
        if (!Directory.Exists(Path))
        {
            return;
        }

        var (code, _) = await Run.ToEndAsync(["/bin/rm", "-rf", "--", Path], null, ct);
        if (code != 0)
        {
            await Run.ToEndAsync(["/bin/chmod", "-R", "u+rwX", "--", Path], null, ct);
            await Run.CheckedAsync(["/bin/rm", "-rf", "--", Path], null, ct);
        }
    }

    private void WriteInto(string relative, string text)
    {
        var file = System.IO.Path.Combine(Path, relative);
        File.WriteAllText(file, text);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
    }

    private static string Script(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name) ?? throw new InvalidOperationException($"{name} is not embedded.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
