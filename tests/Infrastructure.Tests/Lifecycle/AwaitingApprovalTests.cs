using Dashboard.Domain;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Budgets;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Tests.Shared;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Tests.Lifecycle;

/// <summary>Jobs that wait for somebody's yes, on the real lifecycle and the real market of the sandbox.</summary>
public sealed class AwaitingApprovalTests : IAsyncLifetime
{
    private static readonly ApprovalAsk Ask = new(Role.Member, Money.FromUsd(41.80m), HourlyRate.FromUsd(1), [new PassedLimit(RoleLimitKind.Job, Money.FromUsd(41.80m), Money.FromUsd(25))]);

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    private SandboxProcess Sandbox { get; set; } = null!;

    public async ValueTask InitializeAsync() => Sandbox = await SandboxProcess.StartAsync(
        new SandboxSettings { Port = 18660, InstancePorts = (43100, 43199), BootSeconds = 0.5, ListLagSeconds = 1, Credit = 1000, BillingFactor = 1000 }, Now);

    public ValueTask DisposeAsync() => Sandbox.DisposeAsync();

    [Fact]
    public async Task Nothing_is_rented_before_it_is_approved_whatever_wakes_it_and_then_it_runs()
    {
        await using var host = await LifecycleHost.StartAsync(Sandbox);
        var job = await host.SubmitAsync(Smoke, ask: Ask); // due, as after a stray nudge
        await IsParkedAsync(host, job);
        await host.RestartAsync();
        await host.EndsAsync(await host.SubmitAsync(Smoke), JobStatus.Succeeded); // others are rented for meanwhile

        Assert.Equal(JobStatus.AwaitingApproval, (await host.JobAsync(job)).Status);
        Assert.Empty(await host.InstancesAsync(job));
        Assert.Empty(await host.LedgerAsync(job));
        await using (var db = await host.Database.ForSystemAsync(Now))
        {
            Assert.False(await db.BudgetHolds.AnyAsync(h => h.JobId == job, Now));
        }

        await ChangeAsync(host, job, DecisionOutcome.Approved);
        await host.EndsAsync(job, JobStatus.Succeeded);
        Assert.NotEmpty(await host.InstancesAsync(job));
        await using var read = await host.Database.ForSystemAsync(Now);
        await Eventually.HoldsAsync(async () => await read.Notices.AnyAsync(n => n.Kind == OutboxKinds.ApprovalDecided && n.Title.Contains("is approved") && n.Needs == Permission.SeeMoney, Now), "who asked is told", Patience, Now);
        Assert.False(await read.Notices.AnyAsync(n => n.Kind == OutboxKinds.ApprovalAsked, Now)); // that stands in the inbox
    }

    [Fact]
    public async Task Cancelled_it_ends_for_nothing_and_nobody_is_asked_any_more()
    {
        await using var host = await LifecycleHost.StartAsync(Sandbox);
        var job = await host.SubmitAsync(Smoke, ask: Ask);
        await IsParkedAsync(host, job);

        await host.CancelAsync(job, CancelMode.SaveThenDestroy);

        Assert.Equal(StopReason.CancelledByUser, (await host.EndsAsync(job, JobStatus.Cancelled)).StopReason);
        Assert.Empty(await host.InstancesAsync(job));
        await using var db = await host.Database.ForSystemAsync(Now);
        Assert.NotNull((await db.Inbox.SingleAsync(i => i.Kind == InboxKinds.Approval, Now)).ResolvedAt);
        Assert.Empty(await db.Decisions.ToListAsync(Now));
    }

    private static TrainingSpec Smoke => new() { Preset = Presets.Smoke, Train = new TrainSpec(MaxSteps: 30, Batch: 8) };

    // The lifecycle has looked at it, and left it alone.
    private static Task IsParkedAsync(LifecycleHost host, JobId job) => Eventually.HoldsAsync(async () => (await host.JobAsync(job)).NextStepAt is null, "the lifecycle has looked at it", Patience, Now);

    // As the use case does.
    private static async Task ChangeAsync(LifecycleHost host, JobId id, DecisionOutcome outcome)
    {
        var now = TimeProvider.System.GetUtcNow();
        await using var db = await host.Database.ForSystemAsync(Now);
        await using var transaction = await db.Database.BeginTransactionAsync(Now);
        var job = await db.Jobs.SingleAsync(j => j.Id == id, Now);
        job.MoveTo(JobStatus.Submitted, now);
        job.NextStepAt = now;
        Approvals.Decided(db, job, new UserId(Guid.NewGuid()), outcome, null, now);
        await db.SaveChangesAsync(Now);
        await transaction.CommitAsync(Now);
        host.Get<LifecycleSignal>().Wake();
    }
}
