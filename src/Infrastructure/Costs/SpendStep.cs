using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Infrastructure.Costs;

/// <summary>
/// The ledger summed by machine, kind and quarter of an hour, for questions over a year: every zone's midnight lies between two
/// quarters. The database adds to it in the statement that posts an entry, so the two cannot differ.
/// </summary>
public sealed class SpendStep
{
    /// <summary>Milliseconds in a step.</summary>
    public const long Length = 15 * 60 * 1000;

    public required TeamId TeamId { get; init; }

    /// <summary>Quarters of an hour since 1970, UTC; an entry counts where it begins.</summary>
    public required long Step { get; init; }

    public required InstanceId InstanceId { get; init; }

    public required ChargeKind Kind { get; init; }

    public required ProjectId ProjectId { get; init; }

    /// <summary><see cref="Tags"/> as text, to group by.</summary>
    public required string TagsKey { get; init; }

    public required IReadOnlyList<string> Tags { get; init; }

    public required JobId JobId { get; init; }

    public required UserId PersonId { get; init; }

    public required string GpuName { get; init; }

    public required Provider Provider { get; init; }

    public required bool Simulated { get; init; }

    /// <summary>Micro-dollars.</summary>
    public required long Micros { get; init; }

    /// <summary>The part of it whose interval was inferred at one end.</summary>
    public required long EstimatedMicros { get; init; }

    /// <summary>Charged time.</summary>
    public required long Milliseconds { get; init; }
}
