using System.Globalization;

namespace Dashboard.EndToEnd.Harness;

/// <summary>How much else this computer has to do: a figure in seconds says little where many programs wait for each processor.</summary>
internal static class Crowd
{
    private const int ManyAProcessor = 4;

    /// <summary>Programs that ran or wanted to, over the last minute.</summary>
    public static double Load => double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);

    public static bool IsThere => Load > ManyAProcessor * Environment.ProcessorCount;
}
