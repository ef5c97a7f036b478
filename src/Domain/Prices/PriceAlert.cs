using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Prices;

/// <summary>Which figure of a point an alert watches.</summary>
public enum PriceMeasure
{
    Lowest,

    /// <summary>The fifth cheapest: a single odd offer does not move it.</summary>
    Fifth,
    Median,
}

public enum AlertState
{
    Normal,

    /// <summary>Under its threshold, but not long enough yet.</summary>
    Pending,
    Firing,
}

/// <summary>What became of an alert with a point.</summary>
public enum AlertTurn
{
    None,
    Fired,

    /// <summary>It fired, and the price is clearly above the threshold again.</summary>
    Resolved,
}

/// <param name="Since">When the state began.</param>
public readonly record struct AlertStanding(AlertState State, DateTimeOffset Since);

/// <summary>
/// When a price alert fires: under its threshold for its whole duration. It ends above the threshold and some percent, so
/// that a price which trembles around it says something once.
/// </summary>
public static class PriceAlertRules
{
    /// <summary>Above the threshold by so much, it is over.</summary>
    private const decimal Hysteresis = 0.03m;

    public static HourlyRate? ValueOf(PriceMeasure measure, PricePoint point)
    {
        ArgumentNullException.ThrowIfNull(point);
        return measure switch { PriceMeasure.Lowest => point.Min, PriceMeasure.Fifth => point.Fifth, PriceMeasure.Median => point.Quantiles?.Median };
    }

    /// <param name="value">What the point says; null: nothing, which moves no alert.</param>
    /// <param name="holdFor">How long it has to be under the threshold before it fires.</param>
    public static (AlertStanding Standing, AlertTurn Turn) Next(AlertStanding standing, HourlyRate? value, HourlyRate threshold, TimeSpan holdFor, DateTimeOffset at)
    {
        if (value is not { } price)
        {
            return (standing, AlertTurn.None);
        }

        var under = price <= threshold;
        return standing.State switch
        {
            AlertState.Normal when under && holdFor <= TimeSpan.Zero => (new(AlertState.Firing, at), AlertTurn.Fired),
            AlertState.Normal when under => (new(AlertState.Pending, at), AlertTurn.None),
            AlertState.Pending when !under => (new(AlertState.Normal, at), AlertTurn.None),
            AlertState.Pending when at - standing.Since >= holdFor => (new(AlertState.Firing, at), AlertTurn.Fired),
            AlertState.Firing when price.MicrosPerHour > threshold.MicrosPerHour * (1 + Hysteresis) => (new(AlertState.Normal, at), AlertTurn.Resolved),
            AlertState.Normal or AlertState.Pending or AlertState.Firing => (standing, AlertTurn.None),
        };
    }

    /// <summary>How often it would have fired over a history: what the form says while one types.</summary>
    /// <param name="history">By rising time.</param>
    public static int WouldHaveFired(IEnumerable<HourPrice> history, HourlyRate threshold, TimeSpan holdFor)
    {
        var (standing, fired) = (new AlertStanding(AlertState.Normal, DateTimeOffset.MinValue), 0);
        foreach (var (at, price) in history)
        {
            (standing, var turn) = Next(standing, price, threshold, holdFor, at);
            fired += turn == AlertTurn.Fired ? 1 : 0;
        }

        return fired;
    }
}
