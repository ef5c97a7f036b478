using System.Net;
using Dashboard.Web.Auth;
using Dashboard.Web.Features.Connections;
using Dashboard.Web.Features.Jobs;
using Dashboard.Web.SandboxHost;
using Microsoft.AspNetCore.HttpOverrides;

namespace Dashboard.Web.Startup;

/// <summary>Use cases and queries are cheap and hold nothing: one of each for the whole server.</summary>
internal static class FeatureRegistration
{
    public static void AddJobFeatures(this IServiceCollection services) => services
        .AddSingleton<SubmitJob>()
        .AddSingleton<CancelJob>()
        .AddSingleton<ParkJob>()
        .AddSingleton<GoOnWithJob>()
        .AddSingleton<QuoteOffers>();

    public static void AddConnectionFeatures(this IServiceCollection services) => services
        .AddSingleton<ConnectableMarkets>()
        .AddSingleton<ConnectionQueries>()
        .AddSingleton<AddConnection>()
        .AddSingleton<ReplaceKey>()
        .AddSingleton<ChooseUse>()
        .AddSingleton<PauseConnection>()
        .AddSingleton<RemoveConnection>()
        .AddSingleton<TestConnection>();

    public static void AddSandbox(this IServiceCollection services)
    {
        services.AddOptions<SandboxOptions>().BindConfiguration("Sandbox").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<SandboxStatus>().AddSingleton<SandboxConnections>().AddHostedService<SandboxKeeper>();
    }

    /// <summary>Only proxies that were named are believed about who calls and over what.</summary>
    /// <exception cref="ConfigurationFault">An entry is no IP address.</exception>
    public static void AddBehindProxy(this IServiceCollection services, IConfiguration configuration)
    {
        const string key = "ForwardedHeaders:KnownProxies";
        var proxies = (configuration.GetSection(key).Get<string[]>() ?? configuration[key]?.Split([';', ','], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [])
            .Select(text => IPAddress.TryParse(text, out var address) ? address : throw new ConfigurationFault(key, $"'{text}' is no IP address.")).ToList();
        services.Configure<ForwardedHeadersOptions>(forwarded =>
        {
            forwarded.ForwardedHeaders = proxies.Count > 0 ? ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedHost : ForwardedHeaders.None;
            forwarded.KnownIPNetworks.Clear();
            forwarded.KnownProxies.Clear();
            proxies.ForEach(forwarded.KnownProxies.Add);
        });
    }

    /// <summary><c>/</c> leads to the team last looked at.</summary>
    public static void MapStartPage(this IEndpointRouteBuilder endpoints) => endpoints.MapGet("/", async (HttpContext http, TeamAuthorization teams, SetUpCode setUp) =>
    {
        if (setUp.IsOpen)
        {
            return Results.LocalRedirect("/setup");
        }

        return http.User.Identity?.IsAuthenticated != true ? Results.LocalRedirect("/sign-in")
            : await teams.TeamsOfAsync(http.User, http.RequestAborted) is [var first, ..] ? Results.LocalRedirect($"/t/{first.Slug}")
            : Results.LocalRedirect("/account");
    }).AllowAnonymous().ExcludeFromDescription();
}
