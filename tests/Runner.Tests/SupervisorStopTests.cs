namespace Dashboard.Runner.Tests;

public sealed class SupervisorStopTests : IAsyncDisposable
{
    private readonly RentedMachine _machine = new();

    public ValueTask DisposeAsync() => _machine.DisposeAsync();

    [Theory]
    [InlineData("", "stopped")]
    [InlineData("preempted", "preempted")]
    public async Task A_stop_file_ends_the_run_after_a_checkpoint(string content, string reason)
    {
        _machine.Smoke(steps: 10_000, saveSteps: 10_000, pace: 0.02);
        _machine.StartSupervisor();
        await StepsAsync(3);

        _machine.Put("stop", content);

        Assert.Equal((143, reason), await _machine.EndAsync());
        var step = (int)_machine.Json("exit")["step"]!;
        Assert.Null(_machine.Json("exit")["signal"]);
        Assert.True(_machine.Has($"out/checkpoint-{step}/COMPLETE"), $"a whole checkpoint of step {step}");
    }

    [Fact]
    public async Task Term_to_the_supervisor_means_the_host_takes_the_machine()
    {
        _machine.Smoke(steps: 10_000, pace: 0.02);
        using var supervisor = _machine.StartSupervisor();
        await StepsAsync(1);

        await _machine.SignalAsync("TERM", supervisor.Id);

        Assert.Equal((143, "preempted"), await _machine.EndAsync());
    }

    [Fact]
    public async Task A_script_that_ignores_the_request_is_killed_after_the_grace_time()
    {
        _machine.Command("trap '' TERM; touch ../deaf; while :; do sleep 0.05; done", limits: new { grace_s = 1 });
        _machine.StartSupervisor();
        await _machine.UntilAsync(() => _machine.Has("deaf"), "the script runs");

        _machine.Put("stop", "");

        Assert.Equal((137, "stopped"), await _machine.EndAsync());
        await _machine.UntilAsync(() => _machine.Processes("script.sh").Length == 0, "the script is gone");
    }

    [Fact]
    public async Task A_checkpoint_on_request_does_not_end_the_run()
    {
        _machine.Smoke(steps: 10_000, saveSteps: 10_000, pace: 0.02);
        _machine.StartSupervisor();
        await StepsAsync(1);

        _machine.Put("checkpoint", "");
        await _machine.UntilAsync(() => Checkpoints().Length == 1, "a checkpoint");
        _machine.Put("checkpoint", "");
        await _machine.UntilAsync(() => Checkpoints().Length == 2, "another one");

        Assert.False(_machine.Has("exit"));
        Assert.False(_machine.Has("checkpoint"));
    }

    private string[] Checkpoints() => [.. _machine.Lines("metrics.jsonl").Where(line => line.Contains("\"type\":\"checkpoint\"", StringComparison.Ordinal))];

    private Task StepsAsync(int lines) => _machine.UntilAsync(
        () => _machine.Lines("metrics.jsonl").Count(line => line.Contains("\"type\":\"train\"", StringComparison.Ordinal)) >= lines, $"{lines} train lines");
}
