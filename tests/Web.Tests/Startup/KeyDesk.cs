using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dashboard.Web.Tests.Startup;

/// <summary>Answers "whose key is this" in the provider's words; has no offers, and everything else of it is down. Not a marketplace: nothing can be rented here.</summary>
internal sealed class KeyDesk : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, (int Account, string Name, decimal Credit)> _keys = new();

    private readonly ConcurrentDictionary<string, bool> _withheld = new();

    private KeyDesk(WebApplication app) => _app = app;

    public string Address => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    public static async Task<KeyDesk> OpenAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var desk = new KeyDesk(app);
        app.MapGet("/api/v0/users/current/", (HttpContext http) => desk._keys.TryGetValue(http.Request.Headers.Authorization.ToString().Replace("Bearer ", "", StringComparison.Ordinal), out var owner)
            ? Results.Content(string.Create(CultureInfo.InvariantCulture, $$"""{"id": {{owner.Account}}, "username": "{{owner.Name}}", "credit": {{owner.Credit}}}"""), "application/json")
            : Results.Content("""{"success": false, "error": "auth_error", "msg": "Invalid user key"}""", "application/json", statusCode: StatusCodes.Status401Unauthorized));
        app.MapPost("/api/v0/bundles/", () => Results.Content("""{"offers": []}""", "application/json"));
        app.MapGet("/api/v1/instances/", (HttpContext http) => desk.Answer(http, "instance_read", """{"instances": [], "total_instances": 0, "next_token": null}"""));
        app.MapPut("/api/v0/instances/{id}/", (HttpContext http) => desk.Answer(http, "instance_write", """{"success": false, "error": "no_such_instance", "msg": "No such instance."}""", StatusCodes.Status404NotFound));
        app.MapGet("/api/v0/charges/", (HttpContext http) => desk.Answer(http, "billing_read", """{"results": [], "next_token": null}"""));
        app.MapFallback(() => Results.Content("""{"error": "down"}""", "application/json", statusCode: StatusCodes.Status503ServiceUnavailable));
        await app.StartAsync();
        return desk;
    }

    /// <summary>A scoped key without this permission from now on.</summary>
    public void Withholds(string scope) => _withheld[scope] = true;

    public void Knows(string key, int account = 7, string name = "lab-team", decimal credit = 48.12m) => _keys[key] = (account, name, credit);

    private IResult Answer(HttpContext http, string scope, string json, int status = StatusCodes.Status200OK) =>
        !_keys.ContainsKey(http.Request.Headers.Authorization.ToString().Replace("Bearer ", "", StringComparison.Ordinal))
            ? Results.Content("""{"success": false, "error": "auth_error", "msg": "Invalid user key"}""", "application/json", statusCode: StatusCodes.Status404NotFound)
            : _withheld.ContainsKey(scope)
                ? Results.Content("""{"success": false, "msg": "Permission missing"}""", "application/json", statusCode: StatusCodes.Status403Forbidden)
                : Results.Content(json, "application/json", statusCode: status);

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
