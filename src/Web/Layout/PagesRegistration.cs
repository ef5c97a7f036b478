using Dashboard.Web.Features.Costs;
using Dashboard.Web.Features.Home;
using Dashboard.Web.Features.Inbox;
using Dashboard.Web.Features.Jobs;
using Dashboard.Web.Features.Machines;
using Dashboard.Web.Features.Marketplaces;

namespace Dashboard.Web.Layout;

/// <summary>The frame and the list pages, with their queries.</summary>
public static class PagesRegistration
{
    public static IServiceCollection AddPages(this IServiceCollection services)
    {
        services.AddSingleton<MarketQueries>(); // its answers are shared by all viewers
        services.AddSingleton<MachineQueries>();
        services.AddSingleton<ShellQueries>();
        services.AddSingleton<HomeQueries>();
        services.AddSingleton<NextSteps>();
        services.AddSingleton<JobsListQueries>();
        services.AddSingleton<CostQueries>();
        services.AddSingleton<LedgerQueries>();
        services.AddSingleton<StatementQueries>();
        services.AddSingleton<InboxQueries>();
        services.AddSingleton<ResolveInboxItem>();
        return services;
    }
}
