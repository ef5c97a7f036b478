using Dashboard.Simulation.Crashes;
using Dashboard.Simulation.Faults;
using Dashboard.Simulation.Harness;
using Dashboard.Simulation.Stories;

namespace Dashboard.Simulation;

/// <summary>Whatever fails outside and wherever the server dies: no machine is left behind, none is rented twice, nothing of others is touched, the bill is right.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_crash_point_with_every_fault_keeps_the_promises()
    {
        var pairs = Size.MyPart(Schedules.AllPairs().Where((_, index) => index % Size.PairsEvery == 0));

        var tally = Runner.Run(pairs);

        Printed.Line(output, $"pairs: {tally.Worlds} of {CrashPoints.All.Count} crash points x {FaultTable.All.Count} faults; {Words(tally)}");
        Assert.True(tally.Failed.Count == 0, tally.Words());
    }

    [Fact]
    public void Random_schedules_keep_the_promises()
    {
        var tally = Runner.Run(Size.MyPart(Enumerable.Range(1, Size.RandomSchedules).Select(Schedules.Random)));

        Printed.Line(output, $"random schedules: {tally.Worlds}; {Words(tally)}");
        Assert.True(tally.Failed.Count == 0, tally.Words());
    }

    /// <summary>A table that grows must not grow lines that nothing comes by.</summary>
    [Fact]
    public void Every_crash_point_is_where_servers_come_by()
    {
        var each = Enumerable.Range(0, CrashPoints.All.Count).Select(point => (CrashPoints.All[point].Name, Tally: Runner.Run([Schedules.OnlyCrash(point)]))).ToList();

        Assert.All(each, run => Assert.True(run.Tally.Failed.Count == 0, run.Tally.Words()));
        Assert.Empty(each.Where(run => run.Tally.Figures.Crashes == 0).Select(run => run.Name));
    }

    [Fact]
    public void The_same_schedule_gives_the_same_world()
    {
        foreach (var seed in new[] { 3, 20, 41 })
        {
            var first = Runner.Tell(Schedules.Random(seed)).Story.ToString();

            Assert.Equal(Comparable(first), Comparable(Runner.Tell(Schedules.Random(seed)).Story.ToString()));
        }
    }

    /// <summary>Tells one schedule, named in the environment: see the message of a test that failed.</summary>
    [Fact]
    public void A_named_schedule_is_told_again()
    {
        var outcome = Runner.Tell(Replay.Read(Replay.Asked ?? "crash/4"));

        output.WriteLine(outcome.Story.ToString());
        Assert.True(outcome.Violations.Count == 0, $"{string.Join('\n', outcome.Violations)}\n{outcome.Story}");
        Assert.Contains("server 2 starts", Runner.Tell(Replay.Read("crash/4")).Story.ToString(), StringComparison.Ordinal);
    }

    private static FormattableString Words(Tally tally) =>
        $"{tally.Failed.Count} violations, {tally.Figures.Orphans} orphans, {tally.Figures.Crashes} crashes, {tally.Figures.Jobs} jobs, {tally.Figures.Rents} rent calls for {tally.Figures.Machines} machines, at most {tally.Figures.MostRentsOfOneRow} a row; {tally.Took.TotalSeconds:0} s, {tally.Worlds / tally.Took.TotalMinutes:0} a minute, {tally.Cpu:0.00} CPU s each";

    /// <summary>Ids and labels are made at random; what happens is not.</summary>
    private static string Comparable(string story) =>
        System.Text.RegularExpressions.Regex.Replace(story, "gd1-[0-9a-z-]{44}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "*");
}
