using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Sandbox.Market;
using Dashboard.Simulation.Budgets;
using Dashboard.Simulation.Crashes;
using Dashboard.Simulation.Faults;
using Dashboard.Simulation.Invariants;
using Dashboard.Simulation.Machines;
using Dashboard.Simulation.Provider;
using Dashboard.Simulation.Stories;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Dashboard.Simulation.Harness;

/// <summary>
/// One run of the whole: a provider's market with its hosts, a server on its database, faults, crashes and people, moved by one
/// thread through simulated time. Two worlds of one schedule are the same to the last event.
/// </summary>
internal sealed class World : IDisposable
{
    public static readonly DateTimeOffset Opening = new(2026, 11, 2, 9, 0, 0, TimeSpan.Zero);
    /// <summary>By then every flow has done what it will ever do.</summary>
    private static readonly TimeSpan NaiveHorizon = TimeSpan.FromMinutes(40);
    public static MachinePark Park { get; } = MachinePark.Draw(7);

    private readonly string _folder;
    private readonly List<Process> _processes = [];
    private int _starts;

    public World(Schedule schedule, bool tell = false)
    {
        Schedule = schedule;
        Chance = new Random(schedule.Seed);
        Pace = schedule.Pace ?? Harness.Pace.Usual;
        _folder = Path.Combine(TemplateDatabase.Folder, $"simulation-{Guid.NewGuid():N}");
        Directory.CreateDirectory(_folder);
        TemplateDatabase.CopyTo(DatabasePath);

        var opening = Opening + TimeSpan.FromMinutes(Chance.Next(7 * 24 * 60));
        Time = new SimulatedTime(opening);
        Story = new Story(Time, tell);
        var settings = schedule.Market with
        {
            Boot = TimeSpan.FromSeconds(Chance.Next(8, 24)),
            ListLag = TimeSpan.FromSeconds(Chance.Next(4) switch { 0 => 0, 1 => Chance.Next(1, 6), 2 => 2, _ => Chance.Next(0, 30) }),
        };
        Market = new RentalMarket(settings, Park, MarketState.Open("simulated", settings.Credit, opening));
        Hosts = new Hosts(this);
        Faults = new FaultBoard(this);
        Crashes = new CrashBoard(this);
        Watch = new InvariantWatch(this);
        Caps = new CapWatch(this);
    }

    public Schedule Schedule { get; }

    /// <summary>The world's own dice. Everything that is drawn is drawn on the one thread, in the one order.</summary>
    public Random Chance { get; }

    public IOptions<LifecycleOptions> Pace { get; }

    public SimulatedTime Time { get; }

    public Story Story { get; }

    public RentalMarket Market { get; }

    public Hosts Hosts { get; }

    public FaultBoard Faults { get; }

    public CrashBoard Crashes { get; }

    public InvariantWatch Watch { get; }

    public CapWatch Caps { get; }

    /// <summary>How long in all no server was up.</summary>
    public TimeSpan Away { get; private set; }

    public List<Violation> Violations { get; } = [];

    /// <summary>How far the servers' wall clocks are off, the next start's included.</summary>
    public TimeSpan WallClockOff { get; private set; }

    /// <summary>All jumps of the wall clocks so far, without their direction: what the ledger may be off by, once per running machine.</summary>
    public TimeSpan WallClockJumps { get; private set; }

    public string DatabasePath => Path.Combine(_folder, "dashboard.db");

    public string DataPath => Path.Combine(_folder, "data");

    /// <summary>The server that is up last; null while there is none.</summary>
    public Server? Current => _processes.OfType<Server>().LastOrDefault(server => server.Life == Life.Up);

    public DateTimeOffset Now => Time.Now;

    public int ThreadId { get; } = Environment.CurrentManagedThreadId;

    /// <summary>Something of the product went on on a thread of its own: nothing here can be repeated then.</summary>
    public volatile bool LeftItsThread;

    public void Violate(string invariant, string what)
    {
        if (!Violations.Exists(violation => violation.Invariant == invariant && violation.What == what))
        {
            Violations.Add(new Violation(invariant, what));
            Story.Add(Teller.Judge, $"VIOLATED {invariant}: {what}");
        }
    }

