using System.Text.Json.Serialization;

namespace Dashboard.Sandbox.Http;

/// <summary>What goes wrong on a route.</summary>
internal enum FaultKind
{
    /// <summary>Another status and body than the right one.</summary>
    Status,

    /// <summary>The right answer, late.</summary>
    Delay,

    /// <summary>No answer at all while the caller waits.</summary>
    Timeout,

    /// <summary>The connection is closed without a byte of an answer.</summary>
    Drop,

    /// <summary>The connection is closed in the middle of the body.</summary>
    Cut,

    /// <summary>A complete answer that stops in the middle of its JSON.</summary>
    Malformed,

    /// <summary>A path without its trailing slash is sent to the one with it, in a body that parses as JSON.</summary>
    Redirect,

    /// <summary>The first answer to a request is given again and again.</summary>
    Stale,

    /// <summary>The cursor is ignored, so the first page comes for each of them.</summary>
    RepeatPage,

    /// <summary>A list stops after some rows and says that this is all.</summary>
    CutPage,

    /// <summary>Young instances are missing from lists.</summary>
    ListLag,

    /// <summary>Fields are null, missing, empty, or numbers in strings.</summary>
    Shape,

    /// <summary>Prices are shown multiplied; what is rented costs what it costs.</summary>
    Price,

    /// <summary>Filters of a search are accepted and not applied.</summary>
    IgnoreFilter,
}

internal enum FieldShape
{
    Null,
    Missing,
    Empty,
    String,
}

/// <summary>A rule that breaks requests: which, how often, and how. Its counters are part of it, so it goes on after a restart where it was.</summary>
internal sealed record Fault
{
    public int Id { get; init; }

    /// <summary>Null for any.</summary>
    public string? Method { get; init; }

    /// <summary>As <see cref="RoutePattern"/> reads it.</summary>
    public required string Path { get; init; }

    public required FaultKind Kind { get; init; }

    /// <summary>Of the matching requests, drawn from <see cref="Seed"/>.</summary>
    public double Probability { get; init; } = 1;

    public ulong Seed { get; init; } = 1;

    /// <summary>Matching requests that pass unharmed at first.</summary>
    public int Skip { get; init; }

    /// <summary>How often it may strike; null for ever.</summary>
    public int? Count { get; init; }

    /// <summary>Status, Timeout, Drop: the request takes effect before its answer is lost.</summary>
    public bool AfterEffect { get; init; }

    public int Status { get; init; } = StatusCodes.Status500InternalServerError;

    /// <summary>Null for what the provider or its gateway would say.</summary>
    public string? Body { get; init; }

    public string? ContentType { get; init; }

    /// <summary>Delay: how late. Timeout: after how long the connection closes. ListLag: how young.</summary>
    public double? Seconds { get; init; }

    /// <summary>Cut: bytes of the body that arrive; null for half of it. CutPage: rows.</summary>
    public int? Keep { get; init; }

    /// <summary>Shape and IgnoreFilter: which; Shape takes <c>*</c> for every number.</summary>
    public IReadOnlyList<string> Fields { get; init; } = [];

    public FieldShape Shape { get; init; }

    /// <summary>Price: shown price over true price.</summary>
    public decimal Factor { get; init; } = 1;

    /// <summary>Requests that matched, harmed or not.</summary>
    public int Matched { get; init; }

    /// <summary>How often it struck.</summary>
    public int Struck { get; init; }

    /// <summary>Stale: answers already given, by request.</summary>
    public Dictionary<string, StaleAnswer> Remembered { get; init; } = [];

    [JsonIgnore]
    public bool IsSpent => Struck >= Count;
}

internal sealed record StaleAnswer(int Status, string? ContentType, byte[] Body);
