using System.Diagnostics;
using Dashboard.Tests.Shared;

namespace Dashboard.Runner.Tests;

public sealed class SupervisorStartTests : IAsyncDisposable
{
    private const string Waits = "echo $$ >>../starts; while :; do sleep 0.05; done";

    private readonly RentedMachine _machine = new();

    public ValueTask DisposeAsync() => _machine.DisposeAsync();

    [Theory]
    [InlineData("dash")]
    [InlineData("bash --posix")]
    [InlineData("busybox sh")]
    public async Task Of_many_simultaneous_starts_one_trains_and_the_others_end_with_75(string shell)
    {
        var (missing, _) = await _machine.RunAsync("command -v " + shell.Split(' ')[0]);
        Assert.SkipWhen(missing != 0, $"no {shell} on this machine");
        _machine.Command(Waits);

        var starts = Enumerable.Range(0, 16).Select(_ => _machine.StartSupervisor(shell)).ToArray();
        await _machine.UntilAsync(() => starts.Count(s => s.HasExited) == 15, "fifteen starts are refused");
        await _machine.UntilAsync(() => _machine.Has("starts"), "the script runs");

        Assert.All(starts.Where(s => s.HasExited), s => Assert.Equal(75, s.ExitCode));
        Assert.Single(_machine.Lines("starts"));
        _machine.Put("stop", "");
        Assert.Equal((143, "stopped"), await _machine.EndAsync());
        Assert.Single(_machine.Lines("starts"));
    }

    [Fact]
    public async Task Only_the_supervisor_itself_holds_its_lock()
    {
        _machine.Command(Waits);
        using var supervisor = _machine.StartSupervisor();
        await _machine.UntilAsync(() => _machine.Has("starts"), "the script runs");

        // Substitutions fork for a moment; what stays must be the supervisor alone.
        await _machine.UntilAsync(
            () => _machine.Processes().Where(HoldsTheLock).SequenceEqual([supervisor.Id]) && _machine.Processes("sleep").Length > 0,
            "one holder, with children running");
    }

    private bool HoldsTheLock(int pid)
    {
        try
        {
            return Directory.GetFiles($"/proc/{pid}/fd").Any(fd => File.ResolveLinkTarget(fd, false)?.FullName == _machine.At("lock"));
        }
        catch (IOException)
        {
            return false;
        }
    }

    [Fact]
    public async Task After_kill_9_of_the_supervisor_the_next_one_adopts_the_trainer()
    {
        _machine.Command(Waits);
        using var first = _machine.StartSupervisor();
        await _machine.UntilAsync(() => _machine.Has("starts"), "the script runs");
        var trainer = _machine.Read("pid");

        first.Kill();
        await first.WaitForExitAsync(TestContext.Current.CancellationToken);
        File.Delete(_machine.At("beat"));
        using var second = _machine.StartSupervisor();
        await _machine.UntilAsync(() => _machine.Read("supervisor.log").Contains("adopting", StringComparison.Ordinal), "adoption");
        await _machine.UntilAsync(() => _machine.Has("beat"), "it beats again");

        Assert.Equal(trainer, _machine.Read("pid"));
        Assert.Equal(0, (int)_machine.Json("beat")["restarts"]!);
        _machine.Put("stop", "");
        Assert.Equal((143, "stopped"), await _machine.EndAsync());
        Assert.Single(_machine.Lines("starts"));
    }

    [Fact]
    public async Task A_trainer_that_ended_while_nobody_watched_is_reported_by_the_next_supervisor()
    {
        _machine.Command("while [ ! -e ../go ]; do sleep 0.05; done; exit 7");
        using var first = _machine.StartSupervisor();
        await _machine.UntilAsync(() => _machine.Has("pid"), "the trainer runs");
        first.Kill();
        await first.WaitForExitAsync(TestContext.Current.CancellationToken);
        _machine.Put("go", "");
        await _machine.UntilAsync(() => _machine.Has("code"), "the shell around it notes the code");

        _machine.StartSupervisor();

        Assert.Equal((7, "failed"), await _machine.EndAsync());
    }

    [Fact]
    public async Task A_killed_trainer_has_failed_with_its_signal_and_leaves_nothing_running()
    {
        _machine.Command("exec >/dev/null 2>&1; " + Waits);
        _machine.StartSupervisor();
        await _machine.UntilAsync(() => _machine.Has("starts"), "the script runs");

        await _machine.SignalAsync("KILL", Assert.Single(_machine.Processes("trainer.py")));

        Assert.Equal((137, "failed"), await _machine.EndAsync());
        Assert.Equal(9, (int)_machine.Json("exit")["signal"]!);
        Assert.Empty(_machine.Processes("script.sh"));
    }

    [Fact]
    public async Task No_code_and_no_process_is_a_failure()
    {
        _machine.Command(Waits);
        _machine.StartSupervisor();
        await _machine.UntilAsync(() => _machine.Has("starts"), "the script runs");

        await _machine.SignalAsync("KILL", -_machine.TrainerPid);

        Assert.Equal((137, "failed"), await _machine.EndAsync());
        Assert.False(_machine.Has("code"));
    }

