using System.Globalization;
using Dashboard.Simulation.Crashes;
using Dashboard.Simulation.Faults;

namespace Dashboard.Simulation.Harness;

/// <summary>How much is run: what fits into every build; what is published (<c>full</c>); or, while one works on it, a number of schedules.</summary>
internal static class Size
{
    private static readonly string? Asked = Environment.GetEnvironmentVariable("DASHBOARD_TEST_SIZE");
    private static readonly int? Few = Number(Asked);

    public static bool Full => Asked == "full";

    /// <summary>Every so-many-th pair; a prime, so that over the tables every crash point and every fault has its turn.</summary>
    public static int PairsEvery => Full ? 1 : Few is { } few ? Math.Max(1, CrashPoints.All.Count * FaultTable.All.Count / few) : 29;

    public static int RandomSchedules => Full ? 20_000 : Few ?? 300;

    public static int PriceSeries => Full ? 1_000 : Few ?? 20;

    public static int SpendingSequences => Full ? 10_000 : Few ?? 24;

    public static int LedgerJobs => Full ? 1_000 : 200;

    /// <summary>What falls to this run where a long list is run in parts: <c>DASHBOARD_TEST_PART=3/60</c> is every sixtieth from the third on.</summary>
    /// <exception cref="FormatException">It names no part.</exception>
    public static IReadOnlyList<T> MyPart<T>(IEnumerable<T> all)
    {
        if (Environment.GetEnvironmentVariable("DASHBOARD_TEST_PART") is not { Length: > 0 } asked)
        {
            return [.. all];
        }

        return asked.Split('/') is [var part, var parts] && Number(part) is { } mine && Number(parts) is { } of && mine <= of
            ? [.. all.Where((_, index) => index % of == mine - 1)]
            : throw new FormatException($"\"{asked}\" is no part: 1/60 is the first of sixty.");
    }

    private static int? Number(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : null;
}
