namespace Dashboard.Domain.Instances;

/// <summary>The instants between which a run began, as far as a rounded age in a provider's answer tells. Every further answer narrows it.</summary>
public readonly record struct StartWindow(DateTimeOffset Earliest, DateTimeOffset Latest)
{
    public DateTimeOffset Middle => Earliest + HalfWidth;

    public TimeSpan HalfWidth => (Latest - Earliest) / 2;

    public static StartWindow Around(DateTimeOffset middle, TimeSpan halfWidth) => new(middle - halfWidth, middle + halfWidth);

    /// <summary>What both allow. When they contradict each other the earlier one stays: an answer kept too long by the provider tells too young an age, never too old a one.</summary>
    public StartWindow Narrowed(StartWindow other)
    {
        var both = new StartWindow(
            other.Earliest > Earliest ? other.Earliest : Earliest,
            other.Latest < Latest ? other.Latest : Latest);
        return both.Earliest <= both.Latest ? both : other.Latest < Earliest ? other : this;
    }
}