    /// <summary>Runs until everything has come to rest, an invariant broke, or the horizon.</summary>
    public Outcome Run()
    {
        Watch.PlantForeign();
        Faults.Lay(Schedule.Faults);
        Schedule.Arrange?.Invoke(this);
        for (var server = 0; server < Schedule.Servers; server++)
        {
            Boot();
        }

        if (Current is { } first)
        {
            Caps.Enter(first);
        }

        foreach (var job in Schedule.Jobs)
        {
            Time.At(job.SubmittedAfter, () => Submit(job));
        }

        foreach (var (after, mode) in Schedule.Cancels)
        {
            Time.At(after, () => Cancel(mode));
        }

        if (Schedule.Flow is not null)
        {
            PassTime();
        }

        while (Violations.Count == 0)
        {
            TurnServers();
            if (Schedule.Flow is null)
            {
                Watch.Look();
            }

            if (LeftItsThread)
            {
                throw new InvalidOperationException("A step went on on another thread: the world cannot be repeated.");
            }

            if (IsAtRest())
            {
                break;
            }

            if (Schedule.Flow is not null && Time.Elapsed > NaiveHorizon.Ticks)
            {
                return new Outcome(Schedule, [], Watch.Figures(), Story); // what it left behind is counted, not judged
            }

            if (Time.NextDue is not { } due || Time.Elapsed > Schedule.Horizon.Ticks)
            {
                Violate("End", $"Nothing comes to rest: {Watch.Unfinished()}.");
                break;
            }

            Time.MoveTo(due);
            AdvanceMarket();
        }

        if (Violations.Count == 0)
        {
            Watch.LookAtTheEnd();
        }

        return new Outcome(Schedule, [.. Violations], Watch.Figures(), Story);
    }

    /// <summary>The process ends at this very point, and another one starts on the same database.</summary>
    public void Crash(Process server, TimeSpan away)
    {
        server.Kill();
        Away += away;
        Time.At(away, Boot);
    }

    /// <summary>The process stands still at this very point; another one starts, and later the first one goes on.</summary>
    public void Freeze(Process server, TimeSpan away, TimeSpan frozen)
    {
        server.Freeze();
        Away += away;
        Time.At(away, Boot);
        Time.At(frozen, () =>
        {
            Story.Add(Teller.Crash, $"{server.Name} goes on where it stood");
            server.Thaw();
        });

        // Whoever was overtaken is ended in the end, or two servers would share one database for ever.
        Time.At(frozen + TimeSpan.FromSeconds(20), server.Kill);
    }

    public void JumpWallClock(TimeSpan by)
    {
        WallClockOff += by;
        WallClockJumps += by.Duration();
        foreach (var server in _processes)
        {
            server.Time.Off += by;
        }

        Story.Add(Teller.Fault, $"the server's clock jumps by {by}");
    }

    /// <summary>A person has the machines of all running jobs stopped and kept so long, or what was to start again stay stopped.</summary>
    public void Keep(TimeSpan time) => WishOfMachines($"keeps every machine, stopped, for {time.TotalSeconds:0} s", (job, machine, now) =>
    {
        if (job is { Status: JobStatus.Running, Cancel: null } && machine.Status is InstanceStatus.Running or InstanceStatus.Parked)
        {
            Parking.Keep(job, machine, now + time);
        }
    });

    /// <summary>A person has every kept machine started again.</summary>
    public void StartAgain() => WishOfMachines("starts every kept machine again", (job, machine, _) =>
    {
        if (job is { ParkUntil: not null, Cancel: null } && machine.Status is InstanceStatus.Running or InstanceStatus.Parked)
        {
            Parking.StartAgain(job, machine);
        }
    });

    public void AdvanceMarket()
    {
        Market.Advance(Now);
        Hosts.Obey();
        Faults.Remember();
    }

