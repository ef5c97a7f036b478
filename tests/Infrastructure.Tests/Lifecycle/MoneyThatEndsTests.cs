using Dashboard.Domain;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Scheduling;
using Dashboard.Tests.Shared;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Infrastructure.Tests.Lifecycle;

/// <summary>A budget, a balance or a key that ends: the machine is saved, destroyed, paid for, and the job waits for money.</summary>
[Collection(nameof(FaultySandbox))]
public sealed class MoneyThatEndsTests(FaultySandbox fixture)
{
    private static readonly TrainingSpec Endless = new() { Preset = Presets.Command, Backend = "command", Command = new CommandSpec("sleep 600", []) };
    private static readonly TrainingSpec Long = new() { Preset = Presets.Smoke, Train = new TrainSpec(MaxSteps: 5000, Batch: 8), PaceS = 0.04m };

    private static readonly LifecycleOptions Quick = new()
    {
        QuietInterval = TimeSpan.FromSeconds(1), MovingInterval = TimeSpan.FromSeconds(0.5), BootingInterval = TimeSpan.FromSeconds(0.5), WatchInterval = TimeSpan.FromSeconds(0.5), AbsenceProof = TimeSpan.FromSeconds(1),
        MeterEvery = TimeSpan.FromSeconds(1), DestroyRetry = TimeSpan.FromSeconds(0.5), DestroyAlarm = TimeSpan.FromSeconds(2), ProofWait = TimeSpan.FromSeconds(1),
    };

    private SandboxProcess Sandbox => fixture.Sandbox;

    [Fact]
    public async Task Nothing_is_rented_without_a_hold_and_the_job_goes_on_by_itself_when_the_budget_is_raised()
    {
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);
        var budget = await BudgetAsync(host, new Money(1_000));

        var job = await host.SubmitAsync(Endless);
        await Eventually.HoldsAsync(async () => (await host.JobAsync(job)).Status == JobStatus.Paused, "it is paused");

        var paused = await host.JobAsync(job);
        Assert.Equal((StopReason.BudgetExhausted, 0), (paused.StopReason, paused.AttemptCount));
        Assert.StartsWith("Halden Lab has $0.0010 left of $0.0010 this month", paused.Message?.Full, StringComparison.Ordinal);
        Assert.Empty(await host.InstancesAsync(job));
        Assert.Equal(["budget", "job-failed"], await OpenAsync(host));

        await RaiseAsync(host, budget, Money.FromUsd(1_000_000));
        await host.ReachesAsync(job, JobStatus.Running);

