using System.Globalization;

namespace Dashboard.Web.Features.Jobs;

/// <summary>Words of a job's life that more than one of its views says.</summary>
public static class JobWords
{
    /// <summary>Seconds a step: <c>8.3 s</c>, below a second <c>45 ms</c>.</summary>
    public static string StepTime(double seconds) => seconds < 1
        ? (seconds * 1000).ToString("0", CultureInfo.InvariantCulture) + " ms"
        : seconds.ToString("0.0", CultureInfo.InvariantCulture) + " s";
}
