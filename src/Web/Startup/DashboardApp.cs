using System.Text.Json.Serialization;
using Dashboard.Infrastructure;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Notifications;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Prices;
using Dashboard.Infrastructure.Providers;
using Dashboard.Infrastructure.Scheduling;
using Dashboard.Infrastructure.Ssh;
using Dashboard.Web.Api;
using Dashboard.Web.Auth;
using Dashboard.Web.Features.Connections;
using Dashboard.Web.Features.Costs;
using Dashboard.Web.Features.Jobs;
using Dashboard.Web.Features.Prices;
using Dashboard.Web.Features.SetUp;
using Dashboard.Web.Features.SignIn;
using Dashboard.Web.Layout;
using Dashboard.Web.SandboxHost;
using Hangfire;
using Microsoft.AspNetCore.HostFiltering;
using MudBlazor.Services;

namespace Dashboard.Web.Startup;

/// <summary>The composition root: what the server is made of, and what it does before it answers.</summary>
internal static class DashboardApp
{
    /// <summary>Builds the server, brings its database up to date, and leaves it ready to run. The caller holds the data directory's lock as long as the server lives.</summary>
    /// <exception cref="ConfigurationFault">Naming the key to set.</exception>
    public static async Task<WebApplication> OpenAsync(WebApplicationBuilder builder, ServerSettings settings, CancellationToken ct)
    {
        if (string.IsNullOrEmpty(builder.Configuration["urls"]) && !builder.Configuration.GetSection("Kestrel:Endpoints").Exists())
        {
            builder.WebHost.UseUrls(ServerSettings.DefaultAddress); // 127.0.0.1, and [::1] where there is one
        }

        builder.WebHost.UseStaticWebAssets();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        builder.AddConsoleLog();
        AddServices(builder, settings);

        var app = builder.Build();
        try
        {
            await app.Services.GetRequiredService<OpenInstallation>().RunAsync(ct);
            UsePipeline(app);
            RecurringWork.Register(app.Services.GetRequiredService<IRecurringJobManager>());
            return app;
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    private static void AddServices(WebApplicationBuilder builder, ServerSettings settings)
    {
        var services = builder.Services;
        services.AddSingleton(settings).AddSingleton(TimeProvider.System).AddSingleton(new DataDirectory(settings.DataDirectory));
        services.AddKeyRing(settings);
        services.AddPersistence(settings.Database);
        services.AddMarketplaces(builder.Configuration);
        services.AddMachines();
        services.AddLifecycle();
        services.AddPrices();
        services.AddSingleton(new SiteAddress(settings.PublicUrl)).AddNotifications();
        services.AddSingleton<SetUpCode>().AddSingleton<OpenInstallation>().AddSingleton<BootstrapOwner>();
        services.AddScoped<CreateFirstOwner>();

        services.AddSandbox();
        services.AddJobFeatures();
        services.AddConnectionFeatures();
        services.AddPages().AddJobPages();
        services.AddDashboardAuth(settings);
        services.AddSignInLimit();
        services.AddApi();
        services.AddBehindProxy(builder.Configuration);
        services.PostConfigure<HostFilteringOptions>(hosts => hosts.AllowedHosts = [.. hosts.AllowedHosts, settings.PublicUrl.Host]);
        services.AddHealthChecks().AddCheck<DatabaseCheck>("database");
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.Converters.Add(new JsonStringEnumConverter()));

        services.AddMudServices();
        services.AddHttpContextAccessor();
        services.AddRazorComponents().AddInteractiveServerComponents(circuits =>
        {
            // The framework's own defaults keep a thousand abandoned circuits for two hours.
            circuits.DisconnectedCircuitMaxRetained = 100;
            circuits.DisconnectedCircuitRetentionPeriod = TimeSpan.FromMinutes(3);
            circuits.PersistedCircuitInMemoryMaxRetained = 100;
            circuits.PersistedCircuitInMemoryRetentionPeriod = TimeSpan.FromMinutes(15);
        });

        services.AddHangfire(hangfire => hangfire.UseSimpleAssemblyNameTypeSerializer().UseRecommendedSerializerSettings().UseInMemoryStorage());
        services.AddHangfireServer(server =>
        {
            server.WorkerCount = 4; // they only nudge
            server.ShutdownTimeout = TimeSpan.FromSeconds(5);
        });
        services.AddHostedService<KeepRecurringWork>();
    }

    private static void UsePipeline(WebApplication app)
    {
        app.UseForwardedHeaders();
        app.UseSecurityHeaders();
        app.UseLocalhostName();
        app.UseExceptionHandler("/error", createScopeForErrors: true);
        app.UseStatusCodePagesWithReExecute("/not-found", createScopeForStatusCodePages: true);
        app.UseApiProblems();
        app.UseRouting();
        app.UseRateLimiter();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseAntiforgery();

        app.MapHealthChecks("/health/live", new() { Predicate = static _ => false }).AllowAnonymous();
        app.MapHealthChecks("/health/ready").AllowAnonymous();
        app.MapStaticAssets().AllowAnonymous();
        app.MapHangfireDashboard("/system/hangfire", new DashboardOptions
        {
            Authorization = [],
            AsyncAuthorization = [new SiteAdministrators()],
            IsReadOnlyFunc = static _ => true,
            AppPath = "/",
            DisplayStorageConnectionString = false,
        }).RequireAuthorization();
        app.MapApi();
        app.MapSignOut();
        app.MapJobDownloads();
        app.MapLedgerDownload();
        app.MapEstimateDownload();
        app.MapPriceDownloads();
        app.MapStartPage();
        app.MapRazorComponents<App>()
            .AddInteractiveServerRenderMode(server => server.ContentSecurityFrameAncestorsPolicy = null) // SecurityHeaders says it
            .RequireAuthorization();
    }
}
