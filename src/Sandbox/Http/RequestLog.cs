namespace Dashboard.Sandbox.Http;

/// <summary>One request that was answered. No query and no headers: keys may be in either.</summary>
internal sealed record LoggedRequest(DateTimeOffset At, string Method, string Path, int Status)
{
    /// <summary>Whose key it was, as a number; null when the caller got no further than the door.</summary>
    public int? KeyId { get; init; }

    /// <summary>What was done to it on purpose.</summary>
    public IReadOnlyList<string> Faults { get; init; } = [];
}

/// <summary>What was asked of the sandbox, newest last, bounded.</summary>
internal sealed class RequestLog
{
    private const int MostRequests = 20_000;
    private readonly Queue<LoggedRequest> _requests = new();
    private readonly Lock _gate = new();

    public void Add(LoggedRequest request)
    {
        lock (_gate)
        {
            _requests.Enqueue(request);
            if (_requests.Count > MostRequests)
            {
                _requests.Dequeue();
            }
        }
    }

    public IReadOnlyList<LoggedRequest> All()
    {
        lock (_gate)
        {
            return [.. _requests];
        }
    }
}
