using Dashboard.Sandbox.Http;
using DomainRentResult = Dashboard.Domain.Marketplaces.RentResult;
using MarketOffer = Dashboard.Sandbox.Market.Offer;

namespace Dashboard.Simulation.Provider;

internal enum ProviderCall
{
    Account,
    Search,
    Rent,
    List,
    Find,
    Get,
    AttachKey,
    ReadLog,
    Destroy,
    Stop,
    Start,
    ChangeBid,
}

internal static class ProviderCalls
{
    public static readonly ProviderCall[] Listings = [ProviderCall.List, ProviderCall.Find];

    public static readonly ProviderCall[] All = Enum.GetValues<ProviderCall>();

    /// <summary>As crash points and stories name it.</summary>
    public static string Word(this ProviderCall call) => call switch
    {
        ProviderCall.Account => "account",
        ProviderCall.Search => "search",
        ProviderCall.Rent => "rent",
        ProviderCall.List => "list",
        ProviderCall.Find => "find",
        ProviderCall.Get => "get",
        ProviderCall.AttachKey => "attach key",
        ProviderCall.ReadLog => "read log",
        ProviderCall.Destroy => "destroy",
        ProviderCall.Stop => "stop machine",
        ProviderCall.Start => "start machine",
        ProviderCall.ChangeBid => "change bid",
    };
}

/// <summary>How one call goes wrong.</summary>
internal sealed record Bend(string Words)
{
    /// <summary>The request never arrives: it has no effect.</summary>
    public bool Lost { get; init; }

    /// <summary>The request arrives so much later.</summary>
    public TimeSpan ArrivesLate { get; init; }

    /// <summary>The caller gets its answer, or its error, so much later.</summary>
    public TimeSpan AnswersLate { get; init; }

    /// <summary>What the caller meets instead of the answer.</summary>
    public Func<Exception>? Throws { get; init; }

    /// <summary>What the market does just before a rent call arrives.</summary>
    public Action<MarketOffer>? BeforeRent { get; init; }

    /// <summary>What a rent call is answered instead, whatever came of it.</summary>
    public Func<string?, DomainRentResult>? RentAnswer { get; init; }

    /// <summary>The rent is made stopped, as a lost bid's is.</summary>
    public bool RentsStopped { get; init; }

    /// <summary>A listing is one of so long ago.</summary>
    public TimeSpan Old { get; init; }

    /// <summary>The rows do not say what the machines do: whoever looks sees no transition.</summary>
    public bool TellsNoStates { get; init; }

    /// <summary>What the pages of a listing become on the way.</summary>
    public Action<IReadOnlyList<ListingPage>>? Pages { get; init; }
}

/// <summary>One page of a listing as the provider sends it.</summary>
internal sealed class ListingPage
{
    public List<WireRow> Rows { get; init; } = [];

    public int? Total { get; set; }

    public int? Found { get; set; }

    public Dictionary<string, int> LabelCounts { get; init; } = [];
}
