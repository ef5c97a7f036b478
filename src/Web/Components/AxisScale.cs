using System.Globalization;

namespace Dashboard.Web.Components;

/// <summary>Round ends and labels for an axis of dollars.</summary>
internal static class AxisScale
{
    /// <summary>The least 4, 8 or 20 times a power of ten that holds the highest value: four lines divide each evenly.</summary>
    public static decimal Above(decimal highest)
    {
        var step = 0.0001m;
        while (true)
        {
            foreach (var factor in new[] { 4m, 8m, 20m })
            {
                if (step * factor >= highest)
                {
                    return step * factor;
                }
            }

            step *= 10;
        }
    }

    /// <summary>As many decimals as tell the lines of this axis apart.</summary>
    public static string Label(decimal usd, decimal top) => "$" + usd.ToString(top switch { >= 4 => "#,##0", >= 0.4m => "0.0", >= 0.04m => "0.00", >= 0.004m => "0.000", _ => "0.0000" }, CultureInfo.InvariantCulture);
}
