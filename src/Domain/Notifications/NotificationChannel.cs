namespace Dashboard.Domain.Notifications;

/// <summary>How a message leaves this server.</summary>
public enum ChannelKind
{
    Email,
    Slack,
    Discord,
    Teams,

    /// <summary>JSON of our own, signed.</summary>
    Webhook,
}

/// <summary>What a message is about; people choose by it what a channel is told.</summary>
[Flags]
public enum Topics
{
    None = 0,

    /// <summary>A job succeeded, failed, was stopped or is paused.</summary>
    Endings = 1,

    /// <summary>A limit comes near or was reached.</summary>
    Budgets = 2,

    /// <summary>A price alert fired, or is over.</summary>
    Prices = 4,

    /// <summary>Money or work may be lost: refused keys, machines that do not go, jobs that do not move, credit that ends.</summary>
    Trouble = 8,

    /// <summary>An alert rule fires, or is over.</summary>
    Alerts = 16,

    /// <summary>A job waits for somebody's yes, or was decided about.</summary>
    Approvals = 32,

    All = Endings | Budgets | Prices | Trouble | Alerts | Approvals,
}

/// <summary>A way out to people, beside the dashboard's own inbox. Its address is a secret: whoever knows it can write there.</summary>
public sealed class NotificationChannel
{
    public required ChannelId Id { get; init; }

    public required TeamId TeamId { get; init; }

    /// <summary>Whose own it is; null: the team's.</summary>
    public UserId? OwnerId { get; init; }

    public required ChannelKind Kind { get; init; }

    public required string Name { get; set; }

    /// <summary>Ciphertext under a purpose that names team and channel.</summary>
    public required string ProtectedAddress { get; set; }

    /// <summary>What may be shown of the address: a mailbox, or host and last four characters.</summary>
    public required string Shown { get; set; }

    /// <summary>Ciphertext of what signs the messages of a <see cref="ChannelKind.Webhook"/>; null for the others.</summary>
    public string? ProtectedSecret { get; set; }

    public required Topics Topics { get; set; }

    /// <summary>When it is put off; null: never.</summary>
    public QuietHours? Quiet { get; set; }

    /// <summary>A person silenced it: nothing new is made for it, and nothing waiting is sent.</summary>
    public DateTimeOffset? PausedAt { get; set; }

    public required UserId CreatedBy { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it last took a message.</summary>
    public DateTimeOffset? WorkedAt { get; set; }

    /// <summary>What it said when it last did not; null: it works.</summary>
    public string? Problem { get; set; }
}

/// <summary>One message on its way to one channel. The words are those of the moment it was made.</summary>
public sealed class Delivery
{
    public long Id { get; init; }

    public required TeamId TeamId { get; init; }

    public required ChannelId ChannelId { get; init; }

    /// <summary>The outbox message; one delivery of it to a channel, ever.</summary>
    public required long MessageId { get; init; }

    /// <summary>That of the message: receivers drop repeats by it.</summary>
    public required string Key { get; init; }

    /// <summary>That of the message, see <see cref="Inbox.OutboxKinds"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>Colour token: <c>ok, warn, bad, off</c>.</summary>
    public required string Tone { get; init; }

    public required string Title { get; init; }

    public required string Detail { get; init; }

    /// <summary>Address below the team's.</summary>
    public string? Link { get; init; }

    /// <summary>Not put off by quiet hours.</summary>
    public required bool Urgent { get; init; }

    /// <summary>When its cause was.</summary>
    public required DateTimeOffset At { get; init; }

    public DateTimeOffset? SentAt { get; set; }

    /// <summary>Sends begun; counted before, so that one that ends the process counts too.</summary>
    public int Tries { get; set; }

    /// <summary>Who sends it has it until then; null: nobody.</summary>
    public DateTimeOffset? LeaseUntil { get; set; }

    /// <summary>Not before; null: at once.</summary>
    public DateTimeOffset? NextTryAt { get; set; }

    /// <summary>What came back last.</summary>
    public string? Answer { get; set; }

    /// <summary>Laid aside; a person may send it again.</summary>
    public DateTimeOffset? DeadAt { get; set; }
}
