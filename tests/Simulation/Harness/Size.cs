namespace Dashboard.Simulation.Harness;

/// <summary>How much is run: what fits into every build, or what is published.</summary>
internal static class Size
{
    public static bool Full => Environment.GetEnvironmentVariable("DASHBOARD_TEST_SIZE") == "full";

    /// <summary>CI takes every so-many-th pair; a prime, so that over the tables every crash point and every fault has its turn.</summary>
    public static int PairsEvery => Full ? 1 : 7;

    public static int RandomSchedules => Full ? 20_000 : 2_000;

    public static int LedgerJobs => 1_000;
}
