using Dashboard.Simulation.Harness;
using Dashboard.Simulation.Stories;

namespace Dashboard.Simulation.Crashes;

/// <summary>One crash of a schedule.</summary>
/// <param name="Nth">At which time a server comes by the point, from 1.</param>
internal sealed record CrashPlan(CrashPoint Point, int Nth)
{
    /// <summary>From the end of the one process to the start of the next.</summary>
    public TimeSpan Away { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Set: it is not killed but stands still for so long, while another server works.</summary>
    public TimeSpan? Frozen { get; init; }
}

/// <summary>Knows which crashes are still to come, and lets servers pass or not.</summary>
internal sealed class CrashBoard(World world)
{
    private readonly List<CrashPlan> _planned = [.. world.Schedule.Crashes];
    private readonly Dictionary<string, int> _passed = [];

    /// <summary>Crashes that happened.</summary>
    public int Happened { get; private set; }

    /// <summary>Points that a server came by at least once.</summary>
    public IReadOnlyCollection<string> Passed => _passed.Keys;

    /// <summary>Returns at once, or never, or when the server goes on.</summary>
    public Task PassAsync(Process server, string point)
    {
        if (server.Life != Life.Up)
        {
            return server.UpAsync();
        }

        var count = _passed[point] = _passed.GetValueOrDefault(point) + 1;
        if (_planned.Find(plan => plan.Point.Name == point && plan.Nth == count) is not { } crash)
        {
            return Task.CompletedTask;
        }

        _planned.Remove(crash);
        Happened++;
        if (crash.Frozen is { } frozen)
        {
            world.Story.Add(Teller.Crash, $"{server.Name} stands still {point}, for {frozen.TotalSeconds:0} s");
            world.Freeze(server, crash.Away, frozen);
        }
        else
        {
            world.Story.Add(Teller.Crash, $"{server.Name} is killed {point}");
            world.Crash(server, crash.Away);
        }

        return server.UpAsync();
    }
}
