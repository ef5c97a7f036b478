using Dashboard.Infrastructure.Scheduling;
using Dashboard.Tests.Shared;
using Hangfire;
using Hangfire.InMemory;
using Hangfire.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Dashboard.Infrastructure.Tests.Scheduling;

/// <summary>What Hangfire forgets of its recurring work is entered again, whatever it is.</summary>
public sealed class RecurringWorkTests
{
    public static TheoryData<string> Each => [.. RecurringWork.Ids];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Each))]
    public async Task Recurring_work_that_was_removed_comes_back(string id)
    {
        using var storage = new InMemoryStorage();
        var (recurring, time) = (new RecurringJobManager(storage), new FakeTimeProvider());
        RecurringWork.Register(recurring);
        using var keeper = new KeepRecurringWork(recurring, storage, time, NullLogger<KeepRecurringWork>.Instance);
        await keeper.StartAsync(Ct);

        recurring.RemoveIfExists(id);
        Assert.DoesNotContain(id, Known(storage));
        await Eventually.HoldsAsync(() =>
        {
            time.Advance(KeepRecurringWork.Every);
            return Known(storage).Contains(id);
        }, $"{id} is back", ct: Ct);

        Assert.Equal(RecurringWork.Ids.Order(), Known(storage).Order());
        await keeper.StopAsync(Ct);
    }

    private static List<string> Known(JobStorage storage)
    {
        using var connection = storage.GetConnection();
        return [.. connection.GetRecurringJobs().Where(job => !job.Removed).Select(job => job.Id)];
    }
}
