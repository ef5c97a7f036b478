using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Instances;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Notifications;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dashboard.Infrastructure.Tests.Budgets;

/// <summary>People are told at shares of a limit: each once a period, by the very charge that reached it.</summary>
public sealed class BudgetStepNewsTests : IAsyncLifetime
{
    private static readonly HourlyRate Dollar = HourlyRate.FromUsd(1);

    private BudgetTown _town = null!;
    private Neighbourhood _here = null!;

    public async ValueTask InitializeAsync()
    {
        _town = await BudgetTown.OpenAsync();
        _here = await _town.TeamAsync();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _town.DisposeAsync();
    }

    [Fact]
    public async Task Each_share_is_told_once_a_period_and_again_in_the_next()
    {
        await BudgetAsync(10);
        var machine = await RunningAsync();
        for (var hour = 1; hour <= 8; hour++)
        {
            await PassAsync(machine, TimeSpan.FromMinutes(59));
            await PassAsync(machine, TimeSpan.FromMinutes(1)); // a second charge above the same share
        }

        Assert.Equal(["Halden Lab has spent 25% of $10.00 this month", "Halden Lab has spent 50% of $10.00 this month", "Halden Lab has spent 75% of $10.00 this month"], await NewsAsync());

        _town.Time.SetUtcNow(new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero));
        await _town.ChangeAsync(machine, change => MeterUsage.Gpu(change, change.Now)); // belongs to November
        await PassAsync(machine, TimeSpan.FromHours(3));
        Assert.Equal(25, (await ReadAsync()).ToldPercent);
        Assert.Equal(2, (await NewsAsync()).Count(n => n.Contains("25%", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_charge_that_jumps_over_several_shares_tells_each_and_the_whole_as_reached()
    {
        await BudgetAsync(10, AtLimit.Tell);
        await PassAsync(await RunningAsync(), TimeSpan.FromHours(12));

        Assert.Equal(
            ["Halden Lab has spent 25% of $10.00 this month", "Halden Lab has spent 50% of $10.00 this month", "Halden Lab has spent 75% of $10.00 this month", "Halden Lab has spent 90% of $10.00 this month", "Halden Lab reached $10.00 this month"],
            await NewsAsync());
    }

    [Fact]
    public async Task A_charge_whose_transaction_did_not_come_to_its_end_tells_nothing_and_the_one_that_did_tells_it()
    {
        await BudgetAsync(10);
        var machine = await RunningAsync();
        _town.Time.Advance(TimeSpan.FromHours(3));

        await Assert.ThrowsAsync<DbUpdateException>(() => _town.ChangeAsync(machine, change =>
        {
            MeterUsage.Gpu(change, change.Now);
            foreach (var _ in Enumerable.Range(0, 2)) // refused when all the rest is written
            {
                change.Db.Notices.Add(new Notice { TeamId = _here.Team.Id, MessageId = 1, Kind = "x", Tone = "ok", Title = "x", Detail = "x", At = change.Now });
            }
        }));
        Assert.Equal(0, (await ReadAsync()).ToldPercent);
        Assert.Empty(await NewsAsync());

        await _town.ChangeAsync(machine, change => MeterUsage.Gpu(change, change.Now));
        Assert.Single(await NewsAsync());
    }

    private async Task BudgetAsync(decimal limit, AtLimit atLimit = AtLimit.StartNothingNew)
    {
        var budget = await _town.BudgetAsync(_here, limit, atLimit: atLimit);
        await using var db = await _town.Database.ForSystemAsync(default);
        (await db.Budgets.SingleAsync(b => b.Id == budget.Id)).TellAt = BudgetSteps.Usual;
        await db.SaveChangesAsync();
    }

    private async Task<Domain.InstanceId> RunningAsync()
    {
        var (job, _) = await _town.SubmitAsync(_here, Dollar, Money.FromUsd(2), TimeSpan.FromHours(2), mayPause: true);
        var machine = (await _town.RentAsync(job, Dollar))!.Id;
        await _town.ChangeAsync(machine, change =>
        {
            change.MoveTo(InstanceStatus.Sent);
            change.MoveTo(InstanceStatus.Booting);
        });
        await _town.ChangeAsync(machine, change =>
        {
            change.MoveTo(InstanceStatus.Ready);
            change.MoveTo(InstanceStatus.Running);
            (change.Instance.BillingSince, change.Instance.RunningSince) = (change.Now, change.Now);
        });
        return machine;
    }

    private async Task PassAsync(Domain.InstanceId machine, TimeSpan time)
    {
        _town.Time.Advance(time);
        await _town.ChangeAsync(machine, change => MeterUsage.Gpu(change, change.Now));
    }

    private async Task<Budget> ReadAsync()
    {
        await using var db = await _town.Database.ForSystemAsync(default);
        return await db.Budgets.AsNoTracking().SingleAsync();
    }

    private async Task<IReadOnlyList<string>> NewsAsync()
    {
        await new OutboxDispatcher(_town.Database, new ChangeFeed(), _town.Time, NullLogger<OutboxDispatcher>.Instance).RunAsync(default);
        await using var db = await _town.Database.ForSystemAsync(default);
        return await db.Notices.AsNoTracking().Where(n => n.Kind != OutboxKinds.JobEnded).OrderBy(n => n.Id).Select(n => n.Title).ToListAsync();
    }
}
