using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Simulation.Crashes;
using Dashboard.Simulation.Faults;
using Dashboard.Simulation.Guards;
using Dashboard.Simulation.Harness;
using Microsoft.Extensions.Options;

namespace Dashboard.Simulation.Ledger;

/// <summary>
/// A thousand jobs of some minutes, with outages and crashes, against the provider's own bill, in dollars as if each were a
/// thousand times as dear. Each machine is judged by itself (see <c>LedgerCheck</c>), and all of them together.
/// </summary>
public sealed class LedgerTests(ITestOutputHelper output)
{
    private const int JobsOfAWorld = 10;
    private const decimal Factor = 1000m;
    private const decimal MostError = 0.005m;

    private static readonly string[] Outages =
    [
        "listing answered with a web page", "provider out for two minutes", "reads answered with 429", "host without heartbeat", "session cut", "destroy: answer lost", "listing lacks a row", "destroy lags",
    ];

    private static readonly IOptions<LifecycleOptions> Pace = Options.Create(new LifecycleOptions
    {
        QuietInterval = TimeSpan.FromSeconds(15),
        MovingInterval = TimeSpan.FromSeconds(10),
        BootingInterval = TimeSpan.FromSeconds(10),
        WatchInterval = TimeSpan.FromSeconds(60),
        LongestSleep = TimeSpan.FromSeconds(30),
        MeterEvery = TimeSpan.FromMinutes(2),
        CrossCheck = TimeSpan.FromSeconds(2),
    });

    [Fact]
    public void A_thousand_jobs_with_outages_cost_what_the_provider_says()
    {
        var tally = Runner.Run(Worlds(Size.LedgerJobs / JobsOfAWorld, Mutant.None));

        var f = tally.Figures;
        var off = f.Error / f.Billed;
        Printed.Line(output, $"ledger: {f.Jobs} jobs, {f.Machines} machines, billed ${f.Billed * Factor:0.00}, posted ${f.Posted * Factor:0.00}, per machine off ${f.Error * Factor:0.00} in all ({off:0.000%}); {tally.Took.TotalSeconds:0} s");
        Assert.True(tally.Failed.Count == 0, tally.Words());
        Assert.Equal(Size.LedgerJobs, f.Jobs);
        Assert.True(off <= MostError, $"{off:P3} off");
    }

    [Fact]
    public void A_dropped_interval_is_noticed()
    {
        var tally = Runner.Run(Worlds(2, Mutant.DropsIntervals));

        Assert.NotEmpty(tally.Failed);
        Assert.All(tally.Failed, outcome => Assert.Equal("I5", outcome.Violations[0].Invariant));
    }

    private static List<Schedule> Worlds(int count, Mutant mutant) => [.. Enumerable.Range(0, count).Select(seed =>
    {
        var chance = new Random(seed);
        return new Schedule($"ledger/{seed}", seed)
        {
            Mutant = mutant,
            Pace = Pace,
            Faults = [FaultTable.Named(Outages[seed % Outages.Length])],
            Crashes = [new CrashPlan(CrashPoints.All[chance.Next(CrashPoints.All.Count)], chance.Next(1, 8))],
            Jobs = [.. Enumerable.Range(0, JobsOfAWorld).Select(_ => new JobPlan { SubmittedAfter = TimeSpan.FromSeconds(chance.Next(120)), Runs = TimeSpan.FromSeconds(chance.Next(300, 900)) })],
        };
    })];
}
