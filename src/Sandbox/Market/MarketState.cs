namespace Dashboard.Sandbox.Market;

/// <summary>A public key of an account.</summary>
internal sealed record AccountKey(int Id, string PublicKey, DateTimeOffset CreatedAt, int AccountId = MarketState.FirstAccount);

/// <summary>Money that an account was given, USD; negative when it was taken away.</summary>
internal sealed record TopUp(int Id, int AccountId, decimal Amount, DateTimeOffset At);

/// <summary>Everything about the market that time and seed do not give: what is kept on disk.</summary>
internal sealed class MarketState
{
    /// <summary>The account that every market has.</summary>
    public const int FirstAccount = 314159;

    /// <summary>The full key with which the first account begins.</summary>
    public required string AccountApiKey { get; init; }

    public required DateTimeOffset OpenedAt { get; init; }

    /// <summary>The last moment the market is known to have been up; nothing is billed from here to the next start for a host that did not survive.</summary>
    public DateTimeOffset LastSeen { get; set; }

    public required decimal InitialCredit { get; init; }

    /// <summary>Never reused, because clients remember addresses by id.</summary>
    public required int NextContractId { get; set; }

    public int NextKeyId { get; set; } = 1;

    public List<AccountKey> AccountKeys { get; init; } = [];

    /// <summary>What came in after the opening, for every account.</summary>
    public List<TopUp> TopUps { get; init; } = [];

    public List<Contract> Contracts { get; init; } = [];

    /// <summary>How often each slice came back to the market after one of our rentals.</summary>
    public Dictionary<int, int> Relistings { get; init; } = [];

    /// <summary>Calls that asked for a rental, by label, successful or not.</summary>
    public Dictionary<string, int> RentCalls { get; init; } = [];

    public MarketPace Pace { get; set; } = MarketPace.Real;

    /// <summary>The point of the market's time at which an account's credit ran out; absent while it has some.</summary>
    public Dictionary<int, DateTimeOffset> BrokeAt { get; init; } = [];

    /// <summary>Set at the controls; otherwise that of the settings holds.</summary>
    public decimal? SpendLimitPerHour { get; set; }

    /// <summary>By the machine's position in the park.</summary>
    public Dictionary<int, Intervention> Interventions { get; init; } = [];

    /// <summary>Each is taken by the next instance that is rented.</summary>
    public List<FaultOfNext> FaultsOfNext { get; init; } = [];

    public static MarketState Open(string accountApiKey, decimal credit, DateTimeOffset now) => new()
    {
        AccountApiKey = accountApiKey,
        OpenedAt = now,
        LastSeen = now,
        InitialCredit = credit,
        // From the clock, so that a market opened afresh does not repeat the ids of the one before it.
        NextContractId = 20_000_000 + (int)(now - MarketCalendar.FirstDay).TotalSeconds,
    };
}
