using System.Globalization;
using System.Text.Json;
using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Logs;
using Dashboard.Tests.Shared;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using static Microsoft.Extensions.Options.Options;

namespace Dashboard.Infrastructure.Tests.Lifecycle;

/// <summary>Machines that a person has stopped and keeps.</summary>
public sealed class ParkedMachineTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    private SandboxProcess Sandbox { get; set; } = null!;

    public async ValueTask InitializeAsync() => Sandbox = await SandboxProcess.StartAsync(
        new SandboxSettings { Port = 18690, InstancePorts = (44100, 44199), BootSeconds = 0.5, ListLagSeconds = 1, Credit = 1000, BillingFactor = 1000 }, Now);

    public ValueTask DisposeAsync() => Sandbox.DisposeAsync();

    [Fact]
    public async Task Its_program_saves_first_only_its_disk_bills_and_started_again_it_goes_on_from_there()
    {
        await using var host = await StartAsync();
        var job = await host.SubmitAsync(Smoke(steps: 250));
        await host.ReachesAsync(job, JobStatus.Running);
        await Eventually.HoldsAsync(async () => (await AttemptAsync(host, job)).Step > 12, "it has made steps since its last checkpoint", Patience, Now);

        await KeepAsync(host, job, TimeSpan.FromHours(24));
        var machine = await IsAsync(host, job, InstanceStatus.Parked);
        Assert.Contains("Its machine is stopped and kept until", (await host.JobAsync(job)).Message?.Full, StringComparison.Ordinal);
        Assert.True((await AttemptAsync(host, job)).CheckpointHome >= machine.Parking!.Step, $"{(await AttemptAsync(host, job)).CheckpointHome} at home after {machine.Parking.Step}");
        await Eventually.HoldsAsync(async () => (await MachineAsync(host, job)).RunningSince is null, "its GPU is not metered any more", Patience, Now);

        await LetGoOnAsync(host, job);
        var ended = await host.EndsAsync(job, JobStatus.Succeeded);

        Assert.Equal((1, null), (ended.AttemptCount, ended.ParkUntil));
        var row = Assert.Single(await host.InstancesAsync(job));
        var truth = (await Sandbox.TruthAsync(Now)).GetProperty("instances").EnumerateArray().Single(i => i.GetProperty("id").GetRawText().Trim('"') == row.ContractId);
        Assert.Equal(2, truth.GetProperty("running").GetArrayLength());
        Close(truth.GetProperty("bill"), await host.LedgerAsync(job), row.GpuRate);
        var steps = (await host.Get<MetricsStore>().LossSeriesAsync(job, 1000, Now)).Train.Select(p => p.Step).ToList();
        Assert.Equal(steps.Distinct().Order(), steps); // one curve, no step told twice
        Assert.Equal([true], (await AttemptAsync(host, job)).Pauses.Select(p => p.Parked && p.To is not null));
    }

    [Fact]
    public async Task When_its_time_is_over_it_is_destroyed_and_the_job_is_cancelled()
    {
        await using var host = await StartAsync();
        var job = await host.SubmitAsync(Smoke(steps: 60_000));
        await host.ReachesAsync(job, JobStatus.Running);

        await KeepAsync(host, job, TimeSpan.FromHours(24));
        await IsAsync(host, job, InstanceStatus.Parked);
        await ChangeAsync(host, job, (j, machine) => j.ParkUntil = machine.KeptUntil = TimeProvider.System.GetUtcNow());
        var ended = await host.EndsAsync(job, JobStatus.Cancelled);

        Assert.Contains("It was kept stopped until now, as asked.", ended.Message?.Full, StringComparison.Ordinal);
        Assert.Equal(InstanceStatus.Gone, Assert.Single(await host.InstancesAsync(job)).Status);
    }

    [Fact]
    public async Task Stopped_for_good_while_it_is_kept_it_is_destroyed()
    {
        await using var host = await StartAsync();
        var job = await host.SubmitAsync(Smoke(steps: 60_000));
        await host.ReachesAsync(job, JobStatus.Running);
        await KeepAsync(host, job, TimeSpan.FromHours(24));
        await IsAsync(host, job, InstanceStatus.Parked);

        await host.CancelAsync(job, CancelMode.SaveThenDestroy);
        await host.EndsAsync(job, JobStatus.Cancelled);

        Assert.Equal(InstanceStatus.Gone, Assert.Single(await host.InstancesAsync(job)).Status);
    }

    [Fact]
    public async Task Where_somebody_else_has_its_GPU_it_waits_and_says_so_and_in_the_end_the_job_goes_on_elsewhere()
    {
        await using var host = await StartAsync();
        var job = await host.SubmitAsync(Smoke(steps: 60_000), new JobLimits(null, null, null) { Bid = new BidPlan() });
        await Eventually.HoldsAsync(async () => await AttemptOrNoneAsync(host, job) is { CheckpointHome: not null }, "a checkpoint is at home", Patience, Now);
        await KeepAsync(host, job, TimeSpan.FromHours(24));
        var machine = await IsAsync(host, job, InstanceStatus.Parked);
        await Sandbox.SwitchAsync(HttpMethod.Put, $"/instances/{machine.ContractId}/rivals", string.Create(CultureInfo.InvariantCulture, $$"""{"rival_bid":{{90}}}"""), Now);

        await LetGoOnAsync(host, job);
        await Eventually.HoldsAsync(async () => (await host.JobAsync(job)).Message?.Full.Contains("Somebody else has the GPU", StringComparison.Ordinal) == true, "it says why it does not start", Patience, Now);
        Assert.Equal(InstanceStatus.Parked, (await MachineAsync(host, job)).Status);
        await ChangeAsync(host, job, (_, kept) => kept.KeptUntil = TimeProvider.System.GetUtcNow());
        await Eventually.HoldsAsync(async () => await AttemptAsync(host, job) is { Number: 2, ResumedFrom: not null }, "it goes on elsewhere from its checkpoint", Patience, Now);
        await host.CancelAsync(job, CancelMode.DestroyNow);
        await host.EndsAsync(job, JobStatus.Cancelled);

        var rented = (await host.InstancesAsync(job)).Where(i => i.ContractId is not null).ToList();
        Assert.Equal((InstanceStatus.Gone, StopReason.Interrupted), (rented[0].Status, rented[0].EndReason));
        Assert.NotEqual(rented[0].MachineId, rented[^1].MachineId);
    }

    [Fact]
    public async Task A_server_that_was_away_meanwhile_finds_it_stopped_and_starts_it_when_asked()
    {
        await using var host = await StartAsync();
        var job = await host.SubmitAsync(Smoke(steps: 250));
        await host.ReachesAsync(job, JobStatus.Running);
        await KeepAsync(host, job, TimeSpan.FromHours(24));
        await IsAsync(host, job, InstanceStatus.Parked);

        await host.RestartAsync();
        await LetGoOnAsync(host, job);
        await host.EndsAsync(job, JobStatus.Succeeded);

        Assert.Single(await host.InstancesAsync(job));
    }

    private Task<LifecycleHost> StartAsync() => LifecycleHost.StartAsync(
        Sandbox,
        more: services => services.AddSingleton(Create(new InterruptionOptions { CheckpointMinutes = 5 })), // what comes home comes because it is stopped
        pace: new LifecycleOptions
        {
            QuietInterval = TimeSpan.FromSeconds(0.5),
            MovingInterval = TimeSpan.FromSeconds(0.5),
            BootingInterval = TimeSpan.FromSeconds(0.5),
            WatchInterval = TimeSpan.FromSeconds(0.5),
            ExitedGrace = TimeSpan.FromSeconds(2),
            CapacityPause = TimeSpan.FromSeconds(1),
            AbsenceProof = TimeSpan.FromSeconds(1),
        });

    /// <summary>A checkpoint every hundred steps only: what is saved at the stop is saved because it was asked for.</summary>
    private static TrainingSpec Smoke(int steps) =>
        new() { Preset = Presets.Smoke, Train = new TrainSpec(MaxSteps: steps, Batch: 8), Save = new SaveSpec(Steps: steps > 300 ? 10 : 100), PaceS = 0.04m };

    private static Task KeepAsync(LifecycleHost host, JobId job, TimeSpan time) => ChangeAsync(host, job, (j, _) => j.ParkUntil = TimeProvider.System.GetUtcNow() + time);

    private static Task LetGoOnAsync(LifecycleHost host, JobId job) => ChangeAsync(host, job, (j, _) => j.ParkUntil = null);

    private static async Task ChangeAsync(LifecycleHost host, JobId job, Action<Job, Instance> change)
    {
        await using (var db = await host.Database.ForSystemAsync(default))
        {
            await using var transaction = await db.Database.BeginTransactionAsync(Now);
            var machine = await db.Instances.SingleAsync(i => i.JobId == job && (i.Status == InstanceStatus.Running || i.Status == InstanceStatus.Parked), Now);
            change(await db.Jobs.SingleAsync(j => j.Id == job, Now), machine);
            machine.NextStepAt = TimeProvider.System.GetUtcNow();
            await db.SaveChangesAsync(Now);
            await transaction.CommitAsync(Now);
        }

        host.Get<LifecycleSignal>().Wake();
    }

    private static async Task<Instance> IsAsync(LifecycleHost host, JobId job, InstanceStatus status)
    {
        await Eventually.HoldsAsync(async () => (await MachineAsync(host, job)).Status == status, $"its machine is {status}", Patience, Now);
        return await MachineAsync(host, job);
    }

    private static async Task<Instance> MachineAsync(LifecycleHost host, JobId job) => (await host.InstancesAsync(job)).Last(i => i.ContractId is not null);

    private static async Task<Attempt> AttemptAsync(LifecycleHost host, JobId job) => (await AttemptOrNoneAsync(host, job))!;

    private static async Task<Attempt?> AttemptOrNoneAsync(LifecycleHost host, JobId job)
    {
        await using var db = await host.Database.ForSystemAsync(default);
        return await db.Attempts.AsNoTracking().Where(a => a.JobId == job).OrderByDescending(a => a.Number).FirstOrDefaultAsync(Now);
    }

    /// <summary>Our ledger and the sandbox's bill, within what two unseen moments can be off.</summary>
    private static void Close(JsonElement bill, IReadOnlyList<LedgerEntry> ledger, HourlyRate rate)
    {
        var billed = bill.GetProperty("gpu").GetDecimal() / 1000; // it bills a thousand times what it says
        var posted = ledger.Where(e => e.Kind == ChargeKind.Gpu).Sum(e => e.Amount.Usd);
        var slack = rate.For(TimeSpan.FromSeconds(4)).Usd;
        Assert.True(Math.Abs(billed - posted) <= slack, $"billed {billed}, posted {posted}, slack {slack}");
    }
}
