namespace Dashboard.Sandbox.Market;

/// <summary>
/// How fast the market's own time runs: prices, rivals, the ends of contracts and graces follow it, so that a month fits into a test.
/// Bills and everything on the wire stay in real time.
/// </summary>
/// <param name="Since">The real moment from which the factor holds.</param>
/// <param name="Reached">Where the market's time stood then.</param>
/// <param name="Factor">Market seconds in a real one.</param>
internal sealed record MarketPace(DateTimeOffset Since, DateTimeOffset Reached, double Factor)
{
    /// <summary>More would use up the ids of listings within weeks.</summary>
    public const double Fastest = 10_000;

    public static MarketPace Real { get; } = new(MarketCalendar.FirstDay, MarketCalendar.FirstDay, 1);

    public DateTimeOffset At(DateTimeOffset now) => Reached + ((now - Since) * Factor);

    /// <summary>The real moment at which the market's time reaches a point.</summary>
    public DateTimeOffset RealOf(DateTimeOffset marketTime) => Since + ((marketTime - Reached) / Factor);

    /// <summary>Goes on from where it is, at another pace: the market's time never jumps.</summary>
    public MarketPace WithFactor(double factor, DateTimeOffset now) => new(now, At(now), factor);
}
