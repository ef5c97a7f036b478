namespace Dashboard.EndToEnd.Harness;

/// <summary>How much a suite does: the size of CI, or the published one with <c>DASHBOARD_TEST_SIZE=full</c>.</summary>
internal static class TestSize
{
    public static bool IsFull => Environment.GetEnvironmentVariable("DASHBOARD_TEST_SIZE") == "full";

    /// <summary>Steps of a smoke run that is to last a while.</summary>
    public static int LongSteps => IsFull ? 900 : 240;
}
