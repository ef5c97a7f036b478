using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dashboard.Domain;
using Dashboard.Domain.Instances;
using Dashboard.Infrastructure.Artifacts;
using Dashboard.Infrastructure.Logs;
using Dashboard.Infrastructure.Ssh;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>Rented machines over SSH: two connections each, one tail, bulk bytes over exec.</summary>
internal sealed class SshMachines(
    MachineConnections connections,
    BulkTransfer bulk,
    LogTails tails,
    MetricsStore metrics,
    ArtifactStore artifacts,
    InstanceSecrets secrets,
    SshOptions options) : IMachines
{
    private const int MetricsWindow = 512 * 1024;

    private readonly ConcurrentDictionary<InstanceId, Traffic> _traffic = new();
    private readonly ConcurrentDictionary<InstanceId, RecentSteps> _steps = new();

    public async Task<Reached> ReachAsync(Instance instance, CancellationToken ct)
    {
        var (route, session) = await ControlAsync(instance, ct);
        return new Reached(route, session.HostKey);
    }

    public async Task StartAsync(Instance instance, RunBundle bundle, CancellationToken ct)
    {
        var (_, session) = await ControlAsync(instance, ct);
        var folder = $"{bundle.Root}/bundle";
        await RunAsync(session, $"mkdir -p {Shell.Quote(folder)}/data && : >> {Shell.Quote(bundle.Root)}/log", ct); // the log exists before it is followed

        // The lease first: a machine that is being set up is wanted.
        await WriteLeaseAsync(session, bundle.Root, 1, bundle.Lease, ct);
        await Task.WhenAll(bundle.Files.Select(f => bulk.WriteAsync(session, $"{folder}/{f.Path}", f.Text, ct)));

        foreach (var file in bundle.Carried)
        {
            await bulk.UploadAsync(session, file.LocalPath, $"{folder}/{file.Path}", ct);
            Count(instance.Id).AddDown(file.Bytes);
        }

        // The manifest last: the supervisor starts nothing that it does not name.
        var manifest = string.Concat(bundle.Files.Select(f => $"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(f.Text)))}  {f.Path}\n"))
            + string.Concat(bundle.Carried.Select(f => $"{f.Sha256}  {f.Path}\n"));
        await bulk.WriteAsync(session, $"{folder}/MANIFEST", manifest, ct);
        Count(instance.Id).AddDown(bundle.Files.Sum(f => Encoding.UTF8.GetByteCount(f.Text)) + manifest.Length);

        await RunAsync(session, StartCommand(bundle.Root), ct);
        Follow(instance);
    }

    public async Task<RunLook> LookAsync(Instance instance, CancellationToken ct)
    {
        var (_, session) = await ControlAsync(instance, ct);
        Follow(instance);
        var have = await metrics.LengthAsync(instance.JobId, instance.AttemptNumber, ct);
        var root = Shell.Quote(RunBundles.RootOf(instance.AttemptId));
        var command = string.Create(CultureInfo.InvariantCulture, $"""
            cd {root} || exit 66
            date +%s
            tr -d '\n' < exit 2>/dev/null; echo
            tr -d '\n' < beat 2>/dev/null; echo
            wc -c < log 2>/dev/null || echo 0
            tail -c +{have + 1} metrics.jsonl 2>/dev/null | head -c {MetricsWindow}
            """);
        ExecResult result;
        try
        {
            result = await session.ExecAsync(command, null, options.Silence, ct, MetricsWindow + (64 * 1024), options.Probe);
        }
        catch (SshLost)
        {
            // The tail has no beat of its own: on a path that died without a word it would wait for ever. It goes on at the stored offset.
            await connections.CloseAsync(instance.Id);
            throw;
        }

        if (result.ExitStatus != 0)
        {
            throw new TransferRefused("Looking at the run", result.ExitStatus, result.Error);
        }

        var look = RunFiles.Read(result.Output);
        if (look.Metrics.Length > 0)
        {
            await metrics.AppendAsync(instance.JobId, instance.AttemptNumber, have, look.Metrics, ct);
            Count(instance.Id).AddUp(look.Metrics.Length);
        }

        return new RunLook(look.Beat, look.Exit, look.LogBytes, RunProgressReader.Read(look.Metrics.Span, instance.AttemptNumber, _steps.GetOrAdd(instance.Id, _ => new RecentSteps())));
    }

    public async Task RenewLeaseAsync(Instance instance, int sequence, TimeSpan granted, CancellationToken ct)
    {
        var (_, session) = await ControlAsync(instance, ct);
        await WriteLeaseAsync(session, RunBundles.RootOf(instance.AttemptId), sequence, granted, ct);
    }

    public async Task AskToStopAsync(Instance instance, string reason, CancellationToken ct)
    {
        var (_, session) = await ControlAsync(instance, ct);
        await bulk.WriteAsync(session, $"{RunBundles.RootOf(instance.AttemptId)}/stop", reason, ct);
    }

    public async Task AskToSaveAsync(Instance instance, CancellationToken ct)
    {
        var (_, session) = await ControlAsync(instance, ct);
        await bulk.WriteAsync(session, $"{RunBundles.RootOf(instance.AttemptId)}/checkpoint", "", ct);
    }

    public async Task RestartSupervisorAsync(Instance instance, CancellationToken ct)
    {
        var (_, session) = await ControlAsync(instance, ct);
        await RunAsync(session, StartCommand(RunBundles.RootOf(instance.AttemptId)), ct);
    }

    public async Task<Haul> CollectAsync(Instance instance, CancellationToken ct)
    {
        var (_, session) = await ControlAsync(instance, ct);
        var root = RunBundles.RootOf(instance.AttemptId);
        var length = await session.ExecAsync($"wc -c < {Shell.Quote(root)}/log", null, options.Silence, ct);
        if (length.ExitStatus == 0 && long.TryParse(length.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes))
        {
            await tails.DrainAsync(instance.Id, bytes, ct);
        }

        var collected = await artifacts.CollectAsync(session, $"{root}/out", instance.JobId, instance.AttemptNumber, MostBytes(instance), ct);
        Count(instance.Id).AddUp(collected.Came);
        return new Haul([.. collected.Files.Select(Home)], collected.Missing);
    }

    /// <summary>A machine may not send more than the disk it was rented with holds.</summary>
    private static long MostBytes(Instance instance) => (long)(instance.DiskGb * 1_000_000_000m);

    private static HomeFile Home(Artifact file) => new(file.Path, file.Bytes, file.Sha256, file.Verified);

    public async Task<HomeCheckpoint?> FetchCheckpointAsync(Instance instance, int? after, CancellationToken ct)
    {
        var (_, session) = await ControlAsync(instance, ct);
        var fetched = await artifacts.FetchCheckpointAsync(session, $"{RunBundles.RootOf(instance.AttemptId)}/out", instance.JobId, instance.AttemptNumber, after, MostBytes(instance), ct);
        if (fetched is not var (step, files))
        {
            return null;
        }

        Count(instance.Id).AddUp(files.Sum(f => f.Bytes));
        return new HomeCheckpoint(step, [.. files.Select(Home)]);
    }

    public (long Down, long Up) TakeTraffic(InstanceId instance) => Count(instance).Take();

    public async Task ReleaseAsync(InstanceId instance)
    {
        _steps.TryRemove(instance, out _);
        _traffic.TryRemove(instance, out _);
        await tails.StopAsync(instance);
        await connections.CloseAsync(instance);
    }

    /// <summary>Each route once, best first. A changed host key ends the search: another route to an impostor is no help.</summary>
    private async Task<(string Route, SshSession Session)> ControlAsync(Instance instance, CancellationToken ct)
    {
        SshFailure? last = null;
        foreach (var route in RouteText.Read(instance.Routes))
        {
            try
            {
                return (route.Name, await connections.ControlAsync(instance.Id, Access(instance, route), ct));
            }
            catch (SshFailure failure) when (failure is not HostKeyChanged)
            {
                last ??= failure; // the direct route's words say more than the proxy's
            }
        }

        throw last ?? new SshLost("the provider names no address");
    }

    private async Task<SshSession> TailSessionAsync(Instance instance, CancellationToken ct)
    {
        var (name, _) = await ControlAsync(instance, ct);
        var route = RouteText.Read(instance.Routes).First(r => r.Name == name);
        return await connections.TailAsync(instance.Id, Access(instance, route), ct);
    }

    private MachineAccess Access(Instance instance, Domain.Marketplaces.SshRoute route)
    {
        var key = new SshPrivateKey(secrets.Reveal(instance.Id, instance.ProtectedSshKey ?? throw new SshLost("its key is gone")));
        return new MachineAccess(new SshRoute(route.Host, route.Port), key, RouteText.Pin(instance.HostKeys, route.Name));
    }

    private void Follow(Instance instance) => tails.Ensure(
        instance.Id,
        instance.JobId,
        instance.AttemptNumber,
        $"{RunBundles.RootOf(instance.AttemptId)}/log",
        ct => TailSessionAsync(instance, ct));

    private Task WriteLeaseAsync(SshSession session, string root, int sequence, TimeSpan granted, CancellationToken ct)
    {
        var seconds = (long)granted.TotalSeconds;
        var lease = string.Create(CultureInfo.InvariantCulture, $"{{\"until\":0,\"seq\":{sequence},\"for\":{seconds}}}\n");
        return bulk.WriteAsync(session, $"{root}/lease", lease, ct);
    }

    private static string StartCommand(string root)
    {
        var r = Shell.Quote(root);
        return $"setsid sh {r}/bundle/supervisor.sh </dev/null >>{r}/supervisor.log 2>&1 9>&- &";
    }

    private async Task RunAsync(SshSession session, string command, CancellationToken ct)
    {
        var result = await session.ExecAsync(command, null, options.Silence, ct);
        if (result.ExitStatus != 0)
        {
            throw new TransferRefused("Setting the machine up", result.ExitStatus, result.Error);
        }
    }

    private Traffic Count(InstanceId instance) => _traffic.GetOrAdd(instance, _ => new Traffic());

    /// <summary>Bytes since they were last taken; counted by steps and by checkpoints that come home beside them.</summary>
    private sealed class Traffic
    {
        private long _down;
        private long _up;

        public void AddDown(long bytes) => Interlocked.Add(ref _down, bytes);

        public void AddUp(long bytes) => Interlocked.Add(ref _up, bytes);

        public (long Down, long Up) Take() => (Interlocked.Exchange(ref _down, 0), Interlocked.Exchange(ref _up, 0));
    }
}
