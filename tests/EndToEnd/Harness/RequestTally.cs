using System.Globalization;
using System.Text.Json;
using Dashboard.Tests.Shared;

namespace Dashboard.EndToEnd.Harness;

/// <summary>Everything the server asked of the market, over runs that are longer than the market's own log of requests.</summary>
internal sealed class RequestTally : IAsyncDisposable
{
    private const int ServersKey = 1; // the account's first
    private static readonly TimeSpan ReadEvery = TimeSpan.FromSeconds(20);
    private readonly HashSet<(double At, string Method, string Path)> _asked = [];
    private readonly SandboxProcess _sandbox;
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _reading;
    private double _since;

    public RequestTally(SandboxProcess sandbox)
    {
        _sandbox = sandbox;
        _reading = ReadOnAsync();
    }

    public int RentCalls => _asked.Count(request => request.Method == "PUT" && request.Path.StartsWith("/api/v0/asks/", StringComparison.Ordinal));

    public int All => _asked.Count;

    /// <summary>Requests that would change one of these instances.</summary>
    public IReadOnlyList<string> Touching(IReadOnlyList<string> contractIds) =>
        [.. _asked.Where(request => request.Method != "GET" && contractIds.Any(id => request.Path.Contains($"/instances/{id}/", StringComparison.Ordinal))).Select(request => $"{request.Method} {request.Path}")];

    /// <summary>Reads up to now.</summary>
    public async Task ReadAsync(CancellationToken ct)
    {
        var read = await _sandbox.ControlAsync(HttpMethod.Get, string.Create(CultureInfo.InvariantCulture, $"/requests?since={_since}"), ct: ct);
        foreach (var request in read.GetProperty("requests").EnumerateArray())
        {
            if (request.GetProperty("key_id") is { ValueKind: JsonValueKind.Number } key && key.GetInt32() == ServersKey)
            {
                _since = Math.Max(_since, request.GetProperty("at").GetDouble() - 60); // a request is noted when it has been answered, which may be late
                _asked.Add((request.GetProperty("at").GetDouble(), request.GetProperty("method").GetString()!, request.GetProperty("path").GetString()!));
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _reading;
        _closing.Dispose();
    }

    private async Task ReadOnAsync()
    {
        using var timer = new PeriodicTimer(ReadEvery, TimeProvider.System);
        try
        {
            while (await timer.WaitForNextTickAsync(_closing.Token))
            {
                await ReadAsync(_closing.Token);
            }
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
        }
    }
}
