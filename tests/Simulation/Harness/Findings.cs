using Dashboard.Simulation.Guards;

namespace Dashboard.Simulation.Harness;

/// <summary>Where long runs note what they found, one line a schedule, as they find it: a run that is cut short has lost none.</summary>
internal static class Findings
{
    private static readonly Lock Writing = new();

    private static readonly string? Target = Environment.GetEnvironmentVariable("DASHBOARD_FINDINGS") is { Length: > 0 } file ? file : null;

    /// <summary>Then a run goes on after its first failures.</summary>
    public static bool AreKept => Target is not null;

    /// <summary>What was broken on purpose, or belongs to another flow, is none.</summary>
    public static void Note(Outcome outcome)
    {
        if (Target is null || outcome.Violations.Count == 0 || outcome.Schedule.Mutant != Mutant.None || outcome.Schedule.Flow is not null)
        {
            return;
        }

        lock (Writing)
        {
            File.AppendAllText(Target, $"{outcome.Schedule.Name}: {outcome.Violations[0].Invariant}, {outcome.Violations[0].What}\n");
        }
    }
}
