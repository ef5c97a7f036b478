using System.Globalization;

namespace Dashboard.Domain.Tests;

/// <summary>Figures for people: in the test's output, and where <c>./test</c> picks them up.</summary>
internal static class Printed
{
    private static readonly Lock Writing = new();

    public static void Line(ITestOutputHelper output, FormattableString text)
    {
        var line = text.ToString(CultureInfo.InvariantCulture);
        output.WriteLine(line);
        if (Environment.GetEnvironmentVariable("DASHBOARD_FIGURES") is { Length: > 0 } file)
        {
            lock (Writing)
            {
                File.AppendAllText(file, line + "\n");
            }
        }
    }
}
