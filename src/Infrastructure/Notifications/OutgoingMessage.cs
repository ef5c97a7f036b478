namespace Dashboard.Infrastructure.Notifications;

/// <summary>What a receiver gets, whatever the channel.</summary>
/// <param name="Key">The same for every repeat of the same message.</param>
/// <param name="Kind">See <see cref="Domain.Inbox.OutboxKinds"/>.</param>
/// <param name="Tone">Colour token: <c>ok, warn, bad, off</c>.</param>
/// <param name="Link">Absolute.</param>
/// <param name="Settings">Where its reader can change what is told; absolute.</param>
public sealed record OutgoingMessage(string Key, string Kind, string Team, string Tone, string Title, string Detail, Uri? Link, Uri Settings, bool Urgent, DateTimeOffset At);

/// <summary>What came of a send. <c>Sent | Failed</c>.</summary>
public abstract record SendResult
{
    private SendResult(string answer) => Answer = answer;

    /// <summary>What came back, a sentence for people, without any secret.</summary>
    public string Answer { get; }

    public sealed record Sent(string Words) : SendResult(Words);

    /// <param name="Final">The same message will never be taken there.</param>
    /// <param name="RetryAfter">What the receiver asked for.</param>
    public sealed record Failed(string Words, bool Final, TimeSpan? RetryAfter = null) : SendResult(Words);
}
