namespace Dashboard.Sandbox.Http;

/// <summary>Which permission category a route needs. A scoped key reaches no route without one.</summary>
internal static class Permissions
{
    /// <summary>The provider's categories that a renter's key can have.</summary>
    public static readonly IReadOnlyList<string> Categories =
        ["misc", "user_read", "user_write", "instance_read", "instance_write", "billing_read", "billing_write", "machine_read", "machine_write", "team_read", "team_write"];

    // The first that matches holds.
    private static readonly (RoutePattern Route, string Category)[] Table =
    [
        (new(null, "/api/v0/bundles"), "misc"),
        (new(null, "/api/v0/search/asks"), "misc"),
        (new("GET", "/api/v0/users/current"), "user_read"),
        (new("GET", "/api/v0/auth/apikeys"), "user_read"),
        (new(null, "/api/v0/auth/apikeys/**"), "user_write"),
        (new(null, "/api/v0/auth/apikeys"), "user_write"),
        (new("PUT", "/api/v0/commands/reset_apikey"), "user_write"),
        (new("GET", "/api/v0/ssh"), "user_read"),
        (new(null, "/api/v0/ssh"), "user_write"),
        (new(null, "/api/v0/ssh/*"), "user_write"),
        (new("GET", "/api/v0/charges"), "billing_read"),
        (new("GET", "/api/v1/invoices"), "billing_read"),
        (new("GET", "/api/v0/users/me/invoices"), "billing_read"),
        (new("GET", "/api/v0/metrics/gpu/*"), "machine_read"),
        (new("PUT", "/api/v0/instances/request_logs/*"), "instance_read"),
        (new("GET", "/api/v1/instances"), "instance_read"),
        (new("GET", "/api/v0/instances"), "instance_read"),
        (new("GET", "/api/v0/instances/**"), "instance_read"),
        (new(null, "/api/v0/instances"), "instance_write"),
        (new(null, "/api/v0/instances/**"), "instance_write"),
        (new(null, "/api/v0/asks/**"), "instance_write"),
        (new(null, "/api/v0/launch_instance"), "instance_write"),
        (new(null, "/api/v0/commands/*"), "instance_write"),
    ];

    public static string? CategoryOf(string method, string path) => Array.Find(Table, entry => entry.Route.Matches(method, path)).Category;
}
