using System.Globalization;

namespace Dashboard.EndToEnd.Harness;

/// <summary>How much a suite does: the size of CI, or the published one with <c>DASHBOARD_TEST_SIZE=full</c>.</summary>
internal static class TestSize
{
    public static bool IsFull => Environment.GetEnvironmentVariable("DASHBOARD_TEST_SIZE") == "full";

    /// <summary>Steps of a smoke run that is to last a while.</summary>
    public static int LongSteps => IsFull ? 900 : 240;

    /// <summary>How often the server is killed: <c>./test chaos --kills N</c>, 8 in CI's size, 500 in the published one.</summary>
    public static int Kills => int.TryParse(Environment.GetEnvironmentVariable("DASHBOARD_TEST_KILLS"), NumberStyles.None, CultureInfo.InvariantCulture, out var kills) && kills > 0 ? kills : IsFull ? 500 : 8;

    /// <summary>Draws every random moment and fault of a suite; printed with its figures, so that a failing run can be drawn again.</summary>
    public static int Seed => int.TryParse(Environment.GetEnvironmentVariable("DASHBOARD_TEST_SEED"), NumberStyles.None, CultureInfo.InvariantCulture, out var seed) ? seed : 20_261_123;
}
