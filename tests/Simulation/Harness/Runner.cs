using System.Collections.Concurrent;
using System.Diagnostics;
using Dashboard.Simulation.Invariants;
using Dashboard.Simulation.Stories;

namespace Dashboard.Simulation.Harness;

/// <summary>What many worlds came to together.</summary>
/// <param name="Failed">The first world of each that broke an invariant, told from the beginning.</param>
internal sealed record Tally(int Worlds, Figures Figures, IReadOnlyList<Outcome> Failed, IReadOnlySet<string> PointsPassed, IReadOnlySet<string> FaultsStruck, TimeSpan Took)
{
    /// <summary>Processor time of a schedule, s.</summary>
    public double Cpu { get; init; }

    /// <summary>For a test's message: the figures, and the story of the first failures.</summary>
    public string Words()
    {
        const int stories = 2;
        var told = Failed.Take(stories).Select(outcome => $"\n--- {outcome.Schedule.Name}: {outcome.Violations[0].Invariant}, {outcome.Violations[0].What}\n{Replay.HowTo(outcome.Schedule.Name)}\n{outcome.Story}");
        var others = Failed.Skip(stories).Select(outcome => $"\n--- {outcome.Schedule.Name}: {outcome.Violations[0].Invariant}, {outcome.Violations[0].What}");
        return $"{Failed.Count} of {Worlds} schedules broke an invariant.{string.Concat(told)}{string.Concat(others)}";
    }
}

/// <summary>Runs worlds side by side, each on one thread from its beginning to its end.</summary>
internal static class Runner
{
    private const int MostFailures = 20;

    public static Tally Run(IReadOnlyList<Schedule> schedules)
    {
        var watch = Stopwatch.StartNew();
        var before = Environment.CpuUsage.TotalTime;
        var next = -1;
        var outcomes = new ConcurrentBag<Outcome>();
        var passed = new ConcurrentDictionary<string, bool>();
        var struck = new ConcurrentDictionary<string, bool>();
        var failures = 0;
        OnThreads(Environment.ProcessorCount, () =>
        {
            while ((failures < MostFailures || Findings.AreKept) && Interlocked.Increment(ref next) is var index && index < schedules.Count)
            {
                var outcome = One(schedules[index], tell: false, passed, struck);
                if (outcome.Violations.Count > 0)
                {
                    Interlocked.Increment(ref failures);
                }

                Findings.Note(outcome);
                outcomes.Add(outcome);
            }
        });

        var failed = outcomes.Where(outcome => outcome.Violations.Count > 0).OrderBy(outcome => outcome.Schedule.Name, StringComparer.Ordinal).ToList();
        IReadOnlyList<Outcome> told = [];
        if (failed.Count > 0)
        {
            // The same once more, told this time.
            OnThreads(1, () => told = [.. failed.Select((outcome, index) => index < 2 ? One(outcome.Schedule, tell: true) : outcome)]);
        }

        return new Tally(
            outcomes.Count,
            outcomes.Aggregate(Figures.None, (sum, outcome) => sum + outcome.Figures),
            told,
            passed.Keys.ToHashSet(),
            struck.Keys.ToHashSet(),
            watch.Elapsed)
        {
            Cpu = (Environment.CpuUsage.TotalTime - before).TotalSeconds / Math.Max(1, outcomes.Count),
        };
    }

    public static Outcome Tell(Schedule schedule)
    {
        Outcome? outcome = null;
        OnThreads(1, () => outcome = One(schedule, tell: true));
        return outcome!;
    }

    private static Outcome One(Schedule schedule, bool tell, ConcurrentDictionary<string, bool>? passed = null, ConcurrentDictionary<string, bool>? struck = null)
    {
        using var world = new World(schedule, tell);
        var outcome = world.Run();
        foreach (var point in world.Crashes.Passed)
        {
            passed?.TryAdd(point, true);
        }

        foreach (var fault in world.Faults.Struck)
        {
            struck?.TryAdd(fault, true);
        }

        return outcome;
    }

    /// <summary>Threads of their own: a test's synchronization context would send continuations elsewhere.</summary>
    private static void OnThreads(int count, Action work)
    {
        var faults = new ConcurrentQueue<Exception>();
        var threads = Enumerable.Range(0, count).Select(_ => new Thread(() =>
        {
            try
            {
                work();
            }
            catch (Exception fault)
            {
                faults.Enqueue(fault);
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        if (faults.TryDequeue(out var first))
        {
            throw new InvalidOperationException(first.Message, first);
        }
    }
}
