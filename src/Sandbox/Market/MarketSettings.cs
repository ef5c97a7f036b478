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

    /// <summary>How far charges are behind.</summary>
    public TimeSpan ChargesDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Multiplies all money billed.</summary>
    public decimal BillingFactor { get; init; } = 1m;

    /// <summary>What the account starts with, USD.</summary>
    public decimal Credit { get; init; } = 100m;

    /// <summary>Most instances that exist at once: each is a real container on this computer.</summary>
    public int MaxInstances { get; init; } = 10;
}
