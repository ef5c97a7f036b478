using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Sandbox.Market;
using Dashboard.Simulation.Budgets;
using Dashboard.Simulation.Crashes;
using Dashboard.Simulation.Faults;
using Dashboard.Simulation.Guards;
using Microsoft.Extensions.Options;

namespace Dashboard.Simulation.Harness;

/// <summary>Everything that decides a world. The same schedule gives the same world.</summary>
/// <param name="Name">What replays it, see <see cref="Stories.Replay"/>.</param>
internal sealed record Schedule(string Name, int Seed)
{
    public IReadOnlyList<JobPlan> Jobs { get; init; } = [new JobPlan()];

    public IReadOnlyList<Fault> Faults { get; init; } = [];

    public IReadOnlyList<CrashPlan> Crashes { get; init; } = [];

    /// <summary>When a person stops all jobs, and how.</summary>
    public IReadOnlyList<(TimeSpan After, CancelMode Mode)> Cancels { get; init; } = [];

    /// <summary>Limits that its jobs are under.</summary>
    public IReadOnlyList<Cap> Caps { get; init; } = [];

    public Mutant Mutant { get; init; }

    public MarketSettings Market { get; init; } = new() { KeyDelay = TimeSpan.FromSeconds(1), SshDelay = TimeSpan.FromSeconds(0.5), Credit = 100_000, MaxInstances = 1000 };

    public IOptions<LifecycleOptions>? Pace { get; init; }

    /// <summary>Another way of renting than the product's, see <c>Naive</c>; null is the product.</summary>
    public Func<World, string, Process>? Flow { get; init; }

    /// <summary>Servers that work on the one database, side by side.</summary>
    public int Servers { get; init; } = 1;

    /// <summary>What happens in the market besides, and who watches; called once, before anything else.</summary>
    public Action<World>? Arrange { get; init; }

    /// <summary>By then everything has to be at rest.</summary>
    public TimeSpan Horizon { get; init; } = TimeSpan.FromHours(2);

    /// <summary>The world goes on at least so long, for what comes late.</summary>
    public TimeSpan QuietAfter { get; init; }
}

/// <summary>One job of a schedule.</summary>
internal sealed record JobPlan
{
    public TimeSpan SubmittedAfter { get; init; }

    /// <summary>How long its program runs.</summary>
    public TimeSpan Runs { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Limit of its runtime; the program is asked to save and stop then.</summary>
    public TimeSpan? Limit { get; init; }

    /// <summary>What it waits for before it starts; asked as it is submitted.</summary>
    public Func<World, PriceOrder>? Order { get; init; }

    /// <summary>The most a machine may cost, USD an hour. Set: the job has an estimate by it, and has to fit the limits.</summary>
    public decimal? MaxRate { get; init; }

    /// <summary>Begun although it may not fit, to be paused when the money ends.</summary>
    public bool MayPause { get; init; }
}
