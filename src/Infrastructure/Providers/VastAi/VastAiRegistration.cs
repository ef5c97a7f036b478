using System.Net;
using System.Net.Http.Headers;
using System.Reflection;
using Dashboard.Infrastructure.Egress;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Options;
using Polly;
using Polly.Retry;

namespace Dashboard.Infrastructure.Providers.VastAi;

public static class VastAiRegistration
{
    private static readonly string Version = typeof(VastAiRegistration).Assembly.GetName().Version?.ToString(3) ?? "0";

    /// <summary>The Vast.ai adapter: its HTTP clients, limiters and options (<see cref="VastAiOptions"/>).</summary>
    public static IServiceCollection AddVastAi(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<VastAiOptions>().Bind(configuration.GetSection(VastAiOptions.Section)).ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<EgressOptions>().Bind(configuration.GetSection(EgressOptions.Section));
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<EgressClient>();
        services.AddSingleton<VastAiGates>();
        services.AddSingleton<SearchedRows>();
        services.AddSingleton<VastAiClients>();
        services.AddTransient<VastAiHandler>();

        var repeatable = AddClient(services, VastAiClients.Repeatable, TimeSpan.FromMinutes(5));
        repeatable.AddResilienceHandler("retry", (pipeline, context) => Retry(pipeline, context.ServiceProvider));
        repeatable.AddHttpMessageHandler<VastAiHandler>();

        // A kept connection that the provider has just closed would make an Unclear out of a rent that was never sent: always a new one.
        AddClient(services, VastAiClients.Rent, TimeSpan.Zero).AddHttpMessageHandler<VastAiHandler>();
        AddClient(services, VastAiClients.Destroy, TimeSpan.FromMinutes(5)).AddHttpMessageHandler<VastAiHandler>();
        return services;
    }

    private static IHttpClientBuilder AddClient(IServiceCollection services, string name, TimeSpan keepConnections) =>
        services.AddHttpClient(name, client => client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("Dashboard", Version)))
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .RedactLoggedHeaders(_ => true)
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
            {
                AllowAutoRedirect = false, // a followed redirect drops the key and parses as an empty answer
                UseCookies = false,
                AutomaticDecompression = DecompressionMethods.All,
                ConnectTimeout = TimeSpan.FromSeconds(10),
                PooledConnectionLifetime = keepConnections,
            });

    private static void Retry(ResiliencePipelineBuilder<HttpResponseMessage> pipeline, IServiceProvider services)
    {
        var options = services.GetRequiredService<IOptions<VastAiOptions>>().Value;
        pipeline.TimeProvider = services.GetRequiredService<TimeProvider>();
        pipeline.AddTimeout(options.RetriedCallTimeout);
        pipeline.AddRetry(new HttpRetryStrategyOptions
        {
            // 429 is not among them: the gate closes and the caller hears how long.
            ShouldHandle = new PredicateBuilder<HttpResponseMessage>()
                .Handle<HttpRequestException>()
                .HandleResult(response => response.StatusCode is HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError),
            MaxRetryAttempts = options.Retries,
            Delay = options.FirstRetryDelay,
            MaxDelay = options.LongestRetryDelay,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            ShouldRetryAfterHeader = false,
        });
    }
}
