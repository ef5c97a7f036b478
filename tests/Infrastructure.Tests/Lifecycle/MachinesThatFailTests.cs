using System.Globalization;
using System.Text;
using Dashboard.Domain;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Logs;
using Dashboard.Tests.Shared;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Tests.Lifecycle;

/// <summary>A machine that fails ends with the reason that is true, is destroyed, and the job goes on elsewhere where that helps.</summary>
[Collection(nameof(FaultySandbox))]
public sealed class MachinesThatFailTests(FaultySandbox fixture) : IAsyncLifetime
{
    private const double MostSpeed = 10_000; // that the sandbox takes
    private static readonly TrainingSpec Endless = Command("sleep 600");
    private static readonly JobLimits Twice = new(null, null, null, MaxAttempts: 2);

    private static readonly LifecycleOptions Quick = Pace(hostReturn: 4, exitedGrace: 2);

    private SandboxProcess Sandbox => fixture.Sandbox;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync() => await Sandbox.SwitchAsync(HttpMethod.Put, "/market", """{"speed":1}""");

    [Theory]
    [InlineData("stuck_loading", "showed no progress")]
    [InlineData("oci_failure", "while starting: \"")]
    [InlineData("ssh_refusing", "did not let us in over SSH")]
    public async Task A_machine_that_does_not_come_up_is_destroyed_and_another_one_rented(string fault, string said)
    {
        await Sandbox.SwitchAsync(HttpMethod.Put, $"/next-instance/faults/{fault}");
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);

        var job = await host.SubmitAsync(Endless, Twice);
        await host.ReachesAsync(job, JobStatus.Running);

