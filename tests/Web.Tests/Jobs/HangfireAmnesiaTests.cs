using Dashboard.Infrastructure.Scheduling;
using Dashboard.Tests.Shared;
using Dashboard.Web.Tests.Startup;
using Hangfire;
using Hangfire.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Jobs;

/// <summary>Hangfire is an alarm clock: what it forgets is entered again.</summary>
[Collection(OneServerAtATime.Name)]
public sealed class HangfireAmnesiaTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_running_server_whose_Hangfire_has_lost_everything_has_it_all_again_within_a_minute()
    {
        await using var dashboard = await RunningDashboard.StartAsync();
        var storage = dashboard.App.Services.GetRequiredService<JobStorage>();
        Assert.Equal(RecurringWork.Ids.Order(), Known(storage).Order());

        using (var connection = storage.GetConnection())
        using (var all = (JobStorageTransaction)connection.CreateWriteTransaction())
        {
            foreach (var id in RecurringWork.Ids)
            {
                all.RemoveHash($"recurring-job:{id}");
            }

            all.RemoveSet("recurring-jobs");
            all.Commit();
        }

        Assert.Empty(Known(storage));
        await Eventually.HoldsAsync(() => Known(storage).Count == RecurringWork.Ids.Count, "all of it is back", TimeSpan.FromMinutes(1), Ct);
    }

    private static List<string> Known(JobStorage storage)
    {
        using var connection = storage.GetConnection();
        return [.. connection.GetRecurringJobs().Where(job => !job.Removed).Select(job => job.Id)];
    }
}
