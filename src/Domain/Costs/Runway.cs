namespace Dashboard.Domain.Costs;

/// <summary>How near the end of a credit is.</summary>
public enum RunwayState
{
    /// <summary>Nothing bills there, or the provider bills afterwards.</summary>
    Open,

    /// <summary>More than a day.</summary>
    Lasts,

    /// <summary>Ends within a day.</summary>
    EndsSoon,

    /// <summary>Ends within hours, before anybody may look again.</summary>
    Critical,

    /// <summary>Used up: the provider stops every machine, and a stopped disk goes on billing.</summary>
    Ended,
}

/// <summary>How long a provider's credit lasts at what bills there now, machines that are not ours included.</summary>
/// <param name="Left">Null where it does not end.</param>
public readonly record struct Runway(RunwayState State, TimeSpan? Left)
{
    /// <summary>Longer is not worth a figure.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(3650);

    private static readonly TimeSpan Warns = TimeSpan.FromHours(24);

    private static readonly TimeSpan IsCritical = TimeSpan.FromHours(4);

    /// <param name="credit">Spendable when last asked; null where the provider bills afterwards.</param>
    /// <param name="burn">Of the whole account.</param>
    /// <param name="asked">When the credit was asked; what burned since is gone from it.</param>
    public static Runway Of(Money? credit, HourlyRate burn, DateTimeOffset? asked, DateTimeOffset now)
    {
        if (credit is not { } told || burn <= HourlyRate.Zero)
        {
            return new Runway(RunwayState.Open, null);
        }

        var left = told - (asked is { } at && at < now ? burn.For(now - at) : Money.Zero);
        if (left <= Money.Zero)
        {
            return new Runway(RunwayState.Ended, TimeSpan.Zero);
        }

        var hours = TimeSpan.FromHours(Math.Min((double)(left.Usd / burn.Usd), Longest.TotalHours));
        return new Runway(hours < IsCritical ? RunwayState.Critical : hours < Warns ? RunwayState.EndsSoon : RunwayState.Lasts, hours);
    }

    /// <summary>Whether somebody has to act before the provider stops everything.</summary>
    public bool Warning => State is RunwayState.EndsSoon or RunwayState.Critical or RunwayState.Ended;
}
