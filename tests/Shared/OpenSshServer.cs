using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace Dashboard.Tests.Shared;

/// <summary>
/// A real OpenSSH server on loopback, run as whoever runs the tests, in a folder of its own. It has a home of its own too: a developer's
/// dotfiles must not run in front of every command.
/// </summary>
public sealed partial class OpenSshServer : IAsyncDisposable
{
    private const int SigStop = 19;
    private const int SigCont = 18;
    private const int SigKill = 9;
    private Process? _sshd;
    private string _hostKey = "host_a";

    private OpenSshServer(string folder, int port)
    {
        Folder = folder;
        Port = port;
    }

    public string Host => "127.0.0.1";

    public int Port { get; }

    /// <summary>Where the server keeps its files.</summary>
    public string Folder { get; }

    /// <summary>An empty folder that plays the machine's disk.</summary>
    public string Disk => Path.Combine(Folder, "disk");

    /// <summary>Everything sshd said, at level VERBOSE: logins tried, accepted, refused.</summary>
    public string Log => File.Exists(LogFile) ? File.ReadAllText(LogFile) : "";

    private string LogFile => Path.Combine(Folder, "sshd.log");

    /// <summary>Path of the server program, or null where OpenSSH is not installed: <c>DASHBOARD_TOOLS</c> (a folder), the PATH, /usr/sbin.</summary>
    public static string? Program =>
        new[] { Environment.GetEnvironmentVariable("DASHBOARD_TOOLS") }
            .Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'))
            .Append("/usr/sbin")
            .Where(folder => !string.IsNullOrEmpty(folder))
            .SelectMany(folder => new[] { Path.Combine(folder!, "sshd"), Path.Combine(folder!, "usr/sbin/sshd") })
            .FirstOrDefault(File.Exists);