    public void Dispose()
    {
        foreach (var server in _processes)
        {
            server.Close();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private void Boot()
    {
        var name = $"server {++_starts}";
        Story.Add(Teller.Crash, $"{name} starts");
        _processes.RemoveAll(server => server.Life == Life.Dead);
        _processes.Add(Schedule.Flow?.Invoke(this, name) ?? new Server(this, name));
    }

    /// <summary>A flow that has given up asks for nothing more, and its machines bill on.</summary>
    private void PassTime() => Time.At(TimeSpan.FromSeconds(10), PassTime);

    private void TurnServers()
    {
        for (var i = 0; i < _processes.Count; i++)
        {
            _processes[i].Turn();
        }
    }

    private bool IsAtRest() => Schedule.Flow is null && Current is not null && Watch.AllJobsEnded && Watch.NothingOfOursLives && Schedule.QuietAfter <= TimeSpan.FromTicks(Time.Elapsed);

    private void Submit(JobPlan plan)
    {
        if (Schedule.Flow is not null)
        {
            return; // a flow knows its jobs
        }

        if (Current is not { } server)
        {
            Time.At(TimeSpan.FromSeconds(1), () => Submit(plan));
            return;
        }

        var now = server.Time.GetUtcNow();
        using var db = server.CreateDbContext();
        var team = db.Teams.Single();
        var job = new Job
        {
            Id = new JobId(Guid.CreateVersion7(now)),
            TeamId = team.Id,
            Number = team.NextJobNumber++,
            ProjectId = TemplateDatabase.Project,
            CreatedBy = new UserId(Guid.Empty),
            Name = "job",
            Tags = [],
            Spec = new TrainingSpec { Preset = Presets.Command, Backend = "command", Command = new CommandSpec("train", []) },
            ConnectionId = TemplateDatabase.Connection,
            Needs = new MachineNeeds([]),
            Order = plan.Order?.Invoke(this),
            Limits = new JobLimits(null, plan.MaxRate is { } most ? HourlyRate.FromUsd(most) : null, plan.Limit ?? Faults.RuntimeLimit) { Bid = Faults.Bids ? new BidPlan() : null },
            Estimate = EstimateOf(plan),
            MayPause = plan.MayPause,
            CreatedAt = now,
            NextStepAt = now,
        };
        using var transaction = db.Database.BeginTransaction();
        if (job.Limits.MaxRate is { } rate && !Caps.Admits(db, job, rate, now))
        {
            return;
        }

        db.Jobs.Add(job);
        Hosts.Programs[job.Id] = plan.Runs;
        db.SaveChanges();
        transaction.Commit();
        Watch.Submitted(job);
        server.Wake();
    }

    /// <summary>The upper end leaves time for a boot, a server that is away, and a bad machine.</summary>
    private static CostEstimate? EstimateOf(JobPlan plan)
    {
        if (plan.MaxRate is not { } rate)
        {
            return null;
        }

        var high = HourlyRate.FromUsd(rate).For(plan.Runs + TimeSpan.FromMinutes(5));
        return new CostEstimate(high, high, high, plan.Runs + TimeSpan.FromMinutes(2));
    }

    private void Cancel(CancelMode mode) => Wish($"stops every job ({mode})", (db, now) =>
    {
        Watch.CancelledByPerson();
        db.Jobs.Where(j => j.Cancel == null).ExecuteUpdate(set => set.SetProperty(j => j.Cancel, mode).SetProperty(j => j.NextStepAt, now));
    });

    private void WishOfMachines(string what, Action<Job, Instance, DateTimeOffset> wish) => Wish(what, (db, now) =>
    {
        foreach (var machine in db.Instances.AsTracking().ToList())
        {
            wish(db.Jobs.AsTracking().Single(j => j.Id == machine.JobId), machine, now);
        }

        db.SaveChanges();
    });

    /// <summary>What a person asks for is written down as the pages do it, once a server is there to ask.</summary>
    private void Wish(string what, Action<AppDbContext, DateTimeOffset> write)
    {
        if (Schedule.Flow is not null)
        {
            return;
        }

        if (Current is not { } server)
        {
            Time.At(TimeSpan.FromSeconds(1), () => Wish(what, write));
            return;
        }

        Story.Add(Teller.Person, what);
        var now = server.Time.GetUtcNow();
        using var db = server.CreateDbContext();
        write(db, now);
        db.Instances.Where(i => i.NextStepAt != null).ExecuteUpdate(set => set.SetProperty(i => i.NextStepAt, now));
        server.Wake();
    }
}

/// <summary>What an invariant says was broken.</summary>
internal sealed record Violation(string Invariant, string What);

/// <summary>How a world ended.</summary>
internal sealed record Outcome(Schedule Schedule, IReadOnlyList<Violation> Violations, Figures Figures, Story Story);
