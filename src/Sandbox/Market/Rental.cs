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

    /// <summary>Fail rather than leave a stopped instance behind when it cannot start.</summary>
    public bool CancelUnavailable { get; init; } = true;

    /// <summary>A virtual machine, which takes the account's keys only.</summary>
    public bool VirtualMachine { get; init; }
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

    /// <summary>The ask is still listed, and somebody has GPUs of it.</summary>
    internal sealed record Taken : RentResult;

    /// <summary>The host keeps the machine for itself.</summary>
    internal sealed record NotYours : RentResult;

    internal sealed record SpendLimit(decimal PerHour) : RentResult;

    internal sealed record NoKeyForVirtualMachine : RentResult;

    /// <summary>Above the floor, and others bid more.</summary>
    /// <param name="Leftover">Made all the same: stopped, its disk billed until it is destroyed. None when the renter would rather fail.</param>
    internal sealed record Outbid(Contract? Leftover) : RentResult;

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

    /// <summary>Only what runs can be rebooted or recycled.</summary>
    NotRunning,

    /// <summary>Rented on demand: there is no bid to change.</summary>
    NoBid,

    /// <summary>Below the host's floor.</summary>
    BidTooLow,
    NoSuchInstance,
}
