using Dashboard.Infrastructure.Prices;
using Dashboard.Web.Features.Alerts;
using Dashboard.Web.Features.Budgets;
using Dashboard.Web.Features.Costs;
using Dashboard.Web.Features.Home;
using Dashboard.Web.Features.Inbox;
using Dashboard.Web.Features.Jobs;
using Dashboard.Web.Features.Machines;
using Dashboard.Web.Features.Marketplaces;
using Dashboard.Web.Features.Notifications;
using Dashboard.Web.Features.Prices;
using Dashboard.Web.Features.Site;
using MudBlazor;

namespace Dashboard.Web.Layout;

/// <summary>The frame and the list pages, with their queries.</summary>
public static class PagesRegistration
{
    public static IServiceCollection AddPages(this IServiceCollection services)
    {
        services.AddSingleton<MarketQueries>(); // its answers are shared by all viewers
        services.AddSingleton<MachineQueries>();
        services.AddSingleton<ShellQueries>().AddSingleton<PaletteQueries>();
        services.AddOptions<PricePollingOptions>();
        services.AddSingleton<PriceQueries>().AddSingleton<WatchPrices>().AddSingleton<PriceAlertDesk>().AddSingleton<BidHelp>();
        services.AddSingleton<HomeQueries>();
        services.AddSingleton<NextSteps>();
        services.AddSingleton<JobsListQueries>();
        services.AddSingleton<CostQueries>();
        services.AddSingleton<LedgerQueries>();
        services.AddSingleton<StatementQueries>();
        services.AddSingleton<BudgetQueries>().AddSingleton<ChangeBudgets>().AddSingleton<RoleLimits>();
        services.AddSingleton<ResultQueries>().AddSingleton<EstimateQueries>();
        services.AddSingleton<BillQueries>().AddSingleton<DecideBillLine>().AddSingleton<AskForBill>();
        services.AddSingleton<InboxQueries>();
        services.AddSingleton<SettleInboxItem>().AddSingleton<SeenNews>();
        services.AddSingleton<AlertDesk>();
        services.AddSingleton<ChannelQueries>().AddSingleton<ChangeChannels>();
        services.AddSingleton<ConfirmInstallation>();
        services.Configure<SnackbarConfiguration>(toasts =>
        {
            // A toast answers one's own click; nothing is in a toast only.
            toasts.PositionClass = Defaults.Classes.Position.BottomLeft;
            toasts.VisibleStateDuration = 5_000;
            toasts.MaxDisplayedSnackbars = 3;
            toasts.PreventDuplicates = true;
            toasts.ShowCloseIcon = false;
            toasts.SnackbarVariant = Variant.Outlined;
        });
        return services;
    }
}
