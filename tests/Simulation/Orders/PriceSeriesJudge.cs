using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Sandbox.Market;
using Dashboard.Simulation.Harness;
using Dashboard.Simulation.Provider;
using Offer = Dashboard.Domain.Marketplaces.Offer;

namespace Dashboard.Simulation.Orders;

/// <summary>
/// Moves the prices of a world and knows, at every instant, whether a machine costs little enough. Judges what the product
/// does about it: never early, never twice, never above the limit, and not late.
/// </summary>
internal sealed class PriceSeriesJudge(World world, Random chance)
{
    private static readonly TimeSpan Sample = TimeSpan.FromSeconds(15);

    /// <summary>A fitting machine may be there for so long: two looks, and what calls take.</summary>
    private static readonly TimeSpan Late = (OrderWorlds.Pace.Value.OrderLook * 2) + TimeSpan.FromSeconds(20);

    /// <summary>A machine that was found may be rented so much later: an answer that is shared, a server that is away or stands still.</summary>
    private static readonly TimeSpan Stale = TimeSpan.FromMinutes(4);

    private readonly Dictionary<int, DateTimeOffset> _lastFit = []; // machine -> when it last cost little enough
    private readonly HashSet<string> _rented = [];
    private Job? _job;
    private double _factor = 1;
    private DateTimeOffset? _fitsSince;
    private int _crashes;
    private bool _started;

    public void Begin()
    {
        world.Watch.MachineRented += Rented;
        world.Watch.JobCommitted += Committed;
        Move();
        Look();
    }

    /// <summary>What the job could use now, cheapest first.</summary>
    public static IReadOnlyList<Offer> Fitting(World world, HourlyRate? most) => SimulatedMarketplace.OffersNow(world, new OfferQuery { GpuCount = 1, DiskGb = 10, MinContract = TimeSpan.FromHours(1), MaxRate = most });

    private void Move()
    {
        var over = world.Time.Elapsed >= OrderWorlds.Series.Ticks;
        _factor = over ? 0.5 : Math.Clamp(_factor + ((chance.NextDouble() - 0.5) * 0.3), 0.6, 1.5);
        foreach (var machine in world.Market.Park.Machines)
        {
            // Now and then one host has an idea of its own.
            var own = !over && chance.Next(25) == 0 ? 0.7 + (chance.NextDouble() * 0.6) : 1;
            world.Market.Intervene(machine, before => before with { PriceFactor = (decimal)Math.Round(_factor * own, 3) }, world.Now);
        }

        Fits();
        if (!over)
        {
            world.Time.At(TimeSpan.FromSeconds(chance.Next(20, 400)), Move);
        }
    }

    private void Look()
    {
        var fits = Fits();
        if (world.Current is null || world.Crashes.Happened != _crashes)
        {
            (_crashes, _fitsSince) = (world.Crashes.Happened, null); // whoever is not there finds nothing
        }

        _fitsSince = fits && _job is { Status: JobStatus.Submitted or JobStatus.WaitingForPrice } ? _fitsSince ?? world.Now : null;
        if (world.Now - _fitsSince > Late)
        {
            world.Violate("Late", $"a machine at {_job!.Order!.Limit} or less is there since {_fitsSince:HH:mm:ss} and the job is {_job.Status}");
        }

        if (_job is null || !JobRules.IsFinal(_job.Status))
        {
            world.Time.At(Sample, Look);
        }
    }

    /// <summary>Notes which machines cost little enough at this instant.</summary>
    private bool Fits()
    {
        if (_job?.Order is not { } order)
        {
            return false;
        }

        var found = Fitting(world, order.Limit).ToList();
        found.ForEach(offer => _lastFit[int.Parse(offer.MachineId, System.Globalization.CultureInfo.InvariantCulture)] = world.Now);
        return found.Exists(offer => !_rented.Contains(offer.MachineId));
    }

    private void Committed(Job job)
    {
        var before = _job;
        _job = job;
        Fits(); // what was found is there at this instant
        if (before?.StartedAt is null && job.StartedAt is not null)
        {
            Started();
        }

        if (job is { Status: JobStatus.Cancelled, StopReason: StopReason.PriceNotReached })
        {
            Expired(job);
        }
    }

    private void Rented(Contract contract)
    {
        var machine = world.Market.MachineOf(contract);
        _rented.Add(machine.MachineId.ToString(System.Globalization.CultureInfo.InvariantCulture));
        if (_job?.Order is not { } order)
        {
            world.Violate("Early", $"machine {contract.Id} is rented before the order is known");
            return;
        }

        if (!order.Binds)
        {
            if (order.Then != OrderEnding.TakeBest || world.Now < order.Until)
            {
                world.Violate("Early", $"machine {contract.Id} is rented at any price before its time");
            }

            return;
        }

        if (Rate(contract) > order.Limit && !(_lastFit.TryGetValue(machine.MachineId, out var fit) && world.Now - fit <= Stale))
        {
            world.Violate("Early", $"machine {contract.Id} is rented at {Rate(contract)}, and it did not cost {order.Limit} or less before");
        }
    }

    private void Started()
    {
        if (_started)
        {
            world.Violate("Double", "the program has started twice");
        }

        _started = true;
        var living = world.Market.Living.Where(contract => contract.Label?.StartsWith("gd1-", StringComparison.Ordinal) == true && contract.WantedRunning).ToList();
        if (living.Count != 1)
        {
            world.Violate("Double", $"{living.Count} machines run as the program starts");
        }

        if (_job!.Order is { Binds: true } order && living.Find(contract => Rate(contract) > order.Limit) is { } dear)
        {
            world.Violate("Above", $"the program runs on machine {dear.Id} at {Rate(dear)}, above {order.Limit}");
        }
    }

    private void Expired(Job job)
    {
        if (job.Order!.Then != OrderEnding.Cancel || world.Now < job.Order.Until)
        {
            world.Violate("Early", "the job ends before its time");
        }

        if (_started)
        {
            world.Violate("Double", "the job started and was ended by its order all the same");
        }
    }

    private static HourlyRate Rate(Contract contract) => HourlyRate.FromUsd(contract.GpuPerHour + contract.DiskPerHour);
}