    [Fact]
    public async Task Survivors_of_a_dead_group_leader_are_gone_before_the_next_trainer_starts()
    {
        _machine.Command("[ -e ../alive ] && grep -qs '^State:.[^Z]' /proc/$(cat ../alive)/status && touch ../overlap; echo $$ >../alive; " + Waits);
        using var first = _machine.StartSupervisor();
        await _machine.UntilAsync(() => _machine.Has("starts"), "the script runs");
        first.Kill();
        await first.WaitForExitAsync(TestContext.Current.CancellationToken);
        foreach (var shell in _machine.Processes("supervisor.sh run"))
        {
            await _machine.SignalAsync("KILL", shell);
        }

        await _machine.SignalAsync("KILL", Assert.Single(_machine.Processes("trainer.py")));
        Assert.NotEmpty(_machine.Processes("script.sh"));

        _machine.StartSupervisor();

        await _machine.UntilAsync(() => _machine.Lines("starts").Length == 2, "it is started again");
        Assert.False(_machine.Has("overlap"));
        await _machine.UntilAsync(() => (int)_machine.Json("beat")["restarts"]! == 1, "the beat counts the restart");
    }

    [Fact]
    public async Task A_reused_pid_is_neither_adopted_nor_signalled()
    {
        using var innocent = _machine.Start("exec setsid sleep 600");
        _machine.Command(Waits);
        await File.WriteAllTextAsync(_machine.At("pid"), $"{innocent.Id} 1\n", TestContext.Current.CancellationToken);

        _machine.StartSupervisor();
        await _machine.UntilAsync(() => _machine.Has("starts"), "the script runs");
        _machine.Put("stop", "");

        Assert.Equal((143, "stopped"), await _machine.EndAsync());
        Assert.False(innocent.HasExited);
    }

    [Fact]
    public async Task A_stop_that_was_asked_before_the_start_runs_nothing_and_leaves_an_empty_folder_to_collect()
    {
        _machine.Command(Waits);
        _machine.Put("stop", "");

        _machine.StartSupervisor();

        Assert.Equal((143, "stopped"), await _machine.EndAsync());
        Assert.False(_machine.Has("starts"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_machine.At("out")));
    }

    [Fact]
    public async Task A_bundle_that_differs_from_its_manifest_is_not_run()
    {
        _machine.Command(Waits);
        await File.AppendAllTextAsync(_machine.At("bundle/script.sh"), "# changed on the way\n", TestContext.Current.CancellationToken);

        using var supervisor = _machine.StartSupervisor();
        await supervisor.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(65, supervisor.ExitCode);
        Assert.Equal((65, "bad-bundle"), await _machine.EndAsync());
        Assert.False(_machine.Has("starts"));
    }

    [Fact]
    public async Task Once_there_is_an_exit_a_start_does_nothing()
    {
        _machine.Command("echo $$ >>../starts");
        using var first = _machine.StartSupervisor();
        Assert.Equal((0, "done"), await _machine.EndAsync());
        var verdict = _machine.Read("exit");

        using var second = _machine.StartSupervisor();
        await second.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(0, second.ExitCode);
        Assert.False(first.HasExited); // it guards the lease while the files are brought home
        Assert.Equal(verdict, _machine.Read("exit"));
        Assert.Single(_machine.Lines("starts"));
    }

    [Fact]
    public async Task A_restarted_container_goes_on_from_its_newest_whole_checkpoint()
    {
        _machine.Smoke(steps: 60, saveSteps: 10, pace: 0.05);
        using (var first = _machine.StartSupervisor())
        {
            await _machine.UntilAsync(() => _machine.Has("out/checkpoint-20/COMPLETE"), "a second checkpoint");
            first.Kill();
            await first.WaitForExitAsync(TestContext.Current.CancellationToken);
            await _machine.SignalAsync("KILL", -_machine.TrainerPid);
        }

        await File.WriteAllTextAsync(_machine.At("out/checkpoint-20/state.json"), "{", TestContext.Current.CancellationToken);
        _machine.StartSupervisor();

        Assert.Equal((0, "done"), await _machine.EndAsync());
        Assert.Contains("going on from step 10", _machine.Read("log"), StringComparison.Ordinal);
        Assert.Equal(60, (int)_machine.Json("exit")["step"]!);
        await _machine.UntilAsync(() => (string?)_machine.Json("beat")["phase"] == "ended", "the beat says so");
        Assert.Equal(1, (int)_machine.Json("beat")["restarts"]!);
    }

    [Fact]
    public async Task Three_starts_without_a_step_forward_are_a_crash_loop()
    {
        _machine.Command(Waits);
        for (var starts = 1; starts <= 3; starts++)
        {
            using var supervisor = _machine.StartSupervisor();
            await _machine.UntilAsync(() => _machine.Lines("starts").Length == starts, $"start {starts}");
            supervisor.Kill();
            await supervisor.WaitForExitAsync(TestContext.Current.CancellationToken);
            await _machine.SignalAsync("KILL", -_machine.TrainerPid);
        }

        _machine.StartSupervisor();

        Assert.Equal((70, "crash-loop"), await _machine.EndAsync());
        Assert.Equal(3, _machine.Lines("starts").Length);
    }
}
