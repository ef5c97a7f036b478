using Dashboard.Infrastructure.Alerts;
using Dashboard.Infrastructure.Egress;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Infrastructure.Notifications;

public static class NotificationsRegistration
{
    /// <summary>The channels out of the dashboard. Needs persistence, the marketplaces (their vault and egress), the lifecycle and a <see cref="SiteAddress"/>.</summary>
    public static IServiceCollection AddNotifications(this IServiceCollection services)
    {
        services.AddOptions<SmtpOptions>().BindConfiguration(SmtpOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<DeliveryRetention>().BindConfiguration(DeliveryRetention.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<Mailer>();
        services.AddSingleton(p => new ChannelSender(p.GetRequiredService<EgressClient>(), p.GetRequiredService<Mailer>(), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton<DeliveryDispatcher>();
        services.AddHostedService<DeliveryService>();
        services.AddTransient<DispatchDeliveries>();
        services.AddTransient<PruneDeliveries>();
        services.AddTransient<EvaluateAlerts>();
        return services;
    }
}
