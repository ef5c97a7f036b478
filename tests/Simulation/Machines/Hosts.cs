using System.Globalization;
using Dashboard.Domain;
using Dashboard.Sandbox.Market;
using Dashboard.Simulation.Harness;
using Dashboard.Simulation.Provider;
using Dashboard.Simulation.Stories;

namespace Dashboard.Simulation.Machines;

/// <summary>All machines of the market: does what the core asks of its hosts.</summary>
internal sealed class Hosts(World world)
{
    private readonly Dictionary<int, SimulatedHost> _hosts = [];

    /// <summary>How long the program of each job runs.</summary>
    public Dictionary<JobId, TimeSpan> Programs { get; } = [];

    public SimulatedHost? Find(string contractId) => _hosts.GetValueOrDefault(int.Parse(contractId, CultureInfo.InvariantCulture));

    public void Obey()
    {
        foreach (var effect in world.Market.TakeEffects())
        {
            switch (effect)
            {
                case HostEffect.Start start:
                    var takes = TimeSpan.FromMilliseconds(world.Chance.Next(200, 2000));
                    world.Time.At(takes, () => ContainerUp(start));
                    break;
                case HostEffect.Stop:
                    _hosts.GetValueOrDefault(effect.ContractId)?.ContainerDown(world.Now);
                    break;
                case HostEffect.Destroy:
                    _hosts.GetValueOrDefault(effect.ContractId)?.ContainerDown(world.Now);
                    _hosts.Remove(effect.ContractId);
                    break;
                case HostEffect.SetReach when _hosts.GetValueOrDefault(effect.ContractId) is { } host && world.Market.Find(effect.ContractId) is { } contract:
                    host.RefusesSsh = RentalMarket.RefusesSsh(contract);
                    break;
                case HostEffect.CutSessions when _hosts.GetValueOrDefault(effect.ContractId) is { } host:
                    host.SessionsCut = true;
                    break;
                case HostEffect.ChangeHostKey when _hosts.GetValueOrDefault(effect.ContractId) is { } host:
                    host.ChangeHostKey();
                    break;
                default:
                    break; // keys are read from the contract itself
            }
        }
    }

    private void ContainerUp(HostEffect.Start start)
    {
        var id = start.ContractId;
        if (!world.Market.ContainerStarted(id, start.Launch, new InstancePorts(20_000 + (id % 20_000), 40_000 + (id % 20_000), 22), world.Now))
        {
            return;
        }

        var contract = world.Market.Find(id)!;
        if (!_hosts.TryGetValue(id, out var host) || start.Afresh)
        {
            _hosts[id] = host = new SimulatedHost(id, world.Watch.ProgramOf(contract.Label));
        }

        host.ContainerUp(world.Now, world.Market.SshDelay(contract));
        host.RefusesSsh = RentalMarket.RefusesSsh(contract);
        world.Story.Add(Teller.Machine, $"machine {id} runs");
        world.Faults.Happens(Moment.Up, id.ToString(CultureInfo.InvariantCulture));
    }
}
