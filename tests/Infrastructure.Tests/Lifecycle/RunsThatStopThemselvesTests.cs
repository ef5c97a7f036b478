using Dashboard.Domain;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Tests.Shared;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using static Microsoft.Extensions.Options.Options;

namespace Dashboard.Infrastructure.Tests.Lifecycle;

/// <summary>A run that hangs or diverges ends itself, keeps what is good and says what it saved; a slow and healthy one does not.</summary>
[Collection(nameof(InterruptibleSandbox))]
public sealed class RunsThatStopThemselvesTests(InterruptibleSandbox fixture)
{
    private const string Step = """
        step() { echo "{\"t\":1,\"type\":\"train\",\"step\":$1,\"total_steps\":100,\"loss\":$2,\"elapsed_s\":$1$3}" >>"$GD_METRICS"; }
        save() { echo $1 >w; python3 "$GD_SAVE" $1 w; }

        """;

    private static readonly JobLimits Once = new(null, null, null) { Retry = new RetryPolicy(0, 0, 0, 0) };

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_a_step_for_too_long_it_is_stopped_with_its_checkpoint_at_home_and_the_saving_said()
    {
        await using var host = await StartAsync();

        var job = await host.EndsAsync(
            await host.SubmitAsync(Command(Step + "for i in 1 2 3; do step $i 0.5; sleep 0.4; done; save 3; exec sleep 600"), Once with { Health = new HealthLimits(TimeSpan.FromSeconds(8)) }),
            JobStatus.Failed);

        Assert.Equal(StopReason.Hung, job.StopReason);
        Assert.Matches(@"^No step for (8|9|1\d)[.\d]* s \(usual 1 s\); stopped at step 3\. Saved ≈ \$\S+\. 3 steps are at home\. It cost \$", job.Message?.Full);
        await using var db = await host.Database.ForSystemAsync(default);
        var attempt = await db.Attempts.SingleAsync(a => a.JobId == job.Id, Now);
        var machine = Assert.Single(await host.InstancesAsync(job.Id));
        Assert.Equal((machine.GpuRate + machine.DiskRate).For(TimeSpan.FromSeconds(97)), attempt.Health.Saved); // 97 steps of a second each
        Assert.Equal([3], await db.Artifacts.Where(a => a.JobId == job.Id && a.Kind == ArtifactKind.Checkpoint).Select(a => a.Step!.Value).Distinct().ToListAsync(Now));
    }

    [Fact]
    public async Task A_slow_evaluation_is_left_alone()
    {
        await using var host = await StartAsync();

        var job = await host.SubmitAsync(
            Command(Step + """
                for i in 1 2 3; do step $i 0.5; sleep 0.3; done
                echo '{"t":1,"type":"phase","phase":"evaluate"}' >>"$GD_METRICS"; sleep 9
                echo '{"t":1,"type":"phase","phase":"train"}' >>"$GD_METRICS"; step 4 0.4
                """),
            Once with { Health = new HealthLimits(TimeSpan.FromSeconds(3)) });

        await host.EndsAsync(job, JobStatus.Succeeded);
    }

    [Fact]
    public async Task A_loss_that_is_no_number_ends_it_and_what_was_saved_after_it_is_not_kept()
    {
        await using var host = await StartAsync();

        var job = await host.EndsAsync(
            await host.SubmitAsync(Command(Step + """
                for i in 10 20; do step $i 0.5; save $i; sleep 1.5; done
                for i in 30 40 50; do step $i null ',"nonfinite":"loss"'; save $i; sleep 0.2; done
                exec sleep 600
                """), Once),
            JobStatus.Failed);

        Assert.Equal(StopReason.Diverged, job.StopReason);
        Assert.StartsWith("Loss became NaN at step 30, stopped ", job.Message?.Full, StringComparison.Ordinal);
        Assert.Contains(" Saved ≈ $", job.Message?.Full, StringComparison.Ordinal);
        Assert.EndsWith("Try a smaller learning rate.", job.Message?.Full, StringComparison.Ordinal);
        await using var db = await host.Database.ForSystemAsync(default);
        Assert.Equal([20], await db.Artifacts.Where(a => a.JobId == job.Id && a.Kind == ArtifactKind.Checkpoint && a.Step >= 20).Select(a => a.Step!.Value).Distinct().ToListAsync(Now));
    }

    [Fact]
    public async Task A_machine_on_which_it_hung_is_not_the_one_it_is_tried_on_again()
    {
        await using var host = await StartAsync();

        var job = await host.SubmitAsync(
            Command(Step + "[ -n \"$GD_RESUME\" ] && exit 0; for i in 1 2 3; do step $i 0.5; sleep 0.4; done; save 3; exec sleep 600"),
            new JobLimits(null, null, null) { Health = new HealthLimits(TimeSpan.FromSeconds(6)) });
        await host.EndsAsync(job, JobStatus.Succeeded);

        var machines = await host.InstancesAsync(job);
        Assert.Equal((2, StopReason.Hung), (machines.Select(m => m.MachineId).Distinct().Count(), machines[0].EndReason));
    }

    private Task<LifecycleHost> StartAsync() => LifecycleHost.StartAsync(
        fixture.Sandbox,
        more: services => services.AddSingleton(Create(new InterruptionOptions { CheckpointMinutes = 0.01 })),
        pace: new LifecycleOptions
        {
            QuietInterval = TimeSpan.FromSeconds(0.5),
            MovingInterval = TimeSpan.FromSeconds(0.5),
            BootingInterval = TimeSpan.FromSeconds(0.5),
            WatchInterval = TimeSpan.FromSeconds(0.3),
            AbsenceProof = TimeSpan.FromSeconds(1),
        });

    private static TrainingSpec Command(string script) => new() { Preset = Presets.Command, Backend = "command", Command = new CommandSpec(script, []) };
}
