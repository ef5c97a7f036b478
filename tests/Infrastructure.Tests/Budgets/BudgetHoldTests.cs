using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Budgets;
using Dashboard.Infrastructure.Lifecycle;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Tests.Budgets;

/// <summary>Money is set aside before a machine is rented, on every budget or on none, and given back when the machine is gone.</summary>
public sealed class BudgetHoldTests : IAsyncLifetime
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
    public async Task Two_jobs_submitted_at_once_cannot_both_be_promised_the_last_dollars()
    {
        var budget = await _town.BudgetAsync(_here, 3); // one job needs $2.17, two do not fit

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => _town.SubmitAsync(_here, Dollar, Money.FromUsd(2), TimeSpan.FromHours(2)))));

        Assert.Single(answers, a => a.Refused is null);
        var read = await _town.ReadAsync(budget);
        Assert.True(read.Accrued + read.Held <= read.Limit);
    }

    [Fact]
    public async Task Two_machines_rented_at_once_cannot_both_be_held_for_by_the_last_dollars()
    {
        var budget = await _town.BudgetAsync(_here, 1.30m); // an hour and ten minutes is $1.17
        var jobs = new List<Job>();
        for (var n = 0; n < 8; n++)
        {
            jobs.Add((await _town.SubmitAsync(_here, Dollar, Money.FromUsd(20), TimeSpan.FromHours(20), mayPause: true)).Job);
        }

        var rents = await Task.WhenAll(jobs.Select(job => Task.Run(() => _town.RentAsync(job, Dollar))));

        Assert.Single(rents, r => r is not null);
        var (accrued, held) = await _town.TruthAsync(budget);
        Assert.Equal((Money.Zero, 70 * 60), (accrued, (int)(held.Usd * 3600)));
        Assert.Equal(held, (await _town.ReadAsync(budget)).Held);
    }

    [Fact]
    public async Task The_statement_itself_refuses_what_passes_a_limit_whatever_was_read_before()
    {
        var team = await _town.BudgetAsync(_here, 100);
        var project = await _town.BudgetAsync(_here, 1, _here.Projects[1]);
        await using (var db = await _town.Database.ForSystemAsync(default))
        {
            Assert.False(BudgetBook.Raise(db, [(team, Money.FromUsd(1.01m)), (project, Money.FromUsd(1.01m))], running: false));
        }

        Assert.Equal((Money.Zero, Money.Zero), ((await _town.ReadAsync(team)).Held, (await _town.ReadAsync(project)).Held));
    }

    [Fact]
    public async Task A_hold_is_taken_on_every_budget_or_on_none()
    {
        var team = await _town.BudgetAsync(_here, 100);
        var project = await _town.BudgetAsync(_here, 0.10m, _here.Projects[1]);
        var (job, _) = await _town.SubmitAsync(_here, Dollar, Money.FromUsd(5), TimeSpan.FromHours(5), _here.Projects[1], mayPause: true);

        Assert.Null(await _town.RentAsync(job, Dollar));

        Assert.Equal((Money.Zero, Money.Zero), ((await _town.ReadAsync(team)).Held, (await _town.ReadAsync(project)).Held));
    }

    [Fact]
    public async Task Charges_move_money_from_held_to_accrued_and_the_rest_is_given_back_when_the_machine_is_gone()
    {
        var budget = await _town.BudgetAsync(_here, 10);
        var machine = await RunningAsync(mayPause: true);
        var before = (await _town.ReadAsync(budget)).Held;

        _town.Time.Advance(TimeSpan.FromMinutes(6));
        await _town.ChangeAsync(machine, change => MeterUsage.Gpu(change, change.Now));

        var read = await _town.ReadAsync(budget);
        Assert.Equal((Money.FromUsd(0.1m), before - Money.FromUsd(0.1m)), (read.Accrued, read.Held));

        await _town.ChangeAsync(machine, change => change.Destroy(StopReason.Finished, "Done."));
        Assert.Equal(read.Held, (await _town.ReadAsync(budget)).Held); // kept until it is proven gone
        await _town.ChangeAsync(machine, change => change.MoveTo(InstanceStatus.Gone));
        Assert.Equal((Money.FromUsd(0.1m), Money.Zero), ((await _town.ReadAsync(budget)).Accrued, (await _town.ReadAsync(budget)).Held));
    }

    [Fact]
    public async Task A_new_month_begins_at_nothing_and_keeps_what_is_held()
    {
        var budget = await _town.BudgetAsync(_here, 10);
        _town.Time.SetUtcNow(new DateTimeOffset(2026, 11, 30, 23, 50, 0, TimeSpan.Zero));
        var machine = await RunningAsync(mayPause: true);
        _town.Time.Advance(TimeSpan.FromMinutes(9));
        await _town.ChangeAsync(machine, change => MeterUsage.Gpu(change, change.Now));
        Assert.Equal(Money.FromUsd(0.15m), (await _town.ReadAsync(budget)).Accrued);

        _town.Time.Advance(TimeSpan.FromMinutes(4)); // December
        await _town.ChangeAsync(machine, change => MeterUsage.Gpu(change, change.Now));
        _town.Time.Advance(TimeSpan.FromMinutes(3));
        await _town.ChangeAsync(machine, change => MeterUsage.Gpu(change, change.Now));

        var read = await _town.ReadAsync(budget);
        Assert.Equal(new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero), read.PeriodStart);
        Assert.Equal(await _town.TruthAsync(budget), (read.Accrued, read.Held));
        Assert.Equal(Money.FromUsd(0.10m), read.Accrued); // of the four minutes over midnight, three are its own
    }

    [Fact]
    public async Task A_refused_renewal_lets_the_machine_use_what_is_held_and_keeps_ten_minutes_to_save_and_destroy()
    {
        await _town.BudgetAsync(_here, 0.50m); // half an hour
        var machine = await RunningAsync(mayPause: true);
        Assert.Equal(_town.Now.AddMinutes(30), (await _town.InstanceAsync(machine)).HeldUntil!.Value, TimeSpan.FromMilliseconds(5));

        _town.Time.Advance(TimeSpan.FromSeconds((20 * 60) + 1));
        await _town.KeepFundedAsync(machine);

        var row = await _town.InstanceAsync(machine);
        Assert.Equal("Halden Lab reached $0.50 this month.", row.HoldRefusal?.Full);
        Assert.Equal(_town.Now.AddSeconds(599), row.HeldUntil!.Value, TimeSpan.FromMilliseconds(5));
        await using var db = await _town.Database.ForSystemAsync(default);
        Assert.Equal("budget", (await db.Inbox.SingleAsync()).Kind);
        Assert.Equal("budget.reached", (await db.Outbox.SingleAsync()).Kind);

        _town.Time.Advance(TimeSpan.FromMinutes(8.1)); // it did not answer, and did not stop
        await _town.KeepFundedAsync(machine);
        Assert.Equal((InstanceStatus.Destroying, StopReason.BudgetExhausted), ((await _town.InstanceAsync(machine)).Status, (await _town.InstanceAsync(machine)).EndReason));
    }

    [Fact]
    public async Task A_limit_set_below_what_is_spent_leaves_ten_minutes_to_save()
    {
        var machine = await RunningAsync(mayPause: true);
        _town.Time.Advance(TimeSpan.FromMinutes(30));
        await _town.ChangeAsync(machine, change => MeterUsage.Gpu(change, change.Now));
        var late = await _town.BudgetAsync(_here, 0.01m);
        await using (var db = await _town.Database.ForSystemAsync(default))
        {
            await db.Budgets.Where(b => b.Id == late.Id).ExecuteUpdateAsync(set => set.SetProperty(b => b.Accrued.Micros, 500_000));
            await db.Instances.ExecuteUpdateAsync(set => set.SetProperty(i => i.RenewHoldAt, (DateTimeOffset?)null));
        }

        await _town.KeepFundedAsync(machine);

        Assert.Equal(_town.Now.AddMinutes(10), (await _town.InstanceAsync(machine)).HeldUntil);
        Assert.Equal((await _town.TruthAsync(late)).Held, (await _town.ReadAsync(late)).Held);
    }

    [Fact]
    public async Task A_job_that_fits_keeps_its_promise_when_others_come_later()
    {
        await _town.BudgetAsync(_here, 6);
        var first = await RunningAsync(mayPause: false, high: 5); // promised $5.17
        var (_, second) = await _town.SubmitAsync(_here, Dollar, Money.FromUsd(1), TimeSpan.FromHours(1));
        Assert.Equal("Halden Lab", second!.Name);

        for (var quarter = 0; quarter < 19; quarter++)
        {
            _town.Time.Advance(TimeSpan.FromMinutes(15));
            await _town.ChangeAsync(first, change => MeterUsage.Gpu(change, change.Now));
            await _town.KeepFundedAsync(first);
            Assert.Null((await _town.InstanceAsync(first)).HoldRefusal);
        }
    }

    [Fact]
    public async Task A_budget_that_only_tells_counts_and_refuses_nothing()
    {
        var budget = await _town.BudgetAsync(_here, 0.01m, atLimit: AtLimit.Tell);
        var machine = await RunningAsync(mayPause: false);

        Assert.Null((await _town.InstanceAsync(machine)).HeldUntil);
        Assert.True((await _town.ReadAsync(budget)).Held > budget.Limit);
    }

    private async Task<Domain.InstanceId> RunningAsync(bool mayPause, decimal high = 2)
    {
        var (job, refused) = await _town.SubmitAsync(_here, Dollar, Money.FromUsd(high), TimeSpan.FromHours((double)high), mayPause: mayPause);
        Assert.Null(refused);
        var instance = await _town.RentAsync(job, Dollar);
        await _town.ChangeAsync(instance!.Id, change =>
        {
            change.MoveTo(InstanceStatus.Sent);
            change.MoveTo(InstanceStatus.Booting);
        });
        await _town.ChangeAsync(instance.Id, change =>
        {
            change.MoveTo(InstanceStatus.Ready);
            change.MoveTo(InstanceStatus.Running);
            (change.Instance.SentAt, change.Instance.BillingSince, change.Instance.RunningSince) = (change.Now, change.Now, change.Now);
        });
        return instance.Id;
    }
}
