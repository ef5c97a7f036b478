using System.Security.Cryptography;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Tests.Shared;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Tests.Lifecycle;

[Collection(nameof(LifecycleSandbox))]
public sealed class LifeOfAJobTests(LifecycleSandbox fixture)
{
    private static readonly TrainingSpec Smoke = new() { Preset = Presets.Smoke, Train = new TrainSpec(MaxSteps: 60, Batch: 8), Save = new SaveSpec(20), PaceS = 0.04m };

    private static TrainingSpec Command(string script, params string[] collect) =>
        new() { Preset = Presets.Command, Backend = "command", Command = new CommandSpec(script, collect) };

    [Fact]
    public async Task A_smoke_test_brings_its_adapter_home_and_leaves_no_machine_behind()
    {
        await using var host = await LifecycleHost.StartAsync(fixture.Sandbox);

        var job = await host.SubmitAsync(Smoke);
        await host.ReachesAsync(job, JobStatus.Succeeded);

        var instance = Assert.Single(await host.InstancesAsync(job));
        Assert.Equal(InstanceStatus.Gone, instance.Status);
        Assert.True(instance.HostKeyCrossChecked);
        Assert.Null(instance.ProtectedSshKey);

        await using var db = await host.Database.ForSystemAsync(default);
        var adapter = await db.Artifacts.SingleAsync(a => a.JobId == job && a.Path == "adapter/adapter_model.safetensors");
        var home = Directory.GetFiles(host.Data, "adapter_model.safetensors", SearchOption.AllDirectories).Single(f => f.Contains("adapter/", StringComparison.Ordinal));
        Assert.Equal(adapter.Sha256, Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(home))));

        var attempt = await db.Attempts.SingleAsync(a => a.JobId == job);
        Assert.Equal((60, 60, 0), (attempt.Step, attempt.TotalSteps, attempt.ExitCode));
        Assert.True(await IsGoneAtTheProviderAsync(instance));

        // What it took teaches the next estimate in this market, and none elsewhere.
        await db.Attempts.Where(a => a.JobId == job).ExecuteUpdateAsync(row => row.SetProperty(a => a.Speed, 0.5));
        Assert.True((await OwnRunsAsync(host.Connection.Market)).Pace(instance.MachineId, instance.GpuName)!.Factor > 1);
        Assert.Null((await OwnRunsAsync(host.Connection.Market with { BaseUrl = "https://elsewhere.example" })).Pace(instance.MachineId, instance.GpuName));

        Task<OwnRuns> OwnRunsAsync(Market market) => HostHistory.ReadAsync(db, host.Team.Id, market, [instance.MachineId], TimeProvider.System.GetUtcNow(), TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData(JobStatus.Provisioning, CancelMode.DestroyNow)]
    [InlineData(JobStatus.Starting, CancelMode.DestroyNow)]
    [InlineData(JobStatus.Running, CancelMode.DestroyNow)]
    [InlineData(JobStatus.Running, CancelMode.SaveThenDestroy)]
    public async Task A_job_can_be_stopped_wherever_it_is(JobStatus when, CancelMode mode)
    {
        await using var host = await LifecycleHost.StartAsync(fixture.Sandbox);
        var job = await host.SubmitAsync(Smoke with { Train = Smoke.Train with { MaxSteps = 5000 } });
        await Eventually.HoldsAsync(async () => (await host.JobAsync(job)).Status >= when, $"job is {when}", TimeSpan.FromMinutes(3));
        if (mode == CancelMode.SaveThenDestroy)
        {
            await Eventually.HoldsAsync(async () => await StepAsync(host, job) > 5, "some steps done", TimeSpan.FromMinutes(3));
            await using var db = await host.Database.ForSystemAsync(default);
            var attempt = await db.Attempts.AsNoTracking().SingleAsync(a => a.JobId == job);
            Assert.True(attempt is { BytesDown: > 0, BytesUp: > 0 }, "what went over the wire is known while it runs");
        }

        await host.CancelAsync(job, mode);
        await host.ReachesAsync(job, JobStatus.Cancelled);

        Assert.Equal(StopReason.CancelledByUser, (await host.JobAsync(job)).StopReason);
        foreach (var instance in await host.InstancesAsync(job))
        {
            Assert.True(InstanceRules.IsFinal(instance.Status));
            Assert.True(await IsGoneAtTheProviderAsync(instance));
        }

        if (mode == CancelMode.SaveThenDestroy)
        {
            await using var db = await host.Database.ForSystemAsync(default);
            Assert.True(await db.Artifacts.AnyAsync(a => a.JobId == job && a.Path.StartsWith("checkpoint-")), "the checkpoint is home");
        }
    }

    [Fact]
    public async Task A_server_that_ends_in_the_middle_loses_nothing()
    {
        await using var host = await LifecycleHost.StartAsync(fixture.Sandbox);
        var job = await host.SubmitAsync(Smoke with { Train = Smoke.Train with { MaxSteps = 400 } });
        await host.ReachesAsync(job, JobStatus.Running);
        await Eventually.HoldsAsync(async () => await StepAsync(host, job) > 5, "some steps done", TimeSpan.FromMinutes(3));

        await host.RestartAsync();
        await host.ReachesAsync(job, JobStatus.Succeeded);

        var instance = Assert.Single(await host.InstancesAsync(job));
        Assert.Equal(1, await RentCallsAsync(instance.Label));
    }

    [Fact]
    public async Task A_rent_whose_answer_was_lost_is_found_by_its_label_and_not_repeated()
    {
        await using var host = await LifecycleHost.StartAsync(fixture.Sandbox);
        var job = await host.SubmitAsync(Smoke);
        await Eventually.HoldsAsync(async () => (await host.InstancesAsync(job)).Any(i => i.ContractId is not null), "it is rented");

        // As a crash between the call and the commit of its answer leaves it.
        await host.RestartAsync();
        await using (var db = await host.Database.ForSystemAsync(default))
        {
            await db.Instances.Where(i => i.JobId == job).ExecuteUpdateAsync(set => set
                .SetProperty(i => i.ContractId, (string?)null).SetProperty(i => i.Status, InstanceStatus.Sent).SetProperty(i => i.KeyAttachedAt, (DateTimeOffset?)null)
                .SetProperty(i => i.LeaseUntil, (DateTimeOffset?)null).SetProperty(i => i.Fence, i => i.Fence + 1).SetProperty(i => i.NextStepAt, TimeProvider.System.GetUtcNow()));
            await db.Jobs.Where(j => j.Id == job).ExecuteUpdateAsync(set => set.SetProperty(j => j.Status, JobStatus.Provisioning));
        }

        await host.ReachesAsync(job, JobStatus.Succeeded);

        var instance = Assert.Single(await host.InstancesAsync(job));
        Assert.Equal(1, await RentCallsAsync(instance.Label));
    }

    [Fact]
    public async Task A_script_brings_the_files_it_was_asked_for_home()
    {
        await using var host = await LifecycleHost.StartAsync(fixture.Sandbox);

        var job = await host.SubmitAsync(Command("echo hello; mkdir -p out; echo 42 > out/answer.txt", "out/*.txt"));
        await host.ReachesAsync(job, JobStatus.Succeeded);

        await using var db = await host.Database.ForSystemAsync(default);
        Assert.Contains("files/out/answer.txt", await db.Artifacts.Where(a => a.JobId == job).Select(a => a.Path).ToListAsync());
    }

    [Fact]
    public async Task A_failing_script_says_its_exit_code_what_it_cost_and_what_to_do()
    {
        await using var host = await LifecycleHost.StartAsync(fixture.Sandbox);

        var job = await host.SubmitAsync(Command("echo before; exit 7"));
        await Eventually.HoldsAsync(async () => (await host.JobAsync(job)).Status == JobStatus.Failed, "it failed", TimeSpan.FromMinutes(3));

        var row = await host.JobAsync(job);
        Assert.Equal(StopReason.ScriptFailed, row.StopReason);
        Assert.Matches(@"^The program ended with exit code 7\. It cost \$0\.\d{2,4}\. Look at the end of its log", row.Message?.Full);
    }

    [Fact]
    public async Task A_script_that_ends_well_without_its_result_has_not_succeeded()
    {
        await using var host = await LifecycleHost.StartAsync(fixture.Sandbox);

        var job = await host.SubmitAsync(Command("true", "model.bin"));
        await Eventually.HoldsAsync(async () => (await host.JobAsync(job)).Status == JobStatus.Failed, "it failed", TimeSpan.FromMinutes(3));

        var row = await host.JobAsync(job);
        Assert.Equal(StopReason.ArtifactMissing, row.StopReason);
        Assert.Contains("\"model.bin\"", row.Message?.Full, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_limit_reached_before_the_program_began_stops_it_at_once()
    {
        await using var host = await LifecycleHost.StartAsync(fixture.Sandbox);

        var job = await host.SubmitAsync(Smoke with { Train = Smoke.Train with { MaxSteps = 5000 } }, new JobLimits(new Money(1), null, null));
        await host.ReachesAsync(job, JobStatus.Paused);

        Assert.Equal(StopReason.BudgetExhausted, (await host.JobAsync(job)).StopReason);
    }

    [Fact]
    public async Task A_job_stops_itself_at_its_limit_in_dollars_with_its_files_home()
    {
        await using var host = await LifecycleHost.StartAsync(fixture.Sandbox);

        var job = await host.SubmitAsync(Smoke with { Train = Smoke.Train with { MaxSteps = 5000 } });
        await Eventually.HoldsAsync(async () => await StepAsync(host, job) > 5, "some steps done", TimeSpan.FromMinutes(3));
        await host.LimitAsync(job, new JobLimits(new Money(1), null, null));
        await host.ReachesAsync(job, JobStatus.Paused);

        Assert.Equal(StopReason.BudgetExhausted, (await host.JobAsync(job)).StopReason);
        await using var db = await host.Database.ForSystemAsync(default);
        Assert.True(await db.Artifacts.AnyAsync(a => a.JobId == job));
    }

    [Fact]
    public async Task The_ledger_agrees_with_the_bill_within_one_look_at_each_end()
    {
        await using var host = await LifecycleHost.StartAsync(fixture.Sandbox);
        var job = await host.SubmitAsync(Smoke with { Train = Smoke.Train with { MaxSteps = 300 } });
        await host.ReachesAsync(job, JobStatus.Succeeded);

        var instance = Assert.Single(await host.InstancesAsync(job));
        var truth = (await fixture.Sandbox.TruthWithoutLogAsync()).GetProperty("instances").EnumerateArray().Single(i => i.GetProperty("label").GetString() == instance.Label);
        var bill = truth.GetProperty("bill");
        var ours = (await host.LedgerAsync(job)).GroupBy(e => e.Kind).ToDictionary(g => g.Key, g => g.Sum(e => e.Amount.Usd));

        AssertClose(bill.GetProperty("gpu").GetDecimal() / 1000, ours[ChargeKind.Gpu], instance.GpuRate);
        AssertClose(bill.GetProperty("disk").GetDecimal() / 1000, ours[ChargeKind.Disk], instance.DiskRate);
    }

    /// <summary>The provider tells its container's age in hundredths of a minute: half of one at the start, and the last call's own time at the end.</summary>
    private static void AssertClose(decimal theirs, decimal ours, HourlyRate rate) =>
        Assert.True(Math.Abs(theirs - ours) <= rate.For(TimeSpan.FromSeconds(0.6)).Usd + 0.000001m, $"theirs {theirs}, ours {ours}");

    private static async Task<int> StepAsync(LifecycleHost host, Domain.JobId job)
    {
        await using var db = await host.Database.ForSystemAsync(default);
        return await db.Attempts.Where(a => a.JobId == job).MaxAsync(a => a.Step) ?? 0;
    }

    private async Task<int> RentCallsAsync(string label) =>
        (await fixture.Sandbox.TruthWithoutLogAsync()).GetProperty("rent_calls").TryGetProperty(label, out var calls) ? calls.GetInt32() : 0;

    private async Task<bool> IsGoneAtTheProviderAsync(Instance instance)
    {
        if (instance.ContractId is null)
        {
            return await RentCallsAsync(instance.Label) == 0 || instance.Status == InstanceStatus.Rejected;
        }

        var truth = await fixture.Sandbox.TruthWithoutLogAsync();
        return truth.GetProperty("instances").EnumerateArray().Single(i => i.GetProperty("label").GetString() == instance.Label).GetProperty("phase").GetString() == "Destroyed";
    }
}
