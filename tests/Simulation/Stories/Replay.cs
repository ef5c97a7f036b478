using System.Globalization;
using Dashboard.Simulation.Harness;
using Dashboard.Simulation.Orders;

namespace Dashboard.Simulation.Stories;

/// <summary>Schedules have names that give them back.</summary>
internal static class Replay
{
    public const string Variable = "DASHBOARD_REPLAY";

    public static string? Asked => Environment.GetEnvironmentVariable(Variable);

    public static string HowTo(string name) => $"Again: {Variable}='{name}' ./test lifecycle";

    /// <exception cref="FormatException">No schedule has that name.</exception>
    public static Schedule Read(string name) => name.Split('/') switch
    {
        ["pair", var point, var fault] => Schedules.Pair(Number(point) - 1, Number(fault) - 1),
        ["random", var seed] => Schedules.Random(Number(seed)),
        ["crash", var point] => Schedules.OnlyCrash(Number(point) - 1),
        ["order", var seed] => OrderWorlds.Of(Number(seed)),
        ["spending", var seed] => Schedules.Spending(Number(seed)),
        ["fault", var fault] => Schedules.OnlyFault(Number(fault) - 1),
        _ => throw new FormatException($"\"{name}\" is no schedule: pair/<crash point>/<fault>, random/<seed>, order/<seed>, spending/<seed>, crash/<crash point> or fault/<fault>."),
    };

    private static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
}
