namespace Dashboard.Runner.Tests;

public sealed class CustomCommandTests : IAsyncDisposable
{
    private readonly RentedMachine _machine = new();

    public ValueTask DisposeAsync() => _machine.DisposeAsync();

    [Fact]
    public async Task Files_below_the_work_folder_come_home_with_their_paths_and_hashes()
    {
        _machine.Command("mkdir -p model/deep plots; echo w >model/deep/w.bin; echo x >model/x.txt; echo p >plots/p.svg; echo own >\"$GD_OUT/own.txt\"", ["model/**/*.bin", "plots"]);

        var (code, _) = await _machine.TrainAsync();

        Assert.Equal(0, code);
        Assert.Equal(
            ["files/model/deep/w.bin", "files/own.txt", "files/plots/p.svg", "result.json"],
            _machine.Lines("out/MANIFEST.sha256").Select(line => line[66..]).Order(StringComparer.Ordinal));
        Assert.Equal(0, (await _machine.RunAsync($"cd '{_machine.At("out")}' && sha256sum -c MANIFEST.sha256")).Code);
        Assert.Equal("done", (string?)_machine.Json("out/result.json")["reason"]);
    }

    [Fact]
    public async Task A_missing_file_is_named_and_the_code_stays_the_scripts()
    {
        _machine.Command("exit 3", ["model.bin"]);

        Assert.Equal(3, (await _machine.TrainAsync()).Code);

        Assert.Equal(["model.bin"], _machine.Json("out/result.json")["missing"]!.AsArray().Select(name => (string?)name));
        Assert.Equal(3, (int)_machine.Json("out/result.json")["exit_code"]!);
    }

    [Fact]
    public async Task Links_out_of_the_work_folder_are_refused()
    {
        _machine.Command("ln -s /etc/passwd a.txt; ln -s /etc b; mkfifo c.txt; echo ok >d.txt; ln -s d.txt e.txt", ["*.txt", "b/passwd"]);

        await _machine.TrainAsync();

        var result = _machine.Json("out/result.json");
        Assert.Equal(["a.txt", "b/passwd", "c.txt"], result["refused"]!.AsArray().Select(name => (string?)name).Order(StringComparer.Ordinal));
        Assert.Equal(["b/passwd"], result["missing"]!.AsArray().Select(name => (string?)name));
        Assert.Equal(["d.txt", "e.txt"], Directory.GetFiles(_machine.At("out/files")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("../bundle/spec.json")]
    [InlineData("/etc/passwd")]
    public async Task A_pattern_that_leaves_the_work_folder_is_a_bad_spec(string pattern)
    {
        _machine.Command("touch ../ran", [pattern]);

        Assert.Equal(64, (await _machine.TrainAsync()).Code);
        Assert.False(_machine.Has("ran"));
    }

    [Fact]
    public async Task A_command_that_is_not_there_gets_a_hint()
    {
        _machine.Command("accelerate-of-another-image launch");

        var (code, output) = await _machine.TrainAsync();

        Assert.Equal(127, code);
        Assert.Contains("this machine runs the script with what its image has", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_script_sees_its_folders_but_not_the_machines_key()
    {
        _machine.Environment["CONTAINER_API_KEY"] = LoopbackProvider.Key;
        _machine.Command("env; echo '{\"t\":1,\"type\":\"train\",\"step\":4}' >>\"$GD_METRICS\"");

        var (_, output) = await _machine.TrainAsync();

        Assert.Contains($"GD_DATA={_machine.At("bundle/data")}\n", output, StringComparison.Ordinal);
        Assert.Contains($"GD_STOP={_machine.At("out/STOP")}\n", output, StringComparison.Ordinal);
        Assert.DoesNotContain(LoopbackProvider.Key, output, StringComparison.Ordinal);
        Assert.Contains(_machine.Lines("metrics.jsonl"), line => line.Contains("\"step\":4", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_script_that_ends_in_peace_because_it_was_asked_to_has_been_stopped()
    {
        _machine.Command("touch ../ready; while [ ! -e \"$GD_STOP\" ]; do sleep 0.05; done; echo part >part.txt; trap '' TERM", ["part.txt"]);
        _machine.StartSupervisor();
        await _machine.UntilAsync(() => _machine.Has("ready"), "the script runs");

        Directory.CreateDirectory(_machine.At("out"));
        _machine.Put("out/STOP", "");

        Assert.Equal((143, "preempted"), await _machine.EndAsync());
        Assert.True(_machine.Has("out/files/part.txt"));
    }
}
