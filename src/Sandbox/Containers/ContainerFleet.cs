using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Dashboard.Sandbox.Market;

namespace Dashboard.Sandbox.Containers;

/// <summary>The real containers behind the instances. Calls for one instance must not overlap; different instances are independent.</summary>
internal sealed class ContainerFleet(ContainerOptions options, HostTools tools, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(15);
    private readonly ConcurrentDictionary<int, Container> _running = new();
    private readonly ConcurrentBag<(int Id, (long Up, long Down) Bytes)> _uncounted = [];
    private readonly Dictionary<int, InstancePorts> _ports = [];
    private int _nextPort = options.FirstPort;

    public InstanceFolder FolderOf(int id) => new(Path.Combine(options.InstancesDirectory, FormattableString.Invariant($"{id}")));

    /// <summary>Keeps the ports of a contract from before a restart.</summary>
    public void Reserve(int id, InstancePorts ports)
    {
        lock (_ports)
        {
            _ports[id] = ports;
        }
    }

    public InstancePorts PortsFor(int id)
    {
        lock (_ports)
        {
            return _ports.TryGetValue(id, out var known) ? known : _ports[id] = FreePorts();
        }
    }

    /// <summary>Makes the container if it is new, starts it and returns once its sshd listens; connections are passed on after <paramref name="sshDelay"/>.</summary>
    /// <param name="sshDelay">Null leaves the ports closed until <see cref="SetReachAsync"/>.</param>
    /// <exception cref="IOException">It could not be started; the message says why.</exception>
    public async Task StartAsync(ContainerSpec spec, InstancePorts ports, TimeSpan? sshDelay, CancellationToken ct)
    {
        await StopAsync(spec.Id);
        var folder = FolderOf(spec.Id);
        var userId = UserIdOf(ports);
        if (!folder.Exists)
        {
            await folder.DeleteAsync(ct);
            await folder.CreateAsync(spec, ports, tools, userId, ct);
        }

        folder.WriteKeys(spec.Keys);
        var process = await LaunchAsync(folder, spec, userId);
        try
        {
            await SshdListensAsync(process, ports.Sshd, ct);
        }
        catch
        {
            await EndAsync(folder); // also when we are closing: nobody would know of it
            throw;
        }

        _running[spec.Id] = new Container(process, ports, time, sshDelay);
    }

    /// <summary>Takes over a container that outlived the program that started it.</summary>
    public bool TryAttach(int id, InstancePorts ports)
    {
        if (FolderOf(id).Process is not { } process)
        {
            return false;
        }

        Reserve(id, ports);
        _running[id] = new Container(process, ports, time, TimeSpan.Zero);
        return true;
    }

    public async Task StopAsync(int id)
    {
        if (_running.TryRemove(id, out var container))
        {
            await container.DisposeAsync();
            _uncounted.Add((id, container.TakeTraffic()));
        }

        await EndAsync(FolderOf(id));
    }

    /// <summary>Ends the processes and deletes the data; the ports stay its own.</summary>
    public async Task WipeAsync(int id, CancellationToken ct)
    {
        await StopAsync(id);
        await FolderOf(id).DeleteAsync(ct);
    }

    /// <summary>Opens or closes the SSH ports of a running container.</summary>
    public async Task SetReachAsync(int id, bool open)
    {
        if (!_running.TryGetValue(id, out var container))
        {
            return;
        }

        if (open)
        {
            container.Open();
        }
        else
        {
            await container.CloseAsync();
        }
    }

    /// <summary>Drops every connection to a running container.</summary>
    public async Task CutSessionsAsync(int id)
    {
        if (_running.TryGetValue(id, out var container))
        {
            await container.CutAsync();
        }
    }

    /// <summary>Lets sshd show another host key. Its sessions and everything else go on.</summary>
    public async Task ChangeHostKeyAsync(int id, CancellationToken ct)
    {
        var folder = FolderOf(id);
        InstancePorts? ports;
        lock (_ports)
        {
            ports = _ports.GetValueOrDefault(id);
        }

        if (!folder.Exists || ports is null)
        {
            return;
        }

        folder.ForgetHostKey();
        await Run.CheckedAsync(Bubblewrap.MakeHostKey(folder, tools, UserIdOf(ports)), tools.Libraries(inside: false), ct);
        folder.Process?.ChildWith("[listener]")?.Reload(); // sshd names itself so
    }

    public async Task DestroyAsync(int id, CancellationToken ct)
    {
        await StopAsync(id);
        await FolderOf(id).DeleteAsync(ct);
        lock (_ports)
        {
            _ports.Remove(id);
        }
    }

    public void WriteKeys(int id, IReadOnlyList<string> keys)
    {
        if (FolderOf(id) is { Exists: true } folder)
        {
            folder.WriteKeys(keys);
        }
    }

    /// <summary>Containers that have ended by themselves since they were started.</summary>
    public IReadOnlyList<int> Ended() => [.. _running.Where(entry => !entry.Value.Process.IsAlive).Select(entry => entry.Key)];

    /// <summary>Bytes through SSH since the last call, for each instance that had any: out of the instance, and into it.</summary>
    public IEnumerable<(int Id, long UpBytes, long DownBytes)> TakeTraffic()
    {
        while (_uncounted.TryTake(out var last))
        {
            yield return (last.Id, last.Bytes.Up, last.Bytes.Down);
        }

        foreach (var (id, container) in _running)
        {
            var (up, down) = container.TakeTraffic();
            if (up + down > 0)
            {
                yield return (id, up, down);
            }
        }
    }

    /// <summary>Ends what an earlier run left behind: containers and folders of instances that are not to be.</summary>
    public async Task SweepAsync(Func<int, bool> mayRun, Func<int, bool> mayExist, CancellationToken ct)
    {
        foreach (var path in Directory.EnumerateDirectories(options.InstancesDirectory))
        {
            if (!int.TryParse(Path.GetFileName(path), System.Globalization.CultureInfo.InvariantCulture, out var id))
            {
                continue;
            }

            var folder = new InstanceFolder(path);
            if (!mayRun(id))
            {
                await EndAsync(folder);
            }

            if (!mayExist(id))
            {
                await folder.DeleteAsync(ct);
            }
        }
    }

    /// <summary>Ends every container; their data stays.</summary>
    public async ValueTask DisposeAsync() => await Task.WhenAll(_running.Keys.Select(StopAsync));

    private static async Task EndAsync(InstanceFolder folder)
    {
        if (folder.Process is not { } process)
        {
            return;
        }

        process.End();
        while (process.IsAlive)
        {
            await Task.Delay(Glance, TimeProvider.System);
        }
    }

    private int? UserIdOf(InstancePorts ports) => System.Environment.IsPrivilegedProcess ? options.FirstUserId + ((ports.Direct - options.FirstPort) / 3) : null;

    // Three ports each, going round, so that a fresh instance does not answer on the address of one that has just gone.
    private InstancePorts FreePorts()
    {
        for (var tried = options.FirstPort; tried + 2 <= options.LastPort; tried += 3)
        {
            var first = _nextPort;
            _nextPort = _nextPort + 5 <= options.LastPort ? _nextPort + 3 : options.FirstPort;
            if (_ports.Values.All(used => used.Direct != first) && Enumerable.Range(first, 3).All(PortForwarder.IsFree))
            {
                return new InstancePorts(first, first + 1, first + 2);
            }
        }

        throw new IOException(FormattableString.Invariant($"No free ports between {options.FirstPort} and {options.LastPort}."));
    }

    // Not to be interrupted: between the launch and the note of its process nobody could end it.
    private async Task<LivingProcess> LaunchAsync(InstanceFolder folder, ContainerSpec spec, int? userId)
    {
        // Arguments carry the instance's key and the renter's environment: over a file only we can read, not where any user may list them.
        await using (var arguments = new FileStream(folder.Arguments, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
        {
            await arguments.WriteAsync(System.Text.Encoding.UTF8.GetBytes(string.Concat(Bubblewrap.Container(folder, spec, tools).Select(argument => argument + '\0'))));
        }

        File.Delete(folder.Info);
        var start = new ProcessStartInfo("/bin/sh");
        foreach (var part in (string[])
                 ["-c", "arguments=$1 info=$2 log=$3; shift 3; exec \"$@\" 3>\"$info\" 4<\"$arguments\" >>\"$log\" 2>&1 </dev/null", "sh",
                  folder.Arguments, folder.Info, folder.Log, .. Bubblewrap.Prefix(userId), tools.Bwrap, "--info-fd", "3", "--args", "4", "--", .. Bubblewrap.FirstProcess(options)])
        {
            start.ArgumentList.Add(part);
        }

        start.Environment.Clear();
        if (tools.UnpackedAt is not null)
        {
            start.Environment["LD_LIBRARY_PATH"] = tools.Libraries(inside: false);
        }

        using var launcher = Process.Start(start) ?? throw new IOException("The container's launcher did not start.");
        var began = time.GetTimestamp();
        while (true)
        {
            if (FirstProcessIn(folder.Info) is { } id && LivingProcess.Find(id) is { } process)
            {
                folder.RememberProcess(process);
                return process;
            }

            if (launcher.HasExited || time.GetElapsedTime(began) > StartLimit)
            {
                throw new IOException("bwrap ended at once: " + LastLine(folder.Log));
            }

            await Task.Delay(Glance, time);
        }
    }

    private async Task SshdListensAsync(LivingProcess process, int port, CancellationToken ct)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await probe.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), ct);
                return;
            }
            catch (SocketException)
            {
                if (!process.IsAlive || time.GetElapsedTime(began) > StartLimit)
                {
                    throw new IOException("sshd did not come up."); // its log lies where the instance could have put a link to anywhere
                }
            }

            await Task.Delay(Glance, time, ct);
        }
    }

    private static int? FirstProcessIn(string info)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(info));
            return document.RootElement.GetProperty("child-pid").GetInt32();
        }
        catch (Exception error) when (error is IOException or JsonException)
        {
            return null; // not written yet, or only half of it
        }
    }

    private static string LastLine(string file) => File.Exists(file) ? File.ReadLines(file).LastOrDefault(line => line.Length > 0) ?? "no output" : "no output";
}
