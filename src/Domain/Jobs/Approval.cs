using System.Text.Json.Serialization;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Teams;

namespace Dashboard.Domain.Jobs;

/// <summary>Why a job waits for somebody's yes, with the figures of the moment it was submitted.</summary>
/// <param name="Role">Whose limits it passes.</param>
/// <param name="Total">What it is expected to cost; null: nobody could say.</param>
/// <param name="Rate">What its machine is expected to cost an hour, disk included; null: nobody could say.</param>
/// <param name="Passed">At least one.</param>
public sealed record ApprovalAsk(Role Role, Money? Total, HourlyRate? Rate, IReadOnlyList<PassedLimit> Passed)
{
    /// <summary><c>≈ $41.80</c>, or the rate where no total is known.</summary>
    [JsonIgnore]
    public string Figure => Total is { } total ? $"≈ {total.Words()}" : Rate is { } rate ? rate.Words() : $"≈ {Passed[0].Asked.Words()}";

    /// <summary>One sentence a limit.</summary>
    /// <param name="own">Whether the reader is who asks.</param>
    public string Words(bool own) => string.Join(' ', Passed.Select(p => $"{RoleLimitRules.Words(p, own ? null : Role)}."));
}

public enum DecisionOutcome
{
    Approved,
    Declined,
}

/// <summary>A person's yes or no to what passes a role's limit. The database only ever adds to it.</summary>
public sealed class Decision
{
    public long Id { get; init; }

    public required TeamId TeamId { get; init; }

    public required JobId JobId { get; init; }

    /// <summary>Whose job it is.</summary>
    public required UserId AskedBy { get; init; }

    public required UserId DecidedBy { get; init; }

    public required DateTimeOffset At { get; init; }

    public required DecisionOutcome Outcome { get; init; }

    public required RoleLimitKind Kind { get; init; }

    /// <summary>What was asked for; of an hour where <see cref="Kind"/> says so.</summary>
    public required Money Amount { get; init; }

    /// <summary>What the limit was then.</summary>
    public required Money Limit { get; init; }

    /// <summary>In a person's words; null: none was given.</summary>
    public string? Reason { get; init; }
}
