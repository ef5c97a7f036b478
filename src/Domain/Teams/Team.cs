namespace Dashboard.Domain.Teams;

/// <summary>People who share machines, money and keys.</summary>
public sealed class Team
{
    public required TeamId Id { get; init; }

    public required string Name { get; set; }

    /// <summary>Part of every address; lower-case letters, digits and dashes.</summary>
    public required string Slug { get; set; }

    /// <summary>The number the next job gets.</summary>
    public int NextJobNumber { get; set; } = 1;

    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>One person in one team.</summary>
public sealed class Membership
{
    public required TeamId TeamId { get; init; }

    public required UserId UserId { get; init; }

    public required Role Role { get; set; }

    public required DateTimeOffset Since { get; init; }
}

/// <summary>What spending is attributed to. Every team has one by default.</summary>
public sealed class Project
{
    public required ProjectId Id { get; init; }

    public required TeamId TeamId { get; init; }

    public required string Name { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }
}
