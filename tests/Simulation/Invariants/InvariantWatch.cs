using System.Globalization;
using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Sandbox.Market;
using Dashboard.Simulation.Crashes;
using Dashboard.Simulation.Harness;
using Dashboard.Simulation.Provider;
using Dashboard.Simulation.Stories;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Simulation.Invariants;

/// <summary>
/// Judges a world by the provider's truth: what the product commits and asks for is compared with what the market knows, at every
/// commit, at every call, and at the end.
/// </summary>
internal sealed class InvariantWatch(World world)
{
    /// <summary>I2: so long after it became visible a machine that nobody wants may still exist.</summary>
    private static readonly TimeSpan SweptWithin = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan Endless = TimeSpan.FromDays(30);
    private static readonly TimeSpan AMinute = TimeSpan.FromMinutes(1);
    private const int MostCallsAMinute = 60;

    private readonly Dictionary<string, Row> _rows = []; // by label
    private readonly Dictionary<JobId, JobView> _jobs = [];
    private readonly Dictionary<int, Contract> _ours = [];
    private readonly Dictionary<int, DateTimeOffset> _unwanted = [];
    private readonly HashSet<int> _foreign = [];
    private readonly List<DateTimeOffset> _listings = [];
    private readonly Dictionary<ProviderCall, Queue<DateTimeOffset>> _asked = [];
    private Figures _money = Invariants.Figures.None;
    private int _orphans;

    /// <summary>A paused job waits for money; one that a person stopped has to end.</summary>
    public bool AllJobsEnded => _jobs.Count + world.Caps.Refused == world.Schedule.Jobs.Count && _jobs.Values.All(job => JobRules.IsFinal(job.Status) || (job.Status == JobStatus.Paused && !job.Cancelled));

    public IReadOnlyCollection<Contract> Ours => _ours.Values;

    public bool NothingOfOursLives => _ours.Values.All(contract => !contract.IsLiving) && _rows.Values.All(row => InstanceRules.IsFinal(row.Status));

    /// <summary>Complete listings that reached the product.</summary>
    public IReadOnlyList<DateTimeOffset> Listings => _listings;

    /// <summary>A machine was rented with a label of ours.</summary>
    public event Action<Contract>? MachineRented;

    /// <summary>A job as it was committed last.</summary>
    public event Action<Job>? JobCommitted;

    public void Submitted(Job job)
    {
        _jobs[job.Id] = new JobView(job.Number) { Status = job.Status };
        world.Story.Add(Teller.Person, $"submits job {job.Number}");
    }

    public void CancelledByPerson()
    {
        foreach (var job in _jobs.Values)
        {
            job.Cancelled = true;
        }
    }

    /// <summary>Providers ration questions: whoever cannot be answered yet keeps a distance.</summary>
    public void Asked(ProviderCall call)
    {
        if (!_asked.TryGetValue(call, out var times))
        {
            _asked.Add(call, times = []);
        }

        times.Enqueue(world.Now);
        while (times.Peek() <= world.Now - AMinute)
        {
            times.Dequeue();
        }

        if (times.Count > MostCallsAMinute)
        {
            world.Violate("Busy", $"{call.Word()} is asked for more than {MostCallsAMinute} times a minute");
        }
    }

    /// <summary>How long the program of the row's job runs; a machine of somebody else has none of ours.</summary>
    public TimeSpan ProgramOf(string? label) =>
        label is not null && _rows.TryGetValue(label, out var row) && world.Hosts.Programs.TryGetValue(row.Job, out var runs) ? runs : Endless;

    public void Listed() => _listings.Add(world.Now);

    /// <summary>I1: the one call of a row.</summary>
    public void RentSent(string label)
    {
        if (_rows.TryGetValue(label, out var row) && ++row.RentsSent > 1)
        {
            world.Violate("I1", $"a second rent call is made for one row of job {Number(row.Job)}");
        }
    }

    public void Rented(Contract contract)
    {
        _ours[contract.Id] = contract;
        MachineRented?.Invoke(contract);
    }

    /// <summary>I4: nothing of somebody else is destroyed.</summary>
    public void DestroyArrived(string contract)
    {
        var id = int.Parse(contract, CultureInfo.InvariantCulture);
        if (_foreign.Contains(id) || (!_ours.ContainsKey(id) && world.Market.Find(id) is not null))
        {
            world.Violate("I4", $"machine {contract} of somebody else is asked to be destroyed");
        }
    }

    /// <summary>Others rent on the same account, under names of their own.</summary>
    public void PlantForeign() => Plant("comfy-ui", 1);

