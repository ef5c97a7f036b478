namespace Dashboard.Domain.Inbox;

/// <summary>Something that needs a person: one line what, one line why and what it costs, one action.</summary>
public sealed class InboxItem
{
    public long Id { get; init; }

    public required TeamId TeamId { get; init; }

    /// <summary>Stable word: <c>job-failed, key-refused, destroy-unconfirmed, foreign-machine</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Merges repeats: one open item per key.</summary>
    public required string Key { get; init; }

    public required string Title { get; set; }

    public required string Detail { get; set; }

    /// <summary>Address below the team's, of the page with the action.</summary>
    public string? Link { get; set; }

    public string? Action { get; set; }

    public required DateTimeOffset At { get; set; }

    public DateTimeOffset? ResolvedAt { get; set; }
}

/// <summary>A message to the outside, written in the same transaction as its cause; the dispatcher sends it at least once.</summary>
public sealed class OutboxMessage
{
    public long Id { get; init; }

    public required TeamId TeamId { get; init; }

    /// <summary>What is announced: <c>job.ended, job.started, inbox.opened</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Receivers drop repeats by it.</summary>
    public required string DedupKey { get; init; }

    /// <summary>Ids only, as JSON.</summary>
    public required string Payload { get; init; }

    public required DateTimeOffset At { get; init; }

    public DateTimeOffset? SentAt { get; set; }

    public int Tries { get; set; }
}
