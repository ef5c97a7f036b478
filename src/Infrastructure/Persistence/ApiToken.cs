using Dashboard.Domain;

namespace Dashboard.Infrastructure.Persistence;

/// <summary>A bearer token of the REST API. Only its hash is stored.</summary>
public sealed class ApiToken
{
    public long Id { get; init; }

    public required TeamId TeamId { get; init; }

    /// <summary>Acts with this person's role.</summary>
    public required UserId UserId { get; init; }

    public required string Name { get; init; }

    /// <summary>SHA-256 of the token, lower-case hex. Tokens are long random texts, so a fast hash is enough.</summary>
    public required string Hash { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public DateTimeOffset? LastUsedAt { get; set; }
}

/// <summary>This installation, one row: what its labels are signed with.</summary>
public sealed class Installation
{
    public int Id { get; init; } = 1;

    /// <summary>Eight characters, part of every label.</summary>
    public required string Label { get; init; }

    /// <summary>Signing secret of the labels, encrypted.</summary>
    public required string ProtectedSecret { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>See <see cref="InstallationFile.Epoch"/>; zero before the first start has ended.</summary>
    public long Epoch { get; set; }

    /// <summary>Null when there is no quarantine.</summary>
    public string? QuarantineReason { get; set; }

    public DateTimeOffset? QuarantinedAt { get; set; }
}
