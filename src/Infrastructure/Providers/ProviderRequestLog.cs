using System.Text.RegularExpressions;

namespace Dashboard.Infrastructure.Providers;

/// <summary>One try of one call to a provider: what an administrator needs to see whether a provider is slow, refuses or is asked too often. No key, no query, no body, and no id of anybody's machine.</summary>
/// <param name="Number">Ours, rising from 1 since the server started.</param>
/// <param name="Market">As people call it: <c>Vast.ai</c>, <c>Sandbox</c>.</param>
/// <param name="Route">The path with ids taken out: <c>/api/v0/asks/{id}/</c>.</param>
/// <param name="Try">From 1; above that, a retry of the call before it.</param>
/// <param name="Held">How long our own limiter held it back.</param>
/// <param name="Took">From sending to the complete answer, or to the fault.</param>
/// <param name="Status">HTTP status; null when there was no complete answer.</param>
/// <param name="RequestId">The provider's own id of the request, for its support; null when it told none.</param>
/// <param name="Fault">Why there was no complete answer, in our words; null when there was one.</param>
public sealed record ProviderRequest(
    long Number, DateTimeOffset At, string Market, string Method, string Route, int Try, TimeSpan Held, TimeSpan Took, int? Status, string? RequestId, string? Fault)
{
    /// <summary>No answer, or one that is not a success.</summary>
    public bool Failed => Status is not (>= 200 and < 300);
}

/// <summary>The latest calls to all providers, in memory: the oldest make room for new ones, and a restart begins anew.</summary>
public sealed partial class ProviderRequestLog
{
    /// <summary>Some half an hour of a busy server, half a megabyte.</summary>
    public const int Capacity = 2_000;

    private const int LongestId = 64;
    private static readonly string[] IdHeaders = ["x-request-id", "request-id", "x-amzn-requestid", "cf-ray"];

    private readonly Lock _lock = new();
    private readonly Queue<ProviderRequest> _latest = new(Capacity);
    private long _last;

    /// <summary>At most <paramref name="most"/>, newest first.</summary>
    public IReadOnlyList<ProviderRequest> Latest(int most = Capacity)
    {
        lock (_lock)
        {
            return [.. _latest.Reverse().Take(most)];
        }
    }

    /// <summary>Writes it down under the next number.</summary>
    public void Add(ProviderRequest request)
    {
        lock (_lock)
        {
            if (_latest.Count == Capacity)
            {
                _latest.Dequeue();
            }

            _latest.Enqueue(request with { Number = ++_last });
        }
    }

    /// <summary>The path alone, every segment with a digit in it but the version taken out.</summary>
    internal static string RouteOf(Uri? address) => Segment().Replace(address?.AbsolutePath ?? "", "{id}");

    /// <summary>What the provider calls this request. Its text is a stranger's: short, and of harmless characters alone.</summary>
    internal static string? IdOf(HttpResponseMessage response)
    {
        foreach (var header in IdHeaders)
        {
            if (response.Headers.TryGetValues(header, out var values) && values.FirstOrDefault() is { Length: > 0 and <= LongestId } id && Harmless().IsMatch(id))
            {
                return id;
            }
        }

        return null;
    }

    [GeneratedRegex("(?<=/)(?!v[0-9]/)[^/]*[0-9][^/]*")]
    private static partial Regex Segment();

    [GeneratedRegex("^[A-Za-z0-9._:-]+$")]
    private static partial Regex Harmless();
}
