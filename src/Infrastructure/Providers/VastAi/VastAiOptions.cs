using System.ComponentModel.DataAnnotations;

namespace Dashboard.Infrastructure.Providers.VastAi;

public sealed class VastAiOptions
{
    public const string Section = "Providers:VastAi";

    /// <summary>Absolute address without a trailing slash of the real service. Default <c>https://console.vast.ai</c>.</summary>
    [Required, Url]
    public string BaseUrl { get; init; } = "https://console.vast.ai";

    /// <summary>Longest wait for one complete answer. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:02:00")]
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest a call that may be retried takes with its retries and its wait for the limiter. Default 40 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan RetriedCallTimeout { get; init; } = TimeSpan.FromSeconds(40);

    /// <summary>How often a read or repeatable state change is tried again after a fault. Rent and destroy never are. Default 3.</summary>
    [Range(1, 10)]
    public int Retries { get; init; } = 3;

    /// <summary>Before the first retry, with jitter; doubled each time. Default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan FirstRetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest time between two tries. Default 60 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:10:00")]
    public TimeSpan LongestRetryDelay { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A call that the limiter would hold back longer is refused at once as rate limited. Default 20 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan LongestQueue { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long to ask for a container log that the provider has promised. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00")]
    public TimeSpan LogWait { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Least time between two calls of one endpoint with one key. Defaults are the documented thresholds.</summary>
    public VastAiLimits Limits { get; init; } = new();

    /// <summary>The same on simulated markets, which do not limit. Default none.</summary>
    public VastAiLimits SandboxLimits { get; init; } = VastAiLimits.None();
}

/// <summary>Least time between two calls of one endpoint with one key. Source: the provider's page on rate limits; the account call is unpublished and assumed.</summary>
public sealed class VastAiLimits
{
    public TimeSpan Account { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Documented as ten a minute.</summary>
    public TimeSpan Search { get; set; } = TimeSpan.FromSeconds(6);

    public TimeSpan Rent { get; set; } = TimeSpan.FromSeconds(4.5);

    /// <summary>Added by the provider after a rent call that came too early.</summary>
    public TimeSpan RentPenalty { get; set; } = TimeSpan.FromSeconds(12);

    public TimeSpan List { get; set; } = TimeSpan.FromSeconds(1);

    public TimeSpan Get { get; set; } = TimeSpan.FromSeconds(2);

    public TimeSpan StateChange { get; set; } = TimeSpan.FromSeconds(1);

    public TimeSpan ChangeBid { get; set; } = TimeSpan.FromSeconds(5.5);

    public TimeSpan Destroy { get; set; } = TimeSpan.FromSeconds(3);

    public TimeSpan AttachKey { get; set; } = TimeSpan.FromSeconds(2);

    public TimeSpan Logs { get; set; } = TimeSpan.FromSeconds(2);

    public TimeSpan Charges { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The provider's price history.</summary>
    public TimeSpan Metrics { get; set; } = TimeSpan.FromSeconds(3);

    internal static VastAiLimits None() => new()
    {
        Account = TimeSpan.Zero, Search = TimeSpan.Zero, Rent = TimeSpan.Zero, RentPenalty = TimeSpan.Zero, List = TimeSpan.Zero, Get = TimeSpan.Zero,
        StateChange = TimeSpan.Zero, ChangeBid = TimeSpan.Zero, Destroy = TimeSpan.Zero, AttachKey = TimeSpan.Zero, Logs = TimeSpan.Zero, Charges = TimeSpan.Zero, Metrics = TimeSpan.Zero,
    };

    internal TimeSpan Between(VastAiEndpoint endpoint) => endpoint switch
    {
        VastAiEndpoint.Account => Account,
        VastAiEndpoint.Search => Search,
        VastAiEndpoint.Rent => Rent,
        VastAiEndpoint.List => List,
        VastAiEndpoint.Get => Get,
        VastAiEndpoint.StateChange => StateChange,
        VastAiEndpoint.ChangeBid => ChangeBid,
        VastAiEndpoint.Destroy => Destroy,
        VastAiEndpoint.AttachKey => AttachKey,
        VastAiEndpoint.Logs => Logs,
        VastAiEndpoint.Charges => Charges,
        VastAiEndpoint.Metrics => Metrics,
    };

    internal TimeSpan AfterRefusal(VastAiEndpoint endpoint) => endpoint == VastAiEndpoint.Rent ? RentPenalty : Between(endpoint);
}
