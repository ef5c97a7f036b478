using System.Globalization;
using Dashboard.Domain;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Ssh;
using Dashboard.Sandbox.Market;
using Dashboard.Simulation.Harness;
using Dashboard.Simulation.Provider;
using Dashboard.Simulation.Stories;

namespace Dashboard.Simulation.Machines;

/// <summary>The machines as the product meets them: sshd lets in whoever has a key, pins hold, frozen ones fall silent, and every call is where a server can die.</summary>
internal sealed class SimulatedMachines(World world, Server server) : IMachines
{
    private const int BundleBytes = 40_000;
    private const int ResultBytes = 4_000;

    /// <summary>After which a silent machine counts as lost.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(25);

    private readonly Dictionary<InstanceId, (long Down, long Up)> _traffic = [];

    public Task<Reached> ReachAsync(Instance instance, CancellationToken ct) => AskAsync("reach", instance, host => new Reached("direct", host.HostKey), ct);

    public Task StartAsync(Instance instance, RunBundle bundle, CancellationToken ct) => AskAsync("start", instance, host =>
    {
        if (host.DiskFull)
        {
            throw new TransferRefused("Writing the bundle", 1, "cat: write error: No space left on device");
        }

        Count(instance, BundleBytes, 0);
        host.Launch(bundle.Root, world.Now);
        world.Faults.Happens(Moment.Started, instance.ContractId!);
        return true;
    }, ct);

    public Task<RunLook> LookAsync(Instance instance, CancellationToken ct) => AskAsync("look", instance, host => RootOf(host, instance) is null
        ? throw new TransferRefused("Looking at the run", 66, "no such directory")
        : new RunLook(host.Beat(world.Now), host.Exit, host.LogBytes, new RunProgress(null, 100, null, null, null)), ct);

    public Task RenewLeaseAsync(Instance instance, int sequence, TimeSpan granted, CancellationToken ct) => AskAsync("renew lease", instance, _ => true, ct);

    public Task AskToStopAsync(Instance instance, string reason, CancellationToken ct) => AskAsync("ask to stop", instance, host =>
    {
        world.Time.At(TimeSpan.FromSeconds(1), () => host.AskToStop(world.Now));
        return true;
    }, ct);

    public Task AskToSaveAsync(Instance instance, CancellationToken ct) => AskAsync("ask to save", instance, _ => true, ct);

    public Task RestartSupervisorAsync(Instance instance, CancellationToken ct) => AskAsync("restart", instance, host =>
    {
        host.StartSupervisor(world.Now);
        return true;
    }, ct);

    public Task<Haul> CollectAsync(Instance instance, CancellationToken ct) => AskAsync("collect", instance, host =>
    {
        if (RootOf(host, instance) is null)
        {
            throw new TransferRefused("Reading its files", 66, "no such directory");
        }

        Count(instance, 0, ResultBytes);
        var file = new HomeFile("result.json", ResultBytes, new string('0', 64), Verified: true);
        return world.Faults.LosesItsFiles(instance.ContractId!) ? new Haul([], ["result.json"]) : new Haul([file], []);
    }, ct);

    public (long Down, long Up) TakeTraffic(InstanceId instance) => _traffic.Remove(instance, out var counted) ? counted : (0, 0);

    public async Task ReleaseAsync(InstanceId instance)
    {
        await server.UpAsync();
        await world.Crashes.PassAsync(server, "before release");
        await world.Crashes.PassAsync(server, "after release");
    }

    private async Task<T> AskAsync<T>(string call, Instance instance, Func<SimulatedHost, T> effect, CancellationToken ct)
    {
        await server.UpAsync();
        await world.Crashes.PassAsync(server, $"before {call}");
        ct.ThrowIfCancellationRequested();
        if (world.Chance.Next(6) == 0)
        {
            await server.PauseAsync(TimeSpan.FromMilliseconds(world.Chance.Next(20, 1500)), ct);
        }

        if (world.Hosts.Find(instance.ContractId!) is { Up: true } frozen && frozen.FrozenUntil > world.Now)
        {
            await server.PauseAsync(Silence, ct);
            throw new SshLost("silent for 25 s");
        }

        T answer;
        try
        {
            world.AdvanceMarket();
            answer = effect(Enter(instance));
        }
        catch (SshFailure failure)
        {
            world.Story.Add(Teller.Machine, $"{call} on machine {instance.ContractId}: {failure.Message}");
            throw;
        }

        await world.Crashes.PassAsync(server, $"after {call}");
        if (call is not ("look" or "renew lease"))
        {
            world.Story.Add(Teller.Machine, $"{call} on machine {instance.ContractId}: done");
        }

        return answer;
    }

    /// <summary>What sshd says to somebody who connects.</summary>
    private SimulatedHost Enter(Instance instance)
    {
        var route = RouteText.Read(instance.Routes) is { Count: > 0 } routes ? new SshRoute(routes[0].Host, routes[0].Port) : throw new SshLost("the provider names no address");
        var contract = world.Market.Find(int.Parse(instance.ContractId!, CultureInfo.InvariantCulture));
        if (contract is null || world.Hosts.Find(instance.ContractId!) is not { Up: true } host || host.RefusesSsh || world.Now < host.SshFrom)
        {
            throw new SshRefused(route, "connection refused");
        }

        if (host.SessionsCut)
        {
            host.SessionsCut = false;
            throw new SshLost("the connection was reset");
        }

        if (RouteText.Pin(instance.HostKeys, "direct") is { } pin && pin != host.HostKey)
        {
            throw new HostKeyChanged(route, pin, host.HostKey);
        }

        if (!RentalMarket.InstalledKeys(contract).Contains(instance.SshPublicKey))
        {
            throw new SshDenied(route);
        }

        host.Note(world.Now);
        return host;
    }

    private static string? RootOf(SimulatedHost host, Instance instance) => host.Root == RunBundles.RootOf(instance.AttemptId) ? host.Root : null;

    private void Count(Instance instance, int down, int up)
    {
        var (soFarDown, soFarUp) = _traffic.GetValueOrDefault(instance.Id);
        _traffic[instance.Id] = (soFarDown + down, soFarUp + up);
        world.Market.CountTraffic(int.Parse(instance.ContractId!, CultureInfo.InvariantCulture), up, down, world.Now);
    }
}

/// <summary>Whether what came home is the result: as the fault table has it, since these machines leave no files.</summary>
internal sealed class SimulatedResults(World world) : ResultCheck(null!)
{
    public override Task<string?> ProblemAsync(Job job, int attempt, CancellationToken ct) =>
        Task.FromResult(world.Faults.ResultsAreUseless ? "The program ended well, but its adapter is untrained: every B matrix is zero." : null);
}
