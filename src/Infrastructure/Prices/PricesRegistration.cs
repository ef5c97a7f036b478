using Dashboard.Infrastructure.Scheduling;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Infrastructure.Prices;

public static class PricesRegistration
{
    /// <summary>The price history and its poller. Needs persistence, the marketplaces and the lifecycle.</summary>
    public static IServiceCollection AddPrices(this IServiceCollection services)
    {
        services.AddOptions<PricePollingOptions>().BindConfiguration(PricePollingOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<PriceRetention>().BindConfiguration("Retention:Prices");
        services.AddSingleton<PriceStore>();
        services.AddSingleton<PriceAlerts>();
        services.AddSingleton<PricePoller>();
        services.AddTransient<PollPrices>();
        services.AddTransient<PrunePrices>();
        return services;
    }
}