        var (failed, next) = Two(await host.InstancesAsync(job));
        Assert.Equal((InstanceStatus.Gone, StopReason.StartFailed), (failed.Status, failed.EndReason));
        Assert.Contains(said, failed.EndMessage?.Full, StringComparison.Ordinal);
        Assert.NotEqual(failed.MachineId, next.MachineId);
        await DestroyAsync(host, job);
    }

    [Fact]
    public async Task A_machine_that_lets_us_in_late_is_waited_for()
    {
        await Sandbox.SwitchAsync(HttpMethod.Put, "/next-instance/faults/ssh_late", """{"seconds":3}""");
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);

        var job = await host.SubmitAsync(Endless);
        await host.ReachesAsync(job, JobStatus.Running);

        Assert.Single(await host.InstancesAsync(job));
        await DestroyAsync(host, job);
    }

    [Fact]
    public async Task A_machine_that_failed_is_rented_last_by_the_next_job()
    {
        await Sandbox.SwitchAsync(HttpMethod.Put, "/next-instance/faults/oci_failure");
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);
        var first = await host.EndsAsync(await host.SubmitAsync(Endless, new JobLimits(null, null, null, MaxAttempts: 1)), JobStatus.Failed);
        var failed = Assert.Single(await host.InstancesAsync(first.Id));

        var second = await host.SubmitAsync(Endless);
        await host.ReachesAsync(second, JobStatus.Starting);

        Assert.NotEqual(failed.MachineId, Assert.Single(await host.InstancesAsync(second)).MachineId);
        await DestroyAsync(host, second);
    }

    [Fact]
    public async Task A_machine_that_failed_twice_is_avoided_for_long_after_the_cool_down()
    {
        var pace = Pace(hostReturn: 4, exitedGrace: 2, coolDown: TimeSpan.Zero);
        await Sandbox.SwitchAsync(HttpMethod.Put, "/next-instance/faults/oci_failure");
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: pace);
        var once = new JobLimits(null, null, null, MaxAttempts: 1);
        var first = Assert.Single(await host.InstancesAsync((await host.EndsAsync(await host.SubmitAsync(Endless, once), JobStatus.Failed)).Id));

        // One failure does not yet put it behind the others: it is the cheapest still, if only the chance of failing is cheap enough.
        await Sandbox.SwitchAsync(HttpMethod.Put, "/next-instance/faults/oci_failure");
        string? again = null; // it is listed anew after a while, under another id
        await Eventually.HoldsAsync(async () => (again = (await host.Get<IMarketplaces>().For(host.Connection).SearchAsync(new OfferQuery { DiskGb = 10, GpuCount = 1 }, TestContext.Current.CancellationToken)).FirstOrDefault(o => o.MachineId == first.MachineId)?.Id) is not null, "it is free again", TimeSpan.FromSeconds(90));
        var second = Assert.Single(await host.InstancesAsync((await host.EndsAsync(await host.SubmitAsync(Endless, once, again), JobStatus.Failed)).Id));
        Assert.Equal(first.MachineId, second.MachineId);

        var third = await host.SubmitAsync(Endless);
        await host.ReachesAsync(third, JobStatus.Starting);
        Assert.NotEqual(first.MachineId, Assert.Single(await host.InstancesAsync(third)).MachineId);
        await DestroyAsync(host, third);
        await using var db = await host.Database.ForSystemAsync(default);
        var score = (await HostHistory.ReadAsync(db, host.Team.Id, host.Connection.Market, [first.MachineId], TimeProvider.System.GetUtcNow(), TestContext.Current.CancellationToken)).Host(first.MachineId)!;
        Assert.Equal((0, 2, true), (score.Booted, score.BootsFailed, score.IsBad));
    }

    [Fact]
    public async Task A_running_machine_with_another_host_key_is_destroyed_and_people_are_told()
    {
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);
        var job = await host.SubmitAsync(Endless, Twice);
        await host.ReachesAsync(job, JobStatus.Running);
        var machine = Assert.Single(await host.InstancesAsync(job));

        await LayAsync(machine, "host_key_changed");
        await LayAsync(machine, "session_cut");
        await Eventually.HoldsAsync(async () => (await host.InstancesAsync(job)).Count == 2, "another machine is rented", TimeSpan.FromSeconds(60));

        var (failed, _) = Two(await host.InstancesAsync(job));
        Assert.Equal((InstanceStatus.Gone, StopReason.HostKeyChanged), (failed.Status, failed.EndReason));
        await using var db = await host.Database.ForSystemAsync(default);
        Assert.Contains($"Machine {machine.ContractId} changed its host key", await db.Inbox.Select(i => i.Title).ToListAsync());
        await DestroyAsync(host, job);
    }

    [Fact]
    public async Task A_host_that_comes_back_in_time_goes_on_with_its_job()
    {
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Pace(hostReturn: 300, exitedGrace: 300));
        var job = await host.SubmitAsync(Endless, Twice);
        await host.ReachesAsync(job, JobStatus.Running);
        var machine = Assert.Single(await host.InstancesAsync(job));

        await LayAsync(machine, "no_heartbeat", """{"seconds":4}""");
        await Eventually.HoldsAsync(async () => (await host.InstancesAsync(job))[0].Observed == ObservedStatus.Unreachable, "it is seen offline");
        await Eventually.HoldsAsync(async () => (await host.InstancesAsync(job))[0].Observed == ObservedStatus.Running, "it is seen again");

        Assert.Equal(JobStatus.Running, (await host.JobAsync(job)).Status);
        Assert.Single(await host.InstancesAsync(job));
        await DestroyAsync(host, job);
    }

    [Fact]
    public async Task A_host_that_stays_away_is_given_up_destroyed_and_replaced()
    {
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);
        var job = await host.SubmitAsync(Endless, Twice);
        await host.ReachesAsync(job, JobStatus.Running);
        var machine = Assert.Single(await host.InstancesAsync(job));

        await LayAsync(machine, "host_offline");
        await Eventually.HoldsAsync(async () => (await host.InstancesAsync(job)).Count == 2, "another machine is rented", TimeSpan.FromSeconds(60));

        var (failed, _) = Two(await host.InstancesAsync(job));
        Assert.Equal((InstanceStatus.Gone, StopReason.HostLost), (failed.Status, failed.EndReason));
        Assert.Contains("offline", failed.EndMessage?.Full, StringComparison.Ordinal);
        await DestroyAsync(host, job);
    }

    [Fact]
    public async Task A_container_that_ended_is_destroyed_and_replaced()
    {
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);
        var job = await host.SubmitAsync(Endless, Twice);
        await host.ReachesAsync(job, JobStatus.Running);

        await LayAsync(Assert.Single(await host.InstancesAsync(job)), "container_exits");
        await Eventually.HoldsAsync(async () => (await host.InstancesAsync(job)).Count == 2, "another machine is rented", TimeSpan.FromSeconds(60));

        var (failed, _) = Two(await host.InstancesAsync(job));
        Assert.Equal((InstanceStatus.Gone, StopReason.HostLost), (failed.Status, failed.EndReason));
        await DestroyAsync(host, job);
    }

    [Fact]
    public async Task A_cut_connection_loses_and_repeats_no_line()
    {
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);
        var job = await host.SubmitAsync(Command("for i in $(seq 1 80); do echo line $i; sleep 0.1; done; sleep 2"));
        await host.ReachesAsync(job, JobStatus.Running);
        var machine = Assert.Single(await host.InstancesAsync(job));

        await LayAsync(machine, "session_cut");
        await host.EndsAsync(job, JobStatus.Succeeded);

        var log = Encoding.UTF8.GetString(await host.Get<LogStore>().ReadBytesAsync(job, 1, 0, 1 << 20, TestContext.Current.CancellationToken));
        var lines = log.Split('\n').Where(line => line.StartsWith("line ", StringComparison.Ordinal)).ToList();
        Assert.Equal(Enumerable.Range(1, 80).Select(i => string.Create(CultureInfo.InvariantCulture, $"line {i}")), lines);
    }

    [Fact]
    public async Task A_disk_that_takes_not_even_the_program_fails_the_job_with_a_hint()
    {
        await Sandbox.SwitchAsync(HttpMethod.Put, "/next-instance/faults/disk_full");
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);

        var job = await host.EndsAsync(await host.SubmitAsync(Endless, Twice), JobStatus.Failed);

        Assert.Equal(StopReason.DiskFull, job.StopReason);
        Assert.Contains("no space left", job.Message?.Full, StringComparison.Ordinal);
        Assert.Equal(InstanceStatus.Gone, Assert.Single(await host.InstancesAsync(job.Id)).Status);
    }

    [Fact]
    public async Task A_machine_stopped_for_want_of_credit_pauses_the_job_and_says_so()
    {
        var opened = await Sandbox.ControlAsync(HttpMethod.Post, "/accounts", """{"name":"spends","credit":50}""");
        var (account, key) = (opened.GetProperty("id").GetInt32(), opened.GetProperty("api_key").GetString()!);
        await using var host = await LifecycleHost.StartAsync(Sandbox, key, pace: Quick);
        var job = await host.SubmitAsync(Endless, Twice);
        await host.ReachesAsync(job, JobStatus.Running);

        await Sandbox.SwitchAsync(HttpMethod.Put, $"/accounts/{account}/credit", """{"credit":0}""");
        await Eventually.HoldsAsync(async () => (await host.JobAsync(job)).Status == JobStatus.Paused, "it pauses", TimeSpan.FromSeconds(60));

        Assert.Equal(StopReason.CreditExhausted, (await host.JobAsync(job)).StopReason);
        Assert.Equal(InstanceStatus.Gone, Assert.Single(await host.InstancesAsync(job)).Status);
    }

    [Fact]
    public async Task No_contract_that_ends_before_the_job_may_is_rented()
    {
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);
        var longest = TimeSpan.FromDays(60);

        var job = await host.SubmitAsync(Endless, new JobLimits(null, null, longest));
        await Eventually.HoldsAsync(async () => (await host.InstancesAsync(job)).Any(i => i.ContractEnd is not null), "the provider says when it ends");

        var machine = Assert.Single(await host.InstancesAsync(job));
        Assert.True(machine.ContractEnd - machine.CreatedAt >= longest, $"it ends {machine.ContractEnd}");
        await DestroyAsync(host, job);
    }

    [Fact]
    public async Task A_contract_about_to_end_is_a_deadline_with_the_files_home()
    {
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);
        var job = await host.SubmitAsync(Command("echo saved > result.txt; echo saved; sleep 600", "result.txt"), Twice);
        await host.ReachesAsync(job, JobStatus.Running);
        await using var db = await host.Database.ForSystemAsync(default);
        await Eventually.HoldsAsync(async () => await db.Attempts.AsNoTracking().AnyAsync(a => a.JobId == job && a.FirstLineAt != null), "there is something to bring home");
        var machine = Assert.Single(await host.InstancesAsync(job));

        var left = machine.ContractEnd!.Value - TimeProvider.System.GetUtcNow();
        var speed = Math.Min(MostSpeed, left / TimeSpan.FromMinutes(10));
        await Sandbox.SwitchAsync(HttpMethod.Put, "/market", string.Create(CultureInfo.InvariantCulture, $$"""{"speed":{{speed:0}}}"""));
        var ended = await host.EndsAsync(job, JobStatus.Failed);

        Assert.Equal(StopReason.DeadlineReached, ended.StopReason);
        Assert.Contains("contract ends at", ended.Message?.Full, StringComparison.Ordinal);
        Assert.Equal(["files/result.txt", "result.json"], await db.Artifacts.Select(a => a.Path).Order().ToListAsync());
    }

    private static LifecycleOptions Pace(double hostReturn, double exitedGrace, TimeSpan? coolDown = null) => new()
    {
        CoolDown = coolDown ?? TimeSpan.FromHours(24),
        QuietInterval = TimeSpan.FromSeconds(0.5),
        MovingInterval = TimeSpan.FromSeconds(0.5),
        BootingInterval = TimeSpan.FromSeconds(0.5),
        WatchInterval = TimeSpan.FromSeconds(0.5),
        BootProgress = TimeSpan.FromSeconds(4),
        SshAnswer = TimeSpan.FromSeconds(6),
        HostReturn = TimeSpan.FromSeconds(hostReturn),
        ExitedGrace = TimeSpan.FromSeconds(exitedGrace),
        AbsenceProof = TimeSpan.FromSeconds(1),
    };

    private static TrainingSpec Command(string line, params string[] results) => new() { Preset = Presets.Command, Backend = "command", Command = new CommandSpec(line, results) };

    private static (Instance Failed, Instance Next) Two(IReadOnlyList<Instance> instances)
    {
        Assert.Equal(2, instances.Count);
        return (instances[0], instances[1]);
    }

    private Task LayAsync(Instance machine, string fault, string body = "{}") => Sandbox.SwitchAsync(HttpMethod.Put, $"/instances/{machine.ContractId}/faults/{fault}", body);

    private static async Task DestroyAsync(LifecycleHost host, JobId job)
    {
        await host.CancelAsync(job, CancelMode.DestroyNow);
        await host.EndsAsync(job, JobStatus.Cancelled);
    }
}
