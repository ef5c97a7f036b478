namespace Dashboard.Infrastructure.Ssh;

/// <summary>How long we wait for machines.</summary>
public sealed record SshOptions
{
    /// <summary>For TCP, each step of the handshake, and opening a channel. Default 15 s.</summary>
    public TimeSpan Connect { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>For a whole connection attempt, and for a transfer in which nothing moves. Default 30 s.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>For a look at a running program in which nothing moves: a peer that has frozen is noticed so much after the look began. Default 10 s.</summary>
    public TimeSpan Probe { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Between keep-alive messages, so that middle boxes do not forget the connection. Default 15 s. It does not notice a frozen peer; the owner's heartbeat does.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Connections being opened at once: each handshake holds a thread. Default 8.</summary>
    public int OpeningAtOnce { get; init; } = 8;
}
