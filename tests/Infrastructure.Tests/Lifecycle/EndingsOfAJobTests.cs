using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Ssh;
using Dashboard.Tests.Shared;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Infrastructure.Tests.Lifecycle;

/// <summary>Each way a job can fail says what happened, what it cost and what to do, and leaves no machine.</summary>
[Collection(nameof(LifecycleSandbox))]
public sealed class EndingsOfAJobTests(LifecycleSandbox fixture)
{
    private static readonly TrainingSpec Smoke = new() { Preset = Presets.Smoke, Train = new TrainSpec(MaxSteps: 60, Batch: 8) };

    [Fact]
    public async Task No_offer_at_that_price_is_looked_for_as_often_as_asked_then_fails_and_costs_nothing()
    {
        await using var host = await LifecycleHost.StartAsync(fixture.Sandbox, pace: new LifecycleOptions { CapacityPause = TimeSpan.FromSeconds(1) });
        var id = await host.SubmitAsync(Smoke, new JobLimits(null, new HourlyRate(1), null) { Retry = new RetryPolicy(Capacity: 2) });
        await Eventually.HoldsAsync(async () => (await host.JobAsync(id)).EmptySearches == 1, "it waits");
        Assert.Equal("No machine that fits at $0.000/h or less is free right now. Nothing is rented, it costs $0.00. We look again in 1 s; search 2 of 3.", (await host.JobAsync(id)).Message?.Full);

        var job = await host.EndsAsync(id, JobStatus.Failed);

        Assert.Equal(StopReason.NoCapacity, job.StopReason);
        Assert.Equal("No machine that fits at $0.000/h or less is free right now. It cost $0.00. Relax a requirement, or start it again later.", job.Message?.Full);
        Assert.Empty(await host.InstancesAsync(job.Id));
    }

    [Fact]
    public async Task A_refused_key_breaks_the_connection_and_asks_for_a_person()
    {
        await using var host = await LifecycleHost.StartAsync(fixture.Sandbox, key: "not-the-key-41ab");

        var job = await host.EndsAsync(await host.SubmitAsync(Smoke), JobStatus.Failed);

        Assert.Equal(StopReason.ConnectionBroken, job.StopReason);
        Assert.StartsWith("Sandbox refuses the key ending 41ab. It cost $0.00.", job.Message?.Full, StringComparison.Ordinal);
        await using var db = await host.Database.ForSystemAsync(default);
        Assert.Equal(ConnectionStatus.Broken, (await db.Connections.SingleAsync()).Status);
        Assert.Contains("Replace key", await db.Inbox.Select(i => i.Action).ToListAsync());
    }

    [Fact]
    public async Task Too_little_credit_pauses_the_job_with_nothing_rented()
    {
        await using var poor = await SandboxProcess.StartAsync(new SandboxSettings { Port = 18510, InstancePorts = (44600, 44640), Credit = 0, BootSeconds = 0.2 });
        await using var host = await LifecycleHost.StartAsync(poor);

        var id = await host.SubmitAsync(Smoke);
        await Eventually.HoldsAsync(async () => (await host.JobAsync(id)).Status == JobStatus.Paused, "it pauses");

        var job = await host.JobAsync(id);
        Assert.Equal(StopReason.CreditExhausted, job.StopReason);
        Assert.Contains("It cost $0.00. Add funds at the provider", job.Message?.Full, StringComparison.Ordinal);
        Assert.Equal(InstanceStatus.Rejected, Assert.Single(await host.InstancesAsync(id)).Status);
    }

    [Fact]
    public async Task A_machine_that_refuses_ssh_is_destroyed_and_the_next_one_is_tried()
    {
        await using var host = await LifecycleHost.StartAsync(fixture.Sandbox, more: services =>
        {
            services.AddSingleton<IMachines>(new Unreachable(new SshRefused(new Infrastructure.Ssh.SshRoute("127.0.0.1", 1), "refused")));
            services.AddSingleton(Microsoft.Extensions.Options.Options.Create(new LifecycleOptions { SshAnswer = TimeSpan.FromSeconds(1) }));
        });

        var job = await host.EndsAsync(await host.SubmitAsync(Smoke, new JobLimits(null, null, null, MaxAttempts: 2)), JobStatus.Failed);

        Assert.Equal((StopReason.StartFailed, 2), (job.StopReason, job.AttemptCount));
        Assert.Contains("is up but did not let us in over SSH", job.Message?.Full, StringComparison.Ordinal);
        var machines = await host.InstancesAsync(job.Id);
        Assert.Equal(2, machines.Select(m => m.MachineId).Distinct().Count());
        Assert.All(machines, m => Assert.Equal(InstanceStatus.Gone, m.Status));
    }

    [Fact]
    public async Task Another_host_key_than_the_pinned_one_ends_the_attempt_with_nothing_sent()
    {
        await using var host = await LifecycleHost.StartAsync(fixture.Sandbox, more: services =>
            services.AddSingleton<IMachines>(new Unreachable(new HostKeyChanged(new Infrastructure.Ssh.SshRoute("127.0.0.1", 1), "SHA256:pinned", "SHA256:other"))));

        var job = await host.EndsAsync(await host.SubmitAsync(Smoke, new JobLimits(null, null, null, MaxAttempts: 1)), JobStatus.Failed);

        Assert.Equal(StopReason.HostKeyChanged, job.StopReason);
        Assert.Contains("SHA256:other", job.Message?.Full, StringComparison.Ordinal);
        Assert.Equal(InstanceStatus.Gone, Assert.Single(await host.InstancesAsync(job.Id)).Status);
    }

    /// <summary>Every machine fails in the same way.</summary>
    private sealed class Unreachable(SshFailure failure) : IMachines
    {
        public Task<Reached> ReachAsync(Instance instance, CancellationToken ct) => throw failure;

        public Task StartAsync(Instance instance, RunBundle bundle, CancellationToken ct) => throw failure;

        public Task<RunLook> LookAsync(Instance instance, CancellationToken ct) => throw failure;

        public Task RenewLeaseAsync(Instance instance, int sequence, TimeSpan granted, CancellationToken ct) => throw failure;

        public Task AskToStopAsync(Instance instance, string reason, CancellationToken ct) => throw failure;

        public Task AskToSaveAsync(Instance instance, CancellationToken ct) => throw failure;

        public Task RestartSupervisorAsync(Instance instance, CancellationToken ct) => throw failure;

        public Task<Haul> CollectAsync(Instance instance, CancellationToken ct) => throw failure;

        public (long Down, long Up) TakeTraffic(Domain.InstanceId instance) => (0, 0);

        public Task ReleaseAsync(Domain.InstanceId instance) => Task.CompletedTask;
    }
}