    /// <summary>Machines of somebody else whose labels look like the one of a machine of ours.</summary>
    public void PlantLookAlikes(string contract)
    {
        var label = _ours[int.Parse(contract, CultureInfo.InvariantCulture)].Label!;
        Plant($"{label[..40]}{(label[40] == '0' ? '1' : '0')}{label[41..]}", 1); // our row, a signature that is not ours
        Plant($"{label[..4]}00000000{label[12..]}", 1); // another installation's
        Plant(label + "x", 1);
    }

    public void Committed(Server server, Commit commit)
    {
        foreach (var said in commit.Events)
        {
            world.Story.Add(Teller.Product, $"{server.Name}: {said.Text}");
        }

        foreach (var job in commit.Jobs)
        {
            if (_jobs.TryGetValue(job.Id, out var known))
            {
                (known.Status, known.Reason) = (job.Status, job.StopReason);
                JobCommitted?.Invoke(job);
            }
        }

        foreach (var instance in commit.Instances)
        {
            if (!_rows.TryGetValue(instance.Label, out var row))
            {
                _rows.Add(instance.Label, row = new Row(instance.JobId, instance.AttemptNumber));
            }

            var before = row.Status;
            (row.Status, row.Contract, row.KeptUntil) = (instance.Status, instance.ContractId, instance.KeptUntil);
            if (before != row.Status)
            {
                world.Story.Add(Teller.Product, $"{server.Name}: row of job {Number(row.Job)}, attempt {row.Attempt}, is {row.Status}");
                Ends(instance);
            }
        }

        foreach (var job in commit.Instances.Select(instance => instance.JobId).Union(commit.Jobs.Select(job => job.Id)))
        {
            Works(job);
        }

        world.Caps.Committed(server);
    }

    /// <summary>I2, as time passes: whatever bills is wanted, or is destroyed soon.</summary>
    public void Look()
    {
        foreach (var contract in world.Market.Living)
        {
            var row = _ours.ContainsKey(contract.Id) ? _rows.GetValueOrDefault(contract.Label!) : null;
            if (row is { Status: InstanceStatus.Parked, KeptUntil: { } end } && world.Now - end > SweptWithin + world.WallClockJumps)
            {
                world.Violate("I2", $"machine {contract.Id} is kept longer than was asked");
                return;
            }

            if (!_ours.ContainsKey(contract.Id) || (row is not null && IsPursued(row, contract)))
            {
                _unwanted.Remove(contract.Id);
                continue;
            }

            if (!_unwanted.TryGetValue(contract.Id, out var since))
            {
                _unwanted.Add(contract.Id, since = world.Now);
            }

            var visible = world.Faults.VisibleFrom(contract);
            if (world.Now - (since > visible ? since : visible) > SweptWithin)
            {
                _orphans++;
                world.Violate("I2", $"machine {contract.Id} bills and nobody pursues it");
                return;
            }
        }
    }

    public void LookAtTheEnd()
    {
        foreach (var (label, calls) in world.Market.State.RentCalls.Where(calls => calls.Key.StartsWith("gd1-", StringComparison.Ordinal) && calls.Value > 1 && _rows.ContainsKey(calls.Key)))
        {
            world.Violate("I1", $"{calls} rent calls reached the provider with one label, {label}");
        }

        foreach (var foreign in _foreign.Where(id => world.Market.Find(id) is null))
        {
            world.Violate("I4", $"machine {foreign} of somebody else is gone");
        }

        foreach (var (id, job) in _jobs)
        {
            JudgeEnd(id, job);
        }

        using var db = world.Current!.CreateDbContext();
        _money = LedgerCheck.Judge(world, [.. db.Instances.AsNoTracking()], [.. db.Ledger.AsNoTracking()], _ours, _listings);
    }

    public Figures Figures() => _money with
    {
        LeftBehind = LeftBehind().Machines,
        LeakPerDay = LeftBehind().PerDay,
        Jobs = _jobs.Count,
        Succeeded = _jobs.Values.Count(job => job.Status == JobStatus.Succeeded),
        Rents = world.Market.State.RentCalls.Where(calls => _rows.ContainsKey(calls.Key)).Sum(calls => calls.Value),
        MostRentsOfOneRow = _rows.Values.Select(row => row.RentsSent).DefaultIfEmpty().Max(),
        Machines = _ours.Count,
        Refused = world.Caps.Refused,
        OutOfMoney = _jobs.Values.Count(job => job.Status == JobStatus.Paused),
        Overspent = world.Caps.Overspent,
        Orphans = _orphans,
        Crashes = world.Crashes.Happened,
    };