        Assert.DoesNotContain("job-failed", await OpenAsync(host));
        var held = await ReadAsync(host, budget);
        Assert.True(held.Held > Money.Zero && held.Accrued + held.Held <= held.Limit);
        await host.CancelAsync(job, CancelMode.DestroyNow);
        await host.EndsAsync(job, JobStatus.Cancelled);
        var after = await ReadAsync(host, budget);
        Assert.Equal((Money.Zero, (await host.LedgerAsync(job)).Sum(e => e.Amount.Micros)), (after.Held, after.Accrued.Micros));
    }

    [Fact]
    public async Task A_refused_renewal_saves_brings_home_destroys_and_pauses_the_job()
    {
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);
        var budget = await BudgetAsync(host, Money.FromUsd(1_000_000));
        var job = await host.SubmitAsync(Long);
        await Eventually.HoldsAsync(async () => await StepAsync(host, job) > 5, "some steps are done", TimeSpan.FromMinutes(3));

        await using (var db = await host.Database.ForSystemAsync(default))
        {
            // The limit falls to what is spent: what is held lasts for an hour, and is let go of here.
            await db.Budgets.Where(b => b.Id == budget).ExecuteUpdateAsync(set => set.SetProperty(b => b.Limit.Micros, 1).SetProperty(b => b.Held.Micros, 0));
            await db.BudgetHolds.ExecuteDeleteAsync();
            await db.Instances.ExecuteUpdateAsync(set => set.SetProperty(i => i.RenewHoldAt, (DateTimeOffset?)null));
        }

        await host.ReachesAsync(job, JobStatus.Paused);

        var paused = await host.JobAsync(job);
        Assert.Equal(StopReason.BudgetExhausted, paused.StopReason);
        Assert.StartsWith("Halden Lab reached", paused.Message?.Full, StringComparison.Ordinal);
        Assert.Equal(InstanceStatus.Gone, Assert.Single(await host.InstancesAsync(job)).Status);
        await using var read = await host.Database.ForSystemAsync(default);
        Assert.True(await read.Artifacts.AnyAsync(a => a.JobId == job), "what was saved is home");
        await Eventually.HoldsAsync(async () => await NoticesAsync(host, "budget.reached") == 1 && await NoticesAsync(host, "job.ended") == 1, "both are told once");
    }

    [Fact]
    public async Task A_machine_that_cannot_be_destroyed_keeps_its_hold_and_people_are_told_once_an_hour()
    {
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);
        var budget = await BudgetAsync(host, Money.FromUsd(1_000_000));
        var job = await host.SubmitAsync(Endless);
        await host.ReachesAsync(job, JobStatus.Running);
        await Sandbox.SwitchAsync(HttpMethod.Post, "/faults", """{"method":"DELETE","path":"/api/v0/instances/*","kind":"status","status":503}""");
        await host.CancelAsync(job, CancelMode.DestroyNow);

        await Eventually.HoldsAsync(async () => (await OpenAsync(host)).Contains("destroy-unconfirmed"), "people are told");
        Assert.True((await ReadAsync(host, budget)).Held > Money.Zero);
        await Eventually.HoldsAsync(async () => await NoticesAsync(host, "destroy.unconfirmed") == 1, "once");

        await Sandbox.SwitchAsync(HttpMethod.Delete, "/faults");
        await host.EndsAsync(job, JobStatus.Cancelled);
        Assert.Equal(Money.Zero, (await ReadAsync(host, budget)).Held);
        Assert.Empty(await OpenAsync(host));
    }

    [Fact]
    public async Task A_revoked_key_with_a_living_machine_is_critical_and_a_key_that_works_again_asks_at_once_for_what_waited()
    {
        var opened = await Sandbox.ControlAsync(HttpMethod.Post, "/accounts", """{"name":"revoked","credit":500}""");
        var key = await Sandbox.ControlAsync(HttpMethod.Post, $"/accounts/{opened.GetProperty("id").GetInt64()}/keys", """{"name":"ours"}""");
        await using var host = await LifecycleHost.StartAsync(Sandbox, key: key.GetProperty("api_key").GetString(), pace: Quick);
        var job = await host.SubmitAsync(Endless);
        await host.ReachesAsync(job, JobStatus.Running);

        await Sandbox.SwitchAsync(HttpMethod.Put, $"/keys/{key.GetProperty("id").GetInt64()}", """{"standing":"deleted"}""");
        await Eventually.HoldsAsync(async () => (await OpenAsync(host)).Contains("key-refused"), "people are told");

        await using (var db = await host.Database.ForSystemAsync(default))
        {
            var item = await db.Inbox.SingleAsync(i => i.Kind == "key-refused");
            Assert.True(item.Critical && item.AtRisk > HourlyRate.Zero);
            Assert.Contains("1 machine keeps billing", item.Detail.Full, StringComparison.Ordinal);
        }

        Assert.Equal(InstanceStatus.Running, Assert.Single(await host.InstancesAsync(job)).Status); // nothing is believed gone
        await host.CancelAsync(job, CancelMode.DestroyNow);
        await Eventually.HoldsAsync(async () => (await host.InstancesAsync(job))[0].DestroyAsks > 0, "it cannot be destroyed");

        await Sandbox.SwitchAsync(HttpMethod.Put, $"/keys/{key.GetProperty("id").GetInt64()}", """{"standing":"valid"}""");
        await host.Get<IConnectionHealth>().MendAsync(host.Connection, default);
        await host.EndsAsync(job, JobStatus.Cancelled);
        Assert.DoesNotContain("key-refused", await OpenAsync(host));
        await Eventually.HoldsAsync(async () => await NoticesAsync(host, "key.refused") >= 1, "it is told");
    }

    [Fact]
    public async Task Low_credit_warns_is_critical_below_four_hours_and_a_paused_job_goes_on_once_there_are_funds()
    {
        var opened = await Sandbox.ControlAsync(HttpMethod.Post, "/accounts", """{"name":"poor","credit":100000}""");
        var account = opened.GetProperty("id").GetInt64();
        await using var host = await LifecycleHost.StartAsync(Sandbox, key: opened.GetProperty("api_key").GetString(), pace: Quick);
        var job = await host.SubmitAsync(Endless);
        await host.ReachesAsync(job, JobStatus.Running);
        await Eventually.HoldsAsync(async () => (await host.InstancesAsync(job))[0].RunningSince is not null, "it bills");
        var rate = (await host.InstancesAsync(job))[0].BurnRate;

        await CreditAsync(host, rate.For(TimeSpan.FromHours(23)));
        var warned = await BalanceAsync(host);
        await CreditAsync(host, rate.For(TimeSpan.FromHours(3)));
        var critical = await BalanceAsync(host);
        await CreditAsync(host, rate.For(TimeSpan.FromHours(25)));
        Assert.Equal((false, true, (bool?)null), (warned!.Value, critical!.Value, await BalanceAsync(host)));

        await Sandbox.SwitchAsync(HttpMethod.Put, $"/accounts/{account}/credit", """{"credit":0}""");
        await host.ReachesAsync(job, JobStatus.Paused);
        Assert.Equal(StopReason.CreditExhausted, (await host.JobAsync(job)).StopReason);
        Assert.Equal(InstanceStatus.Gone, Assert.Single(await host.InstancesAsync(job)).Status);
        Assert.Contains(await host.LedgerAsync(job), e => e.Kind == ChargeKind.Disk);

        await Sandbox.SwitchAsync(HttpMethod.Put, $"/accounts/{account}/credit", """{"credit":100000}""");
        await CreditAsync(host, Money.FromUsd(100_000));
        await host.ReachesAsync(job, JobStatus.Running, TimeSpan.FromMinutes(4));
        await host.CancelAsync(job, CancelMode.DestroyNow);
        await host.EndsAsync(job, JobStatus.Cancelled);
    }

    private static async Task<BudgetId> BudgetAsync(LifecycleHost host, Money limit)
    {
        var now = TimeProvider.System.GetUtcNow();
        var budget = new Budget
        {
            Id = new BudgetId(Guid.NewGuid()), TeamId = host.Team.Id, Scope = BudgetScope.Team, Subject = "", Simulated = true, Period = BudgetPeriod.Month, Limit = limit, AtLimit = AtLimit.SaveAndStop,
            CreatedAt = now, PeriodStart = BudgetRules.PeriodStart(BudgetPeriod.Month, now),
        };
        await using var db = await host.Database.ForSystemAsync(default);
        db.Budgets.Add(budget);
        await db.SaveChangesAsync();
        return budget.Id;
    }

    private static async Task RaiseAsync(LifecycleHost host, BudgetId budget, Money limit)
    {
        var now = TimeProvider.System.GetUtcNow();
        await using var db = await host.Database.ForSystemAsync(default);
        await db.Budgets.Where(b => b.Id == budget).ExecuteUpdateAsync(set => set.SetProperty(b => b.Limit.Micros, limit.Micros));
        await db.Jobs.Where(j => j.Status == JobStatus.Paused).ExecuteUpdateAsync(set => set.SetProperty(j => j.NextStepAt, now));
        host.Get<LifecycleSignal>().Wake();
    }

    private static async Task<Budget> ReadAsync(LifecycleHost host, BudgetId budget)
    {
        await using var db = await host.Database.ForSystemAsync(default);
        return await db.Budgets.AsNoTracking().SingleAsync(b => b.Id == budget);
    }

    private static async Task<List<string>> OpenAsync(LifecycleHost host)
    {
        await using var db = await host.Database.ForSystemAsync(default);
        return await db.Inbox.AsNoTracking().Where(i => i.ResolvedAt == null).Select(i => i.Kind).OrderBy(k => k).ToListAsync();
    }

    private static async Task<int> NoticesAsync(LifecycleHost host, string kind)
    {
        await using var db = await host.Database.ForSystemAsync(default);
        return await db.Notices.CountAsync(n => n.Kind == kind);
    }

    private static async Task CreditAsync(LifecycleHost host, Money credit)
    {
        var now = TimeProvider.System.GetUtcNow();
        await using var db = await host.Database.ForSystemAsync(default);
        await db.Connections.ExecuteUpdateAsync(set => set.SetProperty(c => c.Credit, credit));
        await db.Jobs.Where(j => j.Status == JobStatus.Paused).ExecuteUpdateAsync(set => set.SetProperty(j => j.NextStepAt, now));
        await host.Get<FindTrouble>().RunAsync(default);
        host.Get<LifecycleSignal>().Wake();
    }

    /// <summary>Whether the item is critical; null: there is none.</summary>
    private static async Task<bool?> BalanceAsync(LifecycleHost host)
    {
        await using var db = await host.Database.ForSystemAsync(default);
        return await db.Inbox.Where(i => i.Kind == "balance-low" && i.ResolvedAt == null).Select(i => (bool?)i.Critical).SingleOrDefaultAsync();
    }

    private static async Task<int> StepAsync(LifecycleHost host, JobId job)
    {
        await using var db = await host.Database.ForSystemAsync(default);
        return await db.Attempts.Where(a => a.JobId == job).MaxAsync(a => a.Step) ?? 0;
    }
}
