namespace Dashboard.Domain.Marketplaces;

/// <summary>What to launch. Everything here may be stored and echoed by the provider: nothing secret.</summary>
public sealed record LaunchSpec
{
    /// <summary>Unique per instance row; the only way to find a machine whose answer was lost.</summary>
    public required string Label { get; init; }

    public required string Image { get; init; }

    /// <summary>Decimal gigabytes; can never be changed later.</summary>
    public required decimal DiskGb { get; init; }

    /// <summary>Script text run at every container start, at most 4,000 characters.</summary>
    public required string OnStart { get; init; }

    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>USD per hour for the whole slice; null rents on demand.</summary>
    public decimal? BidUsdPerHour { get; init; }
}

/// <summary>The answer to the one rent call of an instance row. Closed: every caller answers each case.</summary>
public abstract record RentResult
{
    private RentResult() { }

    /// <summary>A machine is ours and bills. <paramref name="InstanceKey"/> may only show, start, stop and destroy this one machine.</summary>
    public sealed record Rented(string ContractId, Secret? InstanceKey) : RentResult;

    /// <summary>Somebody took it, or it never was.</summary>
    public sealed record OfferGone : RentResult;

    /// <summary>The bid lost. A leftover contract is stopped and bills its disk until destroyed.</summary>
    public sealed record BidTooLow(string? Leftover) : RentResult;

    public sealed record CreditTooLow(string Message) : RentResult;

    /// <summary>The provider caps how fast this account may spend.</summary>
    public sealed record SpendRateLimited(string Message) : RentResult;

    /// <summary>A definite no. A leftover contract bills until destroyed.</summary>
    public sealed record Refused(string Reason, string? Leftover) : RentResult;

    /// <summary>The provider refuses the key.</summary>
    public sealed record KeyRefused(string Reason) : RentResult;

    /// <summary>A machine may be running: settle it by looking the label up.</summary>
    /// <param name="Cause">Words for the log.</param>
    /// <param name="Light">Asked too fast (429): one look is enough.</param>
    public sealed record Unclear(string Cause, bool Light) : RentResult;
}

/// <summary>A text that must not be seen. It leaves only to become a request header or encrypted bytes.</summary>
public sealed class Secret(string value)
{
    /// <summary>The plain text. Only the code that builds a request header or encrypts it may ask.</summary>
    public string Reveal() => value;

    public override string ToString() => "***";
}
