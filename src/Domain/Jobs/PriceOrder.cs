using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Jobs;

/// <summary>What becomes of a price order that found nothing in its time.</summary>
public enum OrderEnding
{
    /// <summary>The job is cancelled; it has cost nothing.</summary>
    Cancel,

    /// <summary>It waits on, without end.</summary>
    Wait,

    /// <summary>It starts at the best price there is.</summary>
    TakeBest,
}

/// <summary>Starts a job when a machine for it costs at most a limit. Until its program first runs it waits for that price; later machines keep to the limit too.</summary>
/// <param name="Limit">GPU and disk of the job's machine, per hour.</param>
/// <param name="Until">Good until then; null: until somebody stops it.</param>
/// <param name="Then">What happens at that time.</param>
public sealed record PriceOrder(HourlyRate Limit, DateTimeOffset? Until, OrderEnding Then)
{
    /// <summary>When a fitting machine was found, last; null while it waits.</summary>
    public DateTimeOffset? FiredAt { get; init; }

    /// <summary>When its time had passed and the best price was taken: since then any price will do.</summary>
    public DateTimeOffset? LiftedAt { get; init; }

    /// <summary>When offers were last looked at.</summary>
    public DateTimeOffset? LookedAt { get; init; }

    /// <summary>What the cheapest machine that the job could use cost an hour at <see cref="LowestAt"/>; null: there was none.</summary>
    public HourlyRate? Lowest { get; init; }

    public DateTimeOffset? LowestAt { get; init; }

    /// <summary>Whether a machine may cost at most <see cref="Limit"/>.</summary>
    public bool Binds => LiftedAt is null;

    public bool IsOver(DateTimeOffset now) => Binds && now >= Until;
}

/// <summary>When a job waits for its price, and what its order allows.</summary>
public static class PriceOrderRules
{
    /// <summary>Longer than this nobody plans ahead.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(60);

    /// <summary>Whether the job is not to be started at any price. Once its program ran there is work to go on with, and the retry policy decides.</summary>
    public static bool Waits(Job job)
    {
        ArgumentNullException.ThrowIfNull(job);
        return job is { Order.Binds: true, StartedAt: null };
    }

    /// <summary>The job's limits with its order's among them.</summary>
    public static JobLimits Limits(Job job)
    {
        ArgumentNullException.ThrowIfNull(job);
        return job.Order is { Binds: true, Limit: var limit } && !(job.Limits.MaxRate <= limit) ? job.Limits with { MaxRate = limit } : job.Limits;
    }
}
