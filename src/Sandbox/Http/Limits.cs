using System.Globalization;

namespace Dashboard.Sandbox.Http;

internal enum LimitMode
{
    Off,

    /// <summary>The provider's published thresholds.</summary>
    Real,

    /// <summary>Three times as long, and a call that comes too early starts the wait over.</summary>
    Harsh,
}

/// <summary>The least time between two calls of a route by one key.</summary>
/// <param name="Penalty">Seconds to wait after a call that came too early; zero adds nothing.</param>
internal sealed record RouteLimit(string Name, RoutePattern Route, double Seconds, double Penalty = 0);

/// <summary>Who comes too often: least intervals per route and key, searches per minute and address, offer rows per day and caller. Counters start afresh with the process.</summary>
internal sealed class Limits(TimeProvider time)
{
    public const int RowsADay = 20_000;
    public const int HarshRowsADay = 1_000;
    private const int SearchesAMinute = 10;
    private const int HarshSearchesAMinute = 3;
    private const int HarshFactor = 3;
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly RoutePattern[] Searches = [new(null, "/api/v0/bundles"), new(null, "/api/v0/search/asks")];

    // The first that matches holds. Routes without a published threshold have two seconds.
    private static readonly RouteLimit[] Table =
    [
        new("rent", new RoutePattern("PUT", "/api/v0/asks/*"), 4.5, 12),
        new("rent many", new RoutePattern("POST", "/api/v0/asks/bulk"), 4.5, 12),
        new("launch", new RoutePattern("PUT", "/api/v0/launch_instance"), 5),
        new("list", new RoutePattern("GET", "/api/v1/instances"), 1),
        new("list filters", new RoutePattern("GET", "/api/v0/instances/filters"), 1),
        new("get", new RoutePattern("GET", "/api/v0/instances/*"), 2),
        new("bid", new RoutePattern("PUT", "/api/v0/instances/bid_price/*"), 5.5),
        new("reboot", new RoutePattern("PUT", "/api/v0/instances/reboot/*"), 1),
        new("recycle", new RoutePattern("PUT", "/api/v0/instances/recycle/*"), 1),
        new("execute", new RoutePattern("PUT", "/api/v0/instances/command/*"), 1.5),
        new("logs", new RoutePattern("PUT", "/api/v0/instances/request_logs/*"), 2),
        new("prepay", new RoutePattern("PUT", "/api/v0/instances/prepay/*"), 2),
        new("state", new RoutePattern("PUT", "/api/v0/instances/*"), 1),
        new("destroy", new RoutePattern("DELETE", "/api/v0/instances/*"), 3),
        new("attach", new RoutePattern("POST", "/api/v0/instances/*/ssh"), 2),
        new("detach", new RoutePattern("DELETE", "/api/v0/instances/*/ssh/*"), 2),
        new("add key", new RoutePattern("POST", "/api/v0/ssh"), 1),
        new("change key", new RoutePattern("PUT", "/api/v0/ssh/*"), 1),
        new("copy", new RoutePattern("PUT", "/api/v0/commands/copy_direct"), 3.5),
        new("charges", new RoutePattern("GET", "/api/v0/charges"), 1),
        new("invoices", new RoutePattern("GET", "/api/v1/invoices"), 3),
        new("make api key", new RoutePattern("POST", "/api/v0/auth/apikeys"), 2),
        new("drop api key", new RoutePattern("DELETE", "/api/v0/auth/apikeys/*"), 2),
        new("api keys", new RoutePattern("GET", "/api/v0/auth/apikeys"), 1),
        new("metrics", new RoutePattern("GET", "/api/v0/metrics/gpu/*"), 3),
        new("user", new RoutePattern("GET", "/api/v0/users/current"), 2),
    ];

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Route, string Caller), DateTimeOffset> _notBefore = [];
    private readonly Dictionary<string, Queue<DateTimeOffset>> _searches = [];
    private readonly Dictionary<string, (DateOnly Day, long Rows)> _rows = [];

    /// <summary>Counts a call.</summary>
    /// <param name="key">Null without a key: then the address is who calls.</param>
    /// <returns>Null when it may pass, otherwise the plain text of the refusal.</returns>
    public string? Refusal(LimitMode mode, string method, string path, string? key, string address)
    {
        if (mode == LimitMode.Off)
        {
            return null;
        }

        var now = time.GetUtcNow();
        lock (_gate)
        {
            return Array.Exists(Searches, search => search.Matches(method, path)) ? SearchRefusal(mode, address, now)
                : Array.Find(Table, limit => limit.Route.Matches(method, path)) is { } limit ? RouteRefusal(mode, limit, key ?? address, now)
                : null;
        }
    }

    /// <summary>Seconds until the caller may see offers again; null while rows are left today.</summary>
    public double? RowsSpent(string caller, int rowsADay)
    {
        var now = time.GetUtcNow();
        lock (_gate)
        {
            return _rows.TryGetValue(caller, out var today) && today.Day == Today(now) && today.Rows >= rowsADay ? (now.UtcDateTime.Date.AddDays(1) - now.UtcDateTime).TotalSeconds : null;
        }
    }

    public void CountRows(string caller, int rows)
    {
        var today = Today(time.GetUtcNow());
        lock (_gate)
        {
            _rows[caller] = (today, rows + (_rows.TryGetValue(caller, out var before) && before.Day == today ? before.Rows : 0));
        }
    }

    /// <summary>Forgets who called: switching limits begins a clean page.</summary>
    public void Forget()
    {
        lock (_gate)
        {
            _notBefore.Clear();
            _searches.Clear();
            _rows.Clear();
        }
    }

    private static DateOnly Today(DateTimeOffset now) => DateOnly.FromDateTime(now.UtcDateTime);

    private string? RouteRefusal(LimitMode mode, RouteLimit limit, string caller, DateTimeOffset now)
    {
        var seconds = limit.Seconds * (mode == LimitMode.Harsh ? HarshFactor : 1);
        var id = (limit.Name, caller);
        if (!_notBefore.TryGetValue(id, out var from) || now >= from)
        {
            _notBefore[id] = now.AddSeconds(seconds);
            return null;
        }

        var penalty = Math.Max(limit.Penalty, mode == LimitMode.Harsh ? seconds : 0);
        if (penalty > 0)
        {
            _notBefore[id] = now.AddSeconds(penalty);
        }

        return string.Create(CultureInfo.InvariantCulture, $"API requests too frequent: endpoint threshold={seconds:0.0##}");
    }

    private string? SearchRefusal(LimitMode mode, string address, DateTimeOffset now)
    {
        var seen = _searches.TryGetValue(address, out var known) ? known : _searches[address] = new Queue<DateTimeOffset>();
        while (seen.TryPeek(out var oldest) && now - oldest >= Minute)
        {
            seen.Dequeue();
        }

        if (seen.Count >= (mode == LimitMode.Harsh ? HarshSearchesAMinute : SearchesAMinute))
        {
            return "API requests too frequent";
        }

        seen.Enqueue(now);
        return null;
    }
}
