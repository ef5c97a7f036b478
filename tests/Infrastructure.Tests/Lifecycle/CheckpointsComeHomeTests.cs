using Dashboard.Domain;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Artifacts;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Logs;
using Dashboard.Tests.Shared;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using static Microsoft.Extensions.Options.Options;

namespace Dashboard.Infrastructure.Tests.Lifecycle;

/// <summary>What a running program has saved is safe here while it runs, and the next machine goes on from it.</summary>
[Collection(nameof(InterruptibleSandbox))]
public sealed class CheckpointsComeHomeTests(InterruptibleSandbox fixture)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_newest_checkpoints_come_home_while_it_runs_and_the_next_machine_goes_on_from_there()
    {
        await using var host = await StartAsync();
        var job = await host.SubmitAsync(Smoke(steps: 300, pace: 0.05m), new JobLimits(null, null, null, MaxAttempts: 2));
        await Eventually.HoldsAsync(async () => await HomeAsync(host, job) is [_, _, ..], "two checkpoints are at home", Patience, Now);
        Assert.Equal(JobStatus.Running, (await host.JobAsync(job)).Status);

        var machine = Assert.Single(await host.InstancesAsync(job));
        await fixture.Sandbox.SwitchAsync(HttpMethod.Put, $"/instances/{machine.ContractId}/faults/container_exits", ct: Now);
        await Eventually.HoldsAsync(async () => (await AttemptsAsync(host, job)).Count == 2, "another attempt begins", Patience, Now);
        var safe = (await HomeAsync(host, job))[0];
        await host.EndsAsync(job, JobStatus.Succeeded);

        var attempts = await AttemptsAsync(host, job);
        Assert.Equal((safe, StopReason.HostLost), (attempts[1].ResumedFrom, attempts[0].StopReason));
        Assert.True(attempts[0].Step > safe, $"steps after {safe} were lost, the last of them {attempts[0].Step}");
        var steps = (await host.Get<MetricsStore>().LossSeriesAsync(job, 1000, Now)).Train.Select(p => p.Step).ToList();
        Assert.Equal(steps.Order().Distinct(), steps);
        Assert.Equal(300, steps[^1]);
        Assert.Equal((2, safe), Assert.Single(await host.Get<MetricsStore>().ResumesAsync(job, Now)));
    }

    [Fact]
    public async Task No_more_checkpoints_stay_at_home_than_are_to_be_kept_and_each_is_whole()
    {
        await using var host = await StartAsync();
        var job = await host.SubmitAsync(Smoke(steps: 60, pace: 0.25m));

        await host.EndsAsync(job, JobStatus.Succeeded);

        Assert.Equal([60, 50], await HomeAsync(host, job));
        await using var db = await host.Database.ForSystemAsync(default);
        var rows = await db.Artifacts.Where(a => a.JobId == job && a.Kind == ArtifactKind.Checkpoint).ToListAsync(Now);
        Assert.All(rows, row => Assert.True(row.Verified));
        Assert.Equal(
            ["COMPLETE", "adapter_config.json", "adapter_model.safetensors", "state.json"],
            rows.Where(row => row.Step == 60).Select(row => Path.GetFileName(row.Path)).Order(StringComparer.Ordinal));
        var folders = Directory.GetDirectories(Path.Combine(host.Data, "artifacts", job.ToString(), "attempt-1"), "checkpoint-*").Select(Path.GetFileName);
        Assert.Equal(["checkpoint-50", "checkpoint-60"], folders.Order());
        Assert.Contains("checkpoint", await db.JobEvents.Where(e => e.JobId == job).Select(e => e.Kind).ToListAsync(Now));
    }

    [Fact]
    public async Task A_script_that_saves_itself_goes_on_from_its_savepoint_and_one_machine_cannot_give_another_a_damaged_one()
    {
        const string counts = """
            n=$(cat "${GD_RESUME:-/none}/n" 2>/dev/null || echo 0)
            echo "begins at $n"
            while [ $n -lt 40 ]; do n=$((n + 1)); echo $n >n; python3 "$GD_SAVE" $n n; sleep 0.3; done
            """;
        await using var host = await StartAsync();
        var job = await host.SubmitAsync(
            new TrainingSpec { Preset = Presets.Command, Backend = "command", Command = new CommandSpec(counts, ["n"]) }, new JobLimits(null, null, null, MaxAttempts: 2));
        await Eventually.HoldsAsync(async () => await HomeAsync(host, job) is [> 3, _], "a savepoint is at home", Patience, Now);

        // The newest one at home is damaged: the one before it does.
        var machine = Assert.Single(await host.InstancesAsync(job));
        await fixture.Sandbox.SwitchAsync(HttpMethod.Put, $"/instances/{machine.ContractId}/faults/container_exits", ct: Now);
        await Eventually.HoldsAsync(async () => (await AttemptsAsync(host, job))[0].EndedAt is not null, "the attempt ends", Patience, Now);
        var home = await HomeAsync(host, job);
        var newest = Path.Combine(host.Data, "artifacts", job.ToString(), "attempt-1", CheckpointPath.Folder(home[0]), "n");
        await File.WriteAllTextAsync(newest, "", Now);
        await host.EndsAsync(job, JobStatus.Succeeded);

        Assert.Equal(home[1], (await AttemptsAsync(host, job))[1].ResumedFrom);
        var log = System.Text.Encoding.UTF8.GetString(await host.Get<LogStore>().ReadBytesAsync(job, 2, 0, 1 << 16, Now));
        Assert.Contains($"begins at {home[1]}", log, StringComparison.Ordinal);
    }

    private Task<LifecycleHost> StartAsync() => LifecycleHost.StartAsync(
        fixture.Sandbox,
        more: services => services.AddSingleton(Create(new InterruptionOptions { CheckpointMinutes = 0.02 })),
        pace: new LifecycleOptions
        {
            QuietInterval = TimeSpan.FromSeconds(0.5),
            MovingInterval = TimeSpan.FromSeconds(0.5),
            WatchInterval = TimeSpan.FromSeconds(0.5),
            ExitedGrace = TimeSpan.FromSeconds(2),
            AbsenceProof = TimeSpan.FromSeconds(1),
        });

    private static TrainingSpec Smoke(int steps, decimal pace) =>
        new() { Preset = Presets.Smoke, Train = new TrainSpec(MaxSteps: steps, Batch: 8), Save = new SaveSpec(Steps: 10), PaceS = pace };

    /// <summary>Steps of the checkpoints at home, the newest first.</summary>
    private static async Task<IReadOnlyList<int>> HomeAsync(LifecycleHost host, JobId job)
    {
        await using var db = await host.Database.ForSystemAsync(default);
        return await db.Artifacts.Where(a => a.JobId == job && a.Kind == ArtifactKind.Checkpoint).Select(a => a.Step!.Value).Distinct().OrderDescending().ToListAsync(Now);
    }

    private static async Task<IReadOnlyList<Attempt>> AttemptsAsync(LifecycleHost host, JobId job)
    {
        await using var db = await host.Database.ForSystemAsync(default);
        return await db.Attempts.AsNoTracking().Where(a => a.JobId == job).OrderBy(a => a.Number).ToListAsync(Now);
    }
}
