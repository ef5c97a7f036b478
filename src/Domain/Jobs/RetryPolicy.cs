namespace Dashboard.Domain.Jobs;

/// <summary>What another try may be for.</summary>
public enum RetryCause
{
    /// <summary>Nothing fitting was free.</summary>
    Capacity,

    /// <summary>The machine did not come up, was lost, or did not get on.</summary>
    Machine,

    /// <summary>Outbid, or taken back by the provider.</summary>
    Interruption,

    /// <summary>The program itself failed.</summary>
    Script,
}

/// <summary>How often a job tries again, by what ended its try. Zero: not at all.</summary>
/// <param name="Capacity">Further searches when nothing fits, with growing pauses.</param>
/// <param name="Machine">Another machine can cure what a machine caused.</param>
/// <param name="Interruption">An interrupted run goes on from its checkpoint.</param>
/// <param name="Script">A program that failed once mostly fails again, at the same price.</param>
public sealed record RetryPolicy(int Capacity = 3, int Machine = 4, int Interruption = 9, int Script = 0)
{
    public static RetryPolicy Default { get; } = new();

    public int Tries(RetryCause cause) => cause switch
    {
        RetryCause.Capacity => Capacity,
        RetryCause.Machine => Machine,
        RetryCause.Interruption => Interruption,
        RetryCause.Script => Script,
    };
}
