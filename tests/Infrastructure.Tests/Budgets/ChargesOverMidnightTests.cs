using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Infrastructure.Lifecycle;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Tests.Budgets;

/// <summary>Weeks and months begin at midnight UTC: what a machine costs after it counts in the new one, however seldom it was metered.</summary>
public sealed class ChargesOverMidnightTests : IAsyncLifetime
{
    private static readonly HourlyRate Dollar = HourlyRate.FromUsd(1);
    private static readonly DateTimeOffset December = new(2026, 12, 1, 0, 0, 0, TimeSpan.Zero);

    private BudgetTown _town = null!;
    private Budget _budget = null!;
    private Domain.InstanceId _machine;

    public async ValueTask InitializeAsync()
    {
        _town = await BudgetTown.OpenAsync();
        _town.Time.SetUtcNow(December - TimeSpan.FromHours(1));
        var here = await _town.TeamAsync();
        _budget = await _town.BudgetAsync(here, 10);
        var (job, _) = await _town.SubmitAsync(here, Dollar, Money.FromUsd(3), TimeSpan.FromHours(3), mayPause: true);
        _machine = (await _town.RentAsync(job, Dollar))!.Id;
        await _town.ChangeAsync(_machine, change =>
        {
            change.MoveTo(InstanceStatus.Sent);
            change.MoveTo(InstanceStatus.Booting);
        });
        await _town.ChangeAsync(_machine, change =>
        {
            change.MoveTo(InstanceStatus.Ready);
            change.MoveTo(InstanceStatus.Running);
            (change.Instance.BillingSince, change.Instance.RunningSince, change.Instance.DiskRate) = (change.Now, change.Now, Dollar);
        });
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _town.DisposeAsync();
    }

    [Fact]
    public async Task A_charge_over_the_end_of_a_month_is_cut_there_and_the_new_month_has_its_part()
    {
        await PassAsync(TimeSpan.FromHours(3), change =>
        {
            MeterUsage.Gpu(change, change.Now);
            MeterUsage.Disk(change, change.Now);
        });

        Assert.Equal(
            [
                (ChargeKind.Gpu, December.AddHours(-1), December, Money.FromUsd(1)), (ChargeKind.Gpu, December, December.AddHours(2), Money.FromUsd(2)),
                (ChargeKind.Disk, December.AddHours(-1), December, Money.FromUsd(1)), (ChargeKind.Disk, December, December.AddHours(2), Money.FromUsd(2)),
            ],
            (await EntriesAsync()).Select(e => (e.Kind, e.PeriodStart, e.PeriodEnd, e.Amount)));
        Assert.Equal(Money.FromUsd(4), (await _town.ReadAsync(_budget)).Accrued);
    }

    [Fact]
    public async Task An_absence_of_days_leaves_a_charge_for_each()
    {
        await PassAsync(TimeSpan.FromHours(49.5), change => MeterUsage.Gpu(change, change.Now));

        Assert.Equal([1m, 24m, 24m, 0.5m], (await EntriesAsync()).Select(e => e.Amount.Usd));
        Assert.Equal(Money.FromUsd(49.5m), (await _town.InstanceAsync(_machine)).GpuPostedOfRun);
    }

    [Fact]
    public async Task Traffic_of_a_machine_that_ends_in_the_new_month_counts_there()
    {
        await PassAsync(TimeSpan.FromHours(3), change =>
        {
            (change.Attempt.BytesDown, change.Instance.DownloadPerGb) = (5_000_000_000, Money.FromUsd(0.5m));
            MeterUsage.Traffic(change, change.Now);
        });

        Assert.Equal((December, December.AddHours(2), Money.FromUsd(2.5m)), Assert.Single(await EntriesAsync(), e => e.Kind == ChargeKind.Download) is var e ? (e.PeriodStart, e.PeriodEnd, e.Amount) : default);
        Assert.Equal(Money.FromUsd(2.5m), (await _town.ReadAsync(_budget)).Accrued);
    }

    private Task PassAsync(TimeSpan time, Action<InstanceChange> change)
    {
        _town.Time.Advance(time);
        return _town.ChangeAsync(_machine, change);
    }

    private async Task<IReadOnlyList<LedgerEntry>> EntriesAsync()
    {
        await using var db = await _town.Database.ForSystemAsync(default);
        return await db.Ledger.AsNoTracking().OrderBy(e => e.Id).ToListAsync();
    }
}
