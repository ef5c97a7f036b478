using Dashboard.Domain.Marketplaces;
using Dashboard.Simulation.Harness;
using Dashboard.Simulation.Provider;
using Dashboard.Simulation.Stories;

namespace Dashboard.Simulation.Naive;

/// <summary>
/// How renting is usually written: ask for a machine, remember its id, destroy it when done. Two grades of it, as they are found in
/// the field, under the same faults and the same crashes as the product.
/// </summary>
internal sealed class NaiveFlow : Process
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BootLimit = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan GivesUpDestroying = TimeSpan.FromMinutes(15);

    private readonly World _world;
    private readonly SimulatedMarketplace _market;
    private readonly NaiveMemory? _memory;

    private NaiveFlow(World world, string name, NaiveMemory? memory)
        : base(world, name)
    {
        (_world, _memory, _market) = (world, memory, new SimulatedMarketplace(world, this));
    }

    /// <summary>Rents, keeps the id in memory, asks once to destroy, gives up on any error. After a crash it knows nothing.</summary>
    public static Func<World, string, Process> Forgetful() => (world, name) => Start(new NaiveFlow(world, name, null), first: name.EndsWith(" 1", StringComparison.Ordinal));

    /// <summary>Writes the id down once it has the answer, goes on from there after a crash, and tries to destroy for 15 minutes.</summary>
    public static Func<World, string, Process> Careful()
    {
        var memory = new NaiveMemory();
        return (world, name) => Start(new NaiveFlow(world, name, memory), first: name.EndsWith(" 1", StringComparison.Ordinal) || !memory.Done);
    }

    private static NaiveFlow Start(NaiveFlow flow, bool first)
    {
        if (first)
        {
            flow._world.Time.At(TimeSpan.Zero, () => _ = flow.RunAsync());
        }

        return flow;
    }

    private async Task RunAsync()
    {
        await UpAsync();
        try
        {
            var contract = _memory?.Contract ?? await RentAsync();
            if (_memory is not null)
            {
                _memory.Contract = contract;
            }

            await BootAsync(contract);
            await PauseAsync(_world.Schedule.Jobs[0].Runs, default);
            await DestroyAsync(contract);
        }
        catch (Exception fault) when (fault is MarketplaceException or TimeoutException)
        {
            _world.Story.Add(Teller.Product, $"{Name} gives up: {fault.Message}");
        }

        if (_memory is not null)
        {
            _memory.Done = true;
        }
    }

    private async Task<string> RentAsync()
    {
        var offers = await _market.SearchAsync(new OfferQuery { DiskGb = 10, GpuCount = 1 }, default);
        var answer = await _market.RentAsync(offers[0], new LaunchSpec { Label = "training-job", Image = "pytorch", DiskGb = 10, OnStart = "" }, default);
        return answer is RentResult.Rented rented ? rented.ContractId : throw new NoCapacityException($"renting failed: {answer.GetType().Name}");
    }

    private async Task BootAsync(string contract)
    {
        for (var waited = TimeSpan.Zero; waited < BootLimit; waited += Poll)
        {
            if (await _market.GetAsync(contract, default) is { Status: ObservedStatus.Running })
            {
                return;
            }

            await PauseAsync(Poll, default);
        }

        if (_memory is not null)
        {
            await DestroyAsync(contract);
        }

        throw new TimeoutException("the machine did not start");
    }

    private async Task DestroyAsync(string contract)
    {
        for (var tried = TimeSpan.Zero; ; tried += Poll)
        {
            try
            {
                await _market.DestroyAsync(contract, default);
                return;
            }
            catch (MarketplaceException) when (_memory is not null && tried < GivesUpDestroying)
            {
                await PauseAsync(Poll, default);
            }
        }
    }
}

/// <summary>What the careful one has on disk.</summary>
internal sealed class NaiveMemory
{
    public string? Contract { get; set; }

    public bool Done { get; set; }
}
