using Dashboard.Domain.Jobs;
using Dashboard.Simulation.Budgets;
using Dashboard.Simulation.Crashes;
using Dashboard.Simulation.Faults;

namespace Dashboard.Simulation.Harness;

/// <summary>The schedules that are run: every crash with every fault, and any mixture by chance.</summary>
internal static class Schedules
{
    private static readonly string[] Outages = ["destroy: answer lost", "destroy: 503, four times", "destroy: 401, twice", "destroy lies", "destroy lags", "destroy lags, four minutes"];

    /// <summary>Crash points and faults by their index in the tables.</summary>
    public static Schedule Pair(int point, int fault)
    {
        var crash = CrashPoints.All[point];
        return new Schedule($"pair/{point + 1}/{fault + 1}", (point * 1009) + fault)
        {
            Faults = With(FaultTable.All[fault], CrashPoints.LureOf(crash)),
            Crashes = [new CrashPlan(crash, 1)],
        };
    }

    public static IEnumerable<Schedule> AllPairs() =>
        from point in Enumerable.Range(0, CrashPoints.All.Count)
        from fault in Enumerable.Range(0, FaultTable.All.Count)
        select Pair(point, fault);

    /// <summary>Long enough that what a machine uses is posted while it runs.</summary>
    public static Schedule OnlyCrash(int point) => new($"crash/{point + 1}", point)
    {
        Jobs = [new JobPlan { Runs = TimeSpan.FromMinutes(3) }],
        Faults = With(null, CrashPoints.LureOf(CrashPoints.All[point])),
        Crashes = [new CrashPlan(CrashPoints.All[point], 1)],
    };

    public static Schedule OnlyFault(int fault) => new($"fault/{fault + 1}", fault) { Faults = [FaultTable.All[fault]] };

    /// <summary>One or two jobs, up to three faults, up to three crashes or a frozen server, now and then a person who stops it all.</summary>
    public static Schedule Random(int seed)
    {
        var chance = new Random(seed);
        var faults = Enumerable.Range(0, chance.Next(4)).Select(_ => FaultTable.All[chance.Next(FaultTable.All.Count)]).Distinct().ToList();
        var crashes = Enumerable.Range(0, chance.Next(4)).Select(_ => Crash(chance)).ToList();
        return new Schedule($"random/{seed}", seed)
        {
            Jobs = chance.Next(4) == 0
                ? [new JobPlan(), new JobPlan { SubmittedAfter = TimeSpan.FromSeconds(chance.Next(60)) }]
                : [new JobPlan { Runs = TimeSpan.FromSeconds(chance.Next(5, 60)) }],
            Faults = faults,
            Crashes = crashes,
            Cancels = chance.Next(8) == 0 ? [(TimeSpan.FromSeconds(chance.Next(2, 90)), chance.Next(2) == 0 ? CancelMode.DestroyNow : CancelMode.SaveThenDestroy)] : [],
        };
    }

    /// <summary>Every other sequence.</summary>
    public static bool HasOutage(int seed) => seed % 2 == 1;

    /// <summary>Two to five jobs at once under two limits that not all of them fit, up to two crashes, and half the time machines that cannot be destroyed for a while.</summary>
    public static Schedule Spending(int seed)
    {
        var chance = new Random(seed);
        return new Schedule($"spending/{seed}", seed)
        {
            Caps = [new Cap(Dollars(chance, 5, 40)), new Cap(Dollars(chance, 5, 30), OnProject: true)],
            Jobs = [.. Enumerable.Range(0, chance.Next(2, 6)).Select(_ => new JobPlan
            {
                SubmittedAfter = TimeSpan.FromSeconds(chance.Next(400)),
                Runs = TimeSpan.FromSeconds(chance.Next(20, 700)),
                MaxRate = 0.6m,
                MayPause = chance.Next(3) > 0,
            })],
            Crashes = [.. Enumerable.Range(0, chance.Next(3)).Select(_ => new CrashPlan(CrashPoints.All[chance.Next(CrashPoints.All.Count)], chance.Next(1, 6)) { Away = TimeSpan.FromSeconds(chance.Next(1, 20)) })],
            Faults = HasOutage(seed) ? [FaultTable.Named(Outages[chance.Next(Outages.Length)])] : [],
        };
    }

    private static decimal Dollars(Random chance, int least, int most) => chance.Next(least, most) / 100m;

    internal static CrashPlan Crash(Random chance)
    {
        if (chance.Next(5) == 0)
        {
            var call = CrashPoints.Calls[chance.Next(CrashPoints.Calls.Count)];
            return new CrashPlan(call, chance.Next(1, 4)) { Away = TimeSpan.FromSeconds(chance.Next(1, 20)), Frozen = TimeSpan.FromSeconds(chance.Next(5, 150)) };
        }

        var point = CrashPoints.All[chance.Next(CrashPoints.All.Count)];
        return new CrashPlan(point, chance.Next(1, 4)) { Away = TimeSpan.FromSeconds(chance.Next(20) == 0 ? 240 : chance.Next(1, 20)) };
    }

    private static Fault[] With(Fault? fault, Fault? lure) => [.. new[] { fault, lure }.OfType<Fault>().Distinct()];
}
