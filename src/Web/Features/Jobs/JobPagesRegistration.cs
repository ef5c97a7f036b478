namespace Dashboard.Web.Features.Jobs;

/// <summary>What the pages of one job need besides the use cases.</summary>
public static class JobPagesRegistration
{
    public static IServiceCollection AddJobPages(this IServiceCollection services) => services.AddSingleton<JobQueries>().AddSingleton<DecideJob>().AddSingleton<RemindApprovers>().AddSingleton<OutbidActions>().AddSingleton<OrderActions>().AddSingleton<OrderHelp>().AddSingleton<BulkStopping>().AddSingleton<NewJobQueries>();
}