    /// <summary>Machines that were rented and live on, and what they cost from now on, USD a day.</summary>
    public (int Machines, decimal PerDay) LeftBehind()
    {
        var living = _ours.Values.Where(contract => contract.IsLiving).ToList();
        return (living.Count, 24 * living.Sum(contract => contract.DiskPerHour + (contract.Phase == ContractPhase.Running ? contract.GpuPerHour : 0)));
    }

    public string Unfinished() => string.Join("; ",
    [
        .. _jobs.Values.Where(job => !JobRules.IsFinal(job.Status)).Select(job => $"job {job.Number} is {job.Status}"),
        .. _rows.Values.Where(row => !InstanceRules.IsFinal(row.Status)).Select(row => $"a row of job {Number(row.Job)} is {row.Status}"),
        .. _ours.Values.Where(contract => contract.IsLiving).Select(contract => $"machine {contract.Id} lives ({contract.Phase})"),
    ]);

    /// <summary>I3: an instance ends only when its machine has.</summary>
    private void Ends(Instance instance)
    {
        if (instance.Status == InstanceStatus.Gone && world.Market.Living.FirstOrDefault(contract => contract.Id.ToString(CultureInfo.InvariantCulture) == instance.ContractId) is { } alive)
        {
            world.Violate("I3", $"machine {alive.Id} is believed gone and lives");
        }

        if (instance.Status == InstanceStatus.Rejected && world.Market.Living.FirstOrDefault(contract => _ours.ContainsKey(contract.Id) && contract.Label == instance.Label) is { } rented)
        {
            world.Violate("I3", $"machine {rented.Id} is believed never rented and lives");
        }
    }

    /// <summary>I1: one working instance per attempt, and none of a job that is over.</summary>
    private void Works(JobId id)
    {
        var working = _rows.Values.Where(row => row.Job == id && InstanceRules.IsWorking(row.Status)).ToList();
        if (working.Count > 1)
        {
            world.Violate("I1", $"{working.Count} instances work on job {Number(id)}");
        }

        if (working.Count > 0 && _jobs.TryGetValue(id, out var job) && JobRules.IsFinal(job.Status))
        {
            world.Violate("I1", $"an instance works on job {job.Number}, which has ended");
        }
    }

    private void JudgeEnd(JobId id, JobView job)
    {
        var allowed = world.Schedule.Faults.SelectMany(fault => fault.MayEndAs).ToHashSet();
        var good = job.Status == JobStatus.Succeeded
            || (job.Reason is { } reason && allowed.Contains(reason))
            || (job.Cancelled && job.Status == JobStatus.Cancelled)
            || job is { Status: JobStatus.Cancelled, Reason: StopReason.PriceNotReached } // whether rightly, its schedule judges
            || (job.Reason == StopReason.BudgetExhausted && world.Schedule.Caps.Count > 0 && !world.Caps.IsPromised(id));
        if (!good)
        {
            world.Violate("End", $"job {job.Number} ends {job.Status} ({job.Reason}) although a host survived");
        }
    }

    private static bool IsPursued(Row row, Contract contract) =>
        !InstanceRules.IsFinal(row.Status) && (row.Contract is null || row.Contract == contract.Id.ToString(CultureInfo.InvariantCulture));

    private void Plant(string label, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var offer = world.Market.Offers(OfferKind.OnDemand, 10, world.Now).Where(o => o.Rentable && o.Slice.GpuCount > 1).OrderByDescending(o => o.TotalPerHour).First();
            if (world.Market.Rent(offer.AskId, new RentRequest { Image = "debian:12", Label = label }, world.Now) is RentResult.Rented { Contract: var contract })
            {
                _foreign.Add(contract.Id);
                world.Story.Add(Teller.Person, $"somebody else rents machine {contract.Id} as \"{label}\"");
            }
        }
    }

    private int Number(JobId job) => _jobs.TryGetValue(job, out var view) ? view.Number : 0;

    private sealed class Row(JobId job, int attempt)
    {
        public JobId Job => job;

        public int Attempt => attempt;

        public InstanceStatus Status { get; set; }

        public string? Contract { get; set; }

        public int RentsSent { get; set; }

        /// <summary>Until when it is kept stopped.</summary>
        public DateTimeOffset? KeptUntil { get; set; }
    }

    private sealed class JobView(int number)
    {
        public int Number => number;

        public JobStatus Status { get; set; }

        public StopReason? Reason { get; set; }

        /// <summary>By a person.</summary>
        public bool Cancelled { get; set; }
    }
}
