using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Sandbox.Market;
using Dashboard.Simulation.Crashes;
using Dashboard.Simulation.Faults;
using Dashboard.Simulation.Harness;
using Microsoft.Extensions.Options;

namespace Dashboard.Simulation.Orders;

/// <summary>One job that waits for its price, two servers on one database, prices that go up and down by chance, and up to three crashes or frozen servers.</summary>
internal static class OrderWorlds
{
    /// <summary>Prices move for so long; then everything is cheap, and whoever still waits finds its price.</summary>
    public static readonly TimeSpan Series = TimeSpan.FromMinutes(30);

    public static readonly IOptions<LifecycleOptions> Pace = Options.Create(new LifecycleOptions
    {
        QuietInterval = TimeSpan.FromSeconds(30),
        MovingInterval = TimeSpan.FromSeconds(10),
        BootingInterval = TimeSpan.FromSeconds(10),
        WatchInterval = TimeSpan.FromSeconds(30),
        LongestSleep = TimeSpan.FromSeconds(60),
        CrossCheck = TimeSpan.FromSeconds(2),
        IdleInterval = TimeSpan.FromMinutes(5),
    });

    private static readonly CrashPoint[] Waiting =
    [
        new(0, "before commit: job WaitingForPrice", null), new(0, "after commit: job WaitingForPrice", null), CrashPoints.Named("before search"), CrashPoints.Named("after search"),
        CrashPoints.Named("before claim of a job"), CrashPoints.Named("after claim of a job"), CrashPoints.Named("before commit: instance Intent"), CrashPoints.Named("after commit: instance Intent"),
    ];

    public static Schedule Of(int seed)
    {
        var chance = new Random(seed);
        var (share, goodFor, then) = (0.75m + ((decimal)chance.NextDouble() * 0.45m), TimeSpan.FromMinutes(chance.Next(4, 33)), (OrderEnding)chance.Next(3));
        var crashes = Enumerable.Range(0, chance.Next(4)).Select(_ => Crash(chance)).ToList();
        return new Schedule($"order/{seed}", seed)
        {
            Servers = 2,
            Pace = Pace,
            Crashes = crashes,
            Faults = chance.Next(3) == 0 ? [FaultTable.Named("price jumps before the rent")] : [],
            Jobs = [new JobPlan { Order = world => new PriceOrder(Limit(world, share), world.Now + goodFor, then) }],
            Arrange = world => new PriceSeriesJudge(world, new Random(seed)).Begin(),
        };
    }

    /// <summary>A share of what the cheapest machine costs at the beginning.</summary>
    private static HourlyRate Limit(World world, decimal share) => HourlyRate.FromUsd(PriceSeriesJudge.Fitting(world, null)[0].Rate.Usd * share);

    private static CrashPlan Crash(Random chance) => chance.Next(2) == 0
        ? Schedules.Crash(chance)
        : new CrashPlan(Waiting[chance.Next(Waiting.Length)], chance.Next(1, 12)) { Away = TimeSpan.FromSeconds(chance.Next(1, 20)) };
}
