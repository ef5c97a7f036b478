using Dashboard.Simulation.Crashes;
using Dashboard.Simulation.Faults;
using Dashboard.Simulation.Harness;
using Dashboard.Simulation.Stories;

namespace Dashboard.Simulation;

public sealed class SmokeTests(ITestOutputHelper output)
{
    [Fact]
    public void Faults() => Run([.. Enumerable.Range(0, FaultTable.All.Count).Select(Schedules.OnlyFault)]);

    [Fact]
    public void Crashes() => Run([.. Enumerable.Range(0, CrashPoints.All.Count).Select(Schedules.OnlyCrash)]);

    [Fact]
    public void Randoms() => Run([.. Enumerable.Range(int.Parse(Environment.GetEnvironmentVariable("FROM") ?? "0"), int.Parse(Environment.GetEnvironmentVariable("N") ?? "100")).Select(Schedules.Random)]);

    [Fact]
    public void Pairs() => Run([.. Schedules.AllPairs().Where((_, i) => i % 37 == int.Parse(Environment.GetEnvironmentVariable("FROM") ?? "0"))]);

    private void Run(IReadOnlyList<Schedule> schedules)
    {
        var tally = Runner.Run(schedules);
        output.WriteLine($"{tally.Worlds} {tally.Figures} {tally.Took} cpu {Environment.CpuUsage.TotalTime}");
        output.WriteLine("points missed: " + string.Join("; ", CrashPoints.All.Select(p => p.Name).Except(tally.PointsPassed)));
        Assert.True(tally.Failed.Count == 0, tally.Words());
    }

    [Fact]
    public void Replayed()
    {
        if (Replay.Asked is { } name)
        {
            var outcome = Runner.Tell(Replay.Read(name));
            output.WriteLine(outcome.Story.ToString());
            output.WriteLine(outcome.Figures.ToString());
        }
    }
}
