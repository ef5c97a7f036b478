using System.Globalization;

namespace Dashboard.Web.Components;

/// <summary>Round ends and labels for an axis of dollars.</summary>
internal static class AxisScale
{
    private static readonly decimal[] Quarters = [1m, 1.5m, 2m, 2.5m, 3m, 4m, 5m, 6m, 8m];

    /// <summary>An end that holds the highest value, four times a round quarter.</summary>
    public static decimal Above(decimal highest)
    {
        for (var power = 0.0001m; ; power *= 10)
        {
            foreach (var quarter in Quarters)
            {
                if (4 * quarter * power >= highest)
                {
                    return 4 * quarter * power;
                }
            }
        }
    }

    /// <summary>Room left of the axis for its longest label, in the drawing's units: 7 a character of 12 px, and a gap.</summary>
    public static int Room(decimal top) => Math.Max(44, 7 * Label(top, top).Length + 12);

    /// <summary>As many decimals as the quarters of this axis need; cents come in twos.</summary>
    public static string Label(decimal usd, decimal top)
    {
        var decimals = (top / 4 / 1.0000000000m).Scale is var scale and not 1 ? scale : 2;
        return "$" + usd.ToString("#,##0." + new string('0', decimals), CultureInfo.InvariantCulture);
    }
}
