namespace Dashboard.Runner.Tests;

public sealed class SupervisorReasonTests : IAsyncDisposable
{
    private readonly RentedMachine _machine = new();

    public ValueTask DisposeAsync() => _machine.DisposeAsync();

    [Theory]
    [InlineData("exit 0", 0, "done")]
    [InlineData("echo oh; exit 3", 3, "failed")]
    [InlineData("echo 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB'; exit 1", 1, "gpu-oom")]
    [InlineData("exit 73", 73, "disk")]
    [InlineData("exit 69", 69, "missing-package")]
    [InlineData("echo 'no-gpu: no device'; exit 69", 69, "no-gpu")]
    [InlineData("kill -KILL $$", 137, "failed")]
    [InlineData("echo 'oom_kill 5' >\"$GD_CGROUP/memory.events\"; kill -KILL $$", 137, "host-oom")]
    public async Task The_end_has_a_code_and_a_reason(string script, int code, string reason)
    {
        Directory.CreateDirectory(_machine.Environment["GD_CGROUP"]);
        await File.WriteAllTextAsync(Path.Combine(_machine.Environment["GD_CGROUP"], "memory.events"), "low 0\noom 4\noom_kill 4\n", TestContext.Current.CancellationToken);
        _machine.Command(script);

        _machine.StartSupervisor();

        Assert.Equal((code, reason), await _machine.EndAsync());
    }

    [Fact]
    public async Task A_memory_message_is_found_when_the_log_is_past_its_cap()
    {
        _machine.Command("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo CUDA out of memory; exit 1", limits: new { log_mb = 1 });

        _machine.StartSupervisor();

        Assert.Equal((1, "gpu-oom"), await _machine.EndAsync());
    }

    [Fact]
    public async Task An_unknown_key_in_the_spec_is_64_and_the_log_names_it()
    {
        _machine.Spec("""{"v":1,"attempt":1,"preset":"smoke","train":{"max_step":5}}""");

        _machine.StartSupervisor();

        Assert.Equal((64, "failed"), await _machine.EndAsync());
        Assert.Contains("train.max_step", _machine.Read("log"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_shrinking_disk_costs_old_checkpoints_first_and_then_stops_the_run()
    {
        Disk(freeKb: 50_000_000);
        _machine.Smoke(steps: 10_000, saveSteps: 5, pace: 0.02);
        _machine.StartSupervisor();
        await _machine.UntilAsync(() => Checkpoints() >= 2, "two checkpoints");

        _machine.Put("checkpoint", ""); // goes on training: pruning alone ends nothing
        Disk(freeKb: 2_000_000);
        await _machine.UntilAsync(() => Checkpoints() == 1, "the newest one alone");
        Assert.False(_machine.Has("exit"));
        Disk(freeKb: 400_000);

        Assert.Equal((143, "disk"), await _machine.EndAsync());
        Assert.True(_machine.Has($"out/checkpoint-{(int)_machine.Json("exit")["step"]!}/COMPLETE"));
    }

    private int Checkpoints() => Directory.Exists(_machine.At("out")) ? Directory.GetFiles(_machine.At("out"), "COMPLETE", SearchOption.AllDirectories).Length : 0;

    private void Disk(long freeKb) => _machine.Tool("df", $"echo 'Filesystem 1024-blocks Used Available Capacity Mounted on'; echo 'overlay 99999999 1 {freeKb} 1% /'");

    [Fact]
    public async Task Gpu_samples_are_kept_as_the_tool_prints_them()
    {
        _machine.Tool("nvidia-smi", "echo '0, GPU-1, NVIDIA RTX 4090, 570.1, 24564, 812, 97, 61, 402.11, 450.00, 2520, 8.9'");
        _machine.Environment["GD_GPU_S"] = "0";
        _machine.Command("while [ ! -e ../go ]; do sleep 0.05; done");
        _machine.StartSupervisor();

        await _machine.UntilAsync(() => _machine.Lines("gpu.csv").Length >= 2, "two samples");
        await _machine.UntilAsync(() => (string?)_machine.Json("beat")["gpu"] == "ok", "the beat tells");

        Assert.All(_machine.Lines("gpu.csv"), line => Assert.Equal(12, line.Split(", ").Length));
    }

    [Fact]
    public async Task Without_a_gpu_the_beat_says_null_and_no_sample_is_written()
    {
        _machine.Tool("nvidia-smi", "echo 'No devices were found'; exit 6");
        _machine.Environment["GD_GPU_S"] = "0";
        _machine.Command("exit 0");
        _machine.StartSupervisor();

        await _machine.EndAsync();
        await _machine.UntilAsync(() => _machine.Has("gpu.state"), "the tool was asked");

        Assert.Null(_machine.Json("beat")["gpu"]);
        Assert.False(_machine.Has("gpu.csv"));
    }
}