    /// <summary>Starts a server that lets <paramref name="authorizedKey"/> in, and returns once it answers.</summary>
    /// <param name="port">A loopback port nobody else uses.</param>
    public static async Task<OpenSshServer> StartAsync(int port, string authorizedKey, CancellationToken ct)
    {
        var server = new OpenSshServer(Directory.CreateTempSubdirectory("dashboard-sshd-").FullName, port);
        Directory.CreateDirectory(server.Disk);
        Directory.CreateDirectory(Path.Combine(server.Folder, "home"));
        await File.WriteAllTextAsync(Path.Combine(server.Folder, "authorized_keys"), authorizedKey + "\n", ct);
        foreach (var name in new[] { "host_a", "host_b" })
        {
            await RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(server.Folder, name)], ct);
        }

        await server.StartAgainAsync(ct);
        return server;
    }

    /// <summary>Replaces who may log in.</summary>
    public Task AuthorizeAsync(string authorizedKey, CancellationToken ct) =>
        File.WriteAllTextAsync(Path.Combine(Folder, "authorized_keys"), authorizedKey + "\n", ct);

    /// <summary>Starts after a kill, on the same port.</summary>
    public async Task StartAgainAsync(CancellationToken ct)
    {
        // An absolute -f: with a relative one SIGHUP kills sshd.
        var config = Path.Combine(Folder, "sshd_config");
        await File.WriteAllTextAsync(config, $"""
            Port {Port}
            ListenAddress {Host}
            HostKey {Path.Combine(Folder, _hostKey)}
            PidFile {Path.Combine(Folder, "sshd.pid")}
            AuthorizedKeysFile {Path.Combine(Folder, "authorized_keys")}
            AuthenticationMethods publickey
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            PermitRootLogin prohibit-password
            StrictModes no
            UsePAM no
            PrintMotd no
            MaxStartups 100
            LogLevel VERBOSE
            SetEnv HOME={Path.Combine(Folder, "home")}
            """, ct);
        var program = Program ?? throw new InvalidOperationException("OpenSSH's sshd is needed: install openssh-server or set DASHBOARD_TOOLS.");
        if (Environment.IsPrivilegedProcess)
        {
            Directory.CreateDirectory("/run/sshd"); // sshd insists on it when root starts it
        }

        _sshd = Process.Start(await CommandAsync(program, ["-D", "-E", LogFile, "-f", config], ct))!;
        await Eventually.HoldsAsync(AnswersAsync, $"sshd answers on port {Port}: {Log}", ct: ct);
    }

    /// <summary>An sshd that was unpacked and not installed has its libraries beside it and, started by root, no account to drop to: it is given both, here alone.</summary>
    private async Task<ProcessStartInfo> CommandAsync(string program, string[] arguments, CancellationToken ct)
    {
        var command = new List<string> { program };
        command.AddRange(arguments);
        if (Environment.IsPrivilegedProcess && !File.ReadLines("/etc/passwd").Any(line => line.StartsWith("sshd:", StringComparison.Ordinal)))
        {
            var accounts = Path.Combine(Folder, "passwd");
            await File.WriteAllTextAsync(accounts, await File.ReadAllTextAsync("/etc/passwd", ct) + "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n", ct);
            command.InsertRange(0, ["unshare", "--mount", "sh", "-c", "mount --bind \"$0\" /etc/passwd && exec \"$@\"", accounts]);
        }

        var start = new ProcessStartInfo(command[0], command.Skip(1)) { UseShellExecute = false, RedirectStandardInput = true };
        if (Environment.GetEnvironmentVariable("DASHBOARD_TOOLS") is { Length: > 0 } tools && program.StartsWith(tools, StringComparison.Ordinal))
        {
            start.Environment["LD_LIBRARY_PATH"] = string.Join(':', Directory.EnumerateDirectories(Path.Combine(tools, "usr", "lib"), "*-linux-gnu"));
        }

        return start;
    }

    /// <summary>The next start shows another host key, as when a stranger has taken the address.</summary>
    public void ChangeHostKey() => _hostKey = _hostKey == "host_a" ? "host_b" : "host_a";

    /// <summary>SHA-256 of the host key now in use, as ssh-keygen prints it.</summary>
    public async Task<string> FingerprintAsync(CancellationToken ct) =>
        (await RunAsync("ssh-keygen", ["-l", "-f", Path.Combine(Folder, _hostKey + ".pub")], ct)).Split(' ')[1];

    /// <summary>Stops every process of the server, connections included, without closing anything: a frozen machine.</summary>
    public void Freeze() => SignalAll(SigStop);

    public void Thaw() => SignalAll(SigCont);

    /// <summary>Kills the processes that serve connections; the listener lives on.</summary>
    public void CutConnections() => Signal(SigKill, Serving());

    /// <summary>How many connections are being served.</summary>
    public int Connections => Children(_sshd!.Id).Count();

    /// <summary>Kills the server and all its connections at once.</summary>
    public async Task KillAsync(CancellationToken ct)
    {
        SignalAll(SigKill);
        await _sshd!.WaitForExitAsync(ct);
        _sshd.Dispose();
        _sshd = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_sshd is not null)
        {
            await KillAsync(CancellationToken.None);
        }

        Directory.Delete(Folder, recursive: true);
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, Port);
            var greeting = new byte[4];
            return await client.GetStream().ReadAtLeastAsync(greeting, 4, throwOnEndOfStream: false) == 4 && Encoding.ASCII.GetString(greeting) == "SSH-";
        }
        catch (Exception error) when (error is SocketException or IOException)
        {
            return false;
        }
    }

    private void SignalAll(int signal) => Signal(signal, Serving().Prepend(_sshd!.Id));

    private List<int> Serving()
    {
        var found = new List<int>();
        var open = new Queue<int>(Children(_sshd!.Id));
        while (open.TryDequeue(out var pid))
        {
            found.Add(pid);
            foreach (var child in Children(pid))
            {
                open.Enqueue(child);
            }
        }

        return found;
    }

    private static void Signal(int signal, IEnumerable<int> pids)
    {
        foreach (var pid in pids.ToList())
        {
            _ = Kill(pid, signal); // gone already is fine
        }
    }

    private static IEnumerable<int> Children(int parent)
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid))
            {
                continue;
            }

            string stat;
            try
            {
                stat = File.ReadAllText(Path.Combine(folder, "stat"));
            }
            catch (IOException)
            {
                continue; // it ended while we looked
            }

            if (ParentPid().Match(stat) is { Success: true } match && int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) == parent)
            {
                yield return pid;
            }
        }
    }

    private static async Task<string> RunAsync(string program, string[] arguments, CancellationToken ct)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, UseShellExecute = false })!;
        var output = await process.StandardOutput.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} ended with {process.ExitCode}");
    }

    [GeneratedRegex(@"\) \S (\d+) ", RegexOptions.RightToLeft)]
    private static partial Regex ParentPid();

#pragma warning disable SYSLIB1054, CA5392 // two integers need no generated marshalling, which would need unsafe code; libc is the system's
    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int pid, int signal);
#pragma warning restore SYSLIB1054, CA5392
}
