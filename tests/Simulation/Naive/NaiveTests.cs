using Dashboard.Simulation.Crashes;
using Dashboard.Simulation.Faults;
using Dashboard.Simulation.Harness;
using Dashboard.Simulation.Invariants;

namespace Dashboard.Simulation.Naive;

/// <summary>The usual way of renting beside ours, under the same faults and the same crashes.</summary>
public sealed class NaiveTests(ITestOutputHelper output)
{
    private static readonly string[] Kinds = ["rent:", "offer", "provider out", "destroy", "stuck", "container cannot", "host goes away", "listed"];

    [Fact]
    public void The_usual_flow_leaves_machines_behind_and_ours_does_not()
    {
        var schedules = Mixture();
        var forgetful = Run("rent, remember in memory, give up on error", [.. schedules.Select(schedule => schedule with { Flow = NaiveFlow.Forgetful() })]);
        var careful = Run("id on disk, destroying given up after 15 min", [.. schedules.Select(schedule => schedule with { Flow = NaiveFlow.Careful() })]);

        var ours = Run("ours", schedules);

        Assert.Equal((0, 0m), (ours.LeftBehind, ours.LeakPerDay));
        Assert.True(forgetful.LeftBehind > 0 && forgetful.LeakPerDay > 0, "the forgetful flow leaks");
        Assert.True(careful.LeftBehind > 0 && careful.LeakPerDay > 0, "the careful flow leaks");
    }

    private Figures Run(string flow, IReadOnlyList<Schedule> schedules)
    {
        var tally = Runner.Run(schedules);
        var f = tally.Figures;
        Printed.Line(output, $"{flow,-48} {tally.Worlds,4} schedules {f.Machines,4} machines {f.LeftBehind,4} left behind ${f.LeakPerDay,8:0.00} a day");
        Assert.True(tally.Failed.Count == 0, tally.Words());
        return f;
    }

    /// <summary>The faults of renting, booting and destroying, each without a crash, with one after the rent and with one after the destroy.</summary>
    private static List<Schedule> Mixture() =>
    [
        .. from fault in FaultTable.All.Where(fault => Kinds.Any(kind => fault.Name.StartsWith(kind, StringComparison.Ordinal)))
           from crash in new[] { null, "after rent", "after destroy" }
           select new Schedule($"{fault.Name}, crash {crash ?? "none"}", fault.Name.Length)
           {
               Faults = [fault],
               Crashes = crash is null ? [] : [new CrashPlan(CrashPoints.Named(crash), 1)],
           },
    ];
}
