using Dashboard.Domain;
using Dashboard.Domain.Costs;

namespace Dashboard.Infrastructure.Persistence;

/// <summary>What a person wants done with a machine that wears our signed label and is in no row.</summary>
public enum UnknownMachineChoice
{
    None,
    Leave,
    Destroy,
}

/// <summary>
/// A machine in one of our accounts that wears this installation's signed label, and that the database does not know: what a lost or an
/// older database leaves behind. Listed for a person, touched only on a person's word.
/// </summary>
public sealed class UnknownMachine
{
    public long Id { get; init; }

    public required TeamId TeamId { get; init; }

    public required ConnectionId ConnectionId { get; init; }

    public required string ContractId { get; init; }

    public required string Label { get; init; }

    /// <summary>As last listed.</summary>
    public required HourlyRate Rate { get; set; }

    public required DateTimeOffset FirstSeenAt { get; init; }

    public required DateTimeOffset SeenAt { get; set; }

    /// <summary>Complete listings it was seen in.</summary>
    public int Listings { get; set; }

    public UnknownMachineChoice Choice { get; set; }

    /// <summary>No longer listed.</summary>
    public DateTimeOffset? GoneAt { get; set; }
}
