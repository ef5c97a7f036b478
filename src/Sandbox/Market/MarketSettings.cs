namespace Dashboard.Sandbox.Market;

/// <summary>How the market behaves. Durations of zero make the step immediate.</summary>
internal sealed record MarketSettings
{
    /// <summary>From the rent to <c>running</c>, drawn within a fifth of this for each instance.</summary>
    public TimeSpan Boot { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>From <c>running</c> until sshd accepts connections.</summary>
    public TimeSpan SshDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>From attaching a key until the instance's sshd takes it.</summary>
    public TimeSpan KeyDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a new instance is missing from the list.</summary>
    public TimeSpan ListLag { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long the host still reports <c>running</c> for an instance that was outbid.</summary>
    public TimeSpan StatusLag { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>From the end of a contract until its instance is deleted, in the market's time.</summary>
    public TimeSpan GraceAfterEnd { get; init; } = TimeSpan.FromHours(48);

    /// <summary>From the end of the credit until all instances are deleted, in the market's time.</summary>
    public TimeSpan GraceAfterCredit { get; init; } = TimeSpan.FromHours(24);

    /// <summary>See <see cref="MarketPace"/>; null leaves it as it was.</summary>
    public double? Speed { get; init; }

    /// <summary>Most that all instances together may cost in an hour, USD; null for no limit. The provider limits new accounts so.</summary>
    public decimal? SpendLimitPerHour { get; init; }

    /// <summary>How far charges are behind.</summary>
    public TimeSpan ChargesDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Multiplies all money billed.</summary>
    public decimal BillingFactor { get; init; } = 1m;

    /// <summary>What the account starts with, USD.</summary>
    public decimal Credit { get; init; } = 100m;

    /// <summary>Most instances that exist at once: each is a real container on this computer.</summary>
    public int MaxInstances { get; init; } = 10;
}
