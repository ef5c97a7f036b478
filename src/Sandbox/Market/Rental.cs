namespace Dashboard.Sandbox.Market;

/// <summary>What a renter asks for.</summary>
internal sealed record RentRequest
{
    public int AccountId { get; init; } = MarketState.FirstAccount;

    public required string Image { get; init; }

    /// <summary>GB, fixed for the life of the contract.</summary>
    public decimal DiskGb { get; init; } = 10;

    public string? Label { get; init; }

    public string RunType { get; init; } = "ssh";

    public string OnStart { get; init; } = "";

    public IReadOnlyList<KeyValuePair<string, string>> Environment { get; init; } = [];

    /// <summary>USD per hour for the slice; null rents on demand.</summary>
    public decimal? Bid { get; init; }

    public bool StartRunning { get; init; } = true;
}

/// <summary>The answer to a rent call.</summary>
internal abstract record RentResult
{
    internal sealed record Rented(Contract Contract) : RentResult;

    /// <summary>No ask of this id was ever listed.</summary>
    internal sealed record NeverListed : RentResult;

    /// <summary>The ask has been rented or listed anew.</summary>
    /// <param name="Note">Why, where it is not the market.</param>
    internal sealed record Gone(string? Note = null) : RentResult;

    internal sealed record NoCredit : RentResult;

    internal sealed record BidTooLow(decimal Floor) : RentResult;

    internal sealed record DiskTooLarge(double MostGb) : RentResult;
}

internal enum StateChange
{
    Done,

    /// <summary>The GPUs are taken: the start happens, and bills, when they come free.</summary>
    Queued,
    NoCredit,
    ContractEnded,
    NoSuchInstance,
}
