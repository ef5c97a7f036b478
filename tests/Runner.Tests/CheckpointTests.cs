using System.Text.Json.Nodes;

namespace Dashboard.Runner.Tests;

/// <summary>A checkpoint of an earlier attempt is gone on from, and a custom command may have checkpoints too.</summary>
public sealed class CheckpointTests : IAsyncDisposable
{
    private readonly RentedMachine _machine = new();

    public ValueTask DisposeAsync() => _machine.DisposeAsync();

    [Fact]
    public async Task The_smoke_run_goes_on_from_a_checkpoint_that_came_with_the_bundle_and_ends_with_the_same_bytes()
    {
        await using var first = new RentedMachine();
        first.Smoke(steps: 60, saveSteps: 20);
        Assert.Equal(0, (await first.TrainAsync()).Code);
        Carry(first.At("out/checkpoint-40"));
        _machine.Smoke(steps: 60, saveSteps: 20);

        Assert.Equal(0, (await _machine.TrainAsync()).Code);

        Assert.Equal(40, (int)Metrics("start").Single()["resumed_from"]!);
        Assert.Equal([41, 50, 60], Metrics("train").Select(line => (int)line["step"]!));
        const string adapter = "out/adapter/adapter_model.safetensors";
        Assert.Equal(RentedMachine.Sha256(first.At(adapter)), RentedMachine.Sha256(_machine.At(adapter)));
    }

    [Fact]
    public async Task A_checkpoint_that_was_damaged_on_its_way_is_not_gone_on_from()
    {
        await using var first = new RentedMachine();
        first.Smoke(steps: 20, saveSteps: 10);
        await first.TrainAsync();
        Carry(first.At("out/checkpoint-10"));
        await File.AppendAllTextAsync(_machine.At("bundle/resume/checkpoint-10/state.json"), " ", TestContext.Current.CancellationToken);
        _machine.Smoke(steps: 20, saveSteps: 10);

        await _machine.TrainAsync();

        Assert.Null(Metrics("start").Single()["resumed_from"]);
    }

    [Fact]
    public async Task A_script_saves_itself_and_its_next_start_finds_the_newest_savepoint()
    {
        _machine.Command("""
            mkdir -p model/deep; echo 1 >model/deep/w; echo one >state
            python3 "$GD_SAVE" 10 model state
            echo two >state
            python3 "$GD_SAVE" 20 model state
            echo three >state
            python3 "$GD_SAVE" 30 model state
            """);

        Assert.Equal(0, (await _machine.TrainAsync()).Code);

        Assert.Equal([10, 20, 30], Metrics("checkpoint").Select(line => (int)line["step"]!));
        Assert.Equal(["checkpoint-20", "checkpoint-30"], Directory.GetDirectories(_machine.At("out"), "checkpoint-*").Select(Path.GetFileName).Order());
        Assert.Equal(["model/deep/w", "state"], _machine.Json("out/checkpoint-30/COMPLETE").AsObject().Select(file => file.Key).Order());
        Assert.Equal(RentedMachine.Sha256(_machine.At("out/checkpoint-30/state")), (string?)_machine.Json("out/checkpoint-30/COMPLETE")["state"]!["sha256"]);

        _machine.Command("cat \"$GD_RESUME/state\"");
        Assert.Contains("three", (await _machine.TrainAsync()).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_script_goes_on_from_a_savepoint_that_came_with_the_bundle()
    {
        await using var first = new RentedMachine();
        first.Command("echo seven >state; python3 \"$GD_SAVE\" 7 state");
        await first.TrainAsync();
        Carry(first.At("out/checkpoint-7"));
        _machine.Command("cat \"$GD_RESUME/state\"; [ -w \"$GD_OUT\" ]");

        var (code, output) = await _machine.TrainAsync();

        Assert.Equal(0, code);
        Assert.Contains("seven", output, StringComparison.Ordinal);
        Assert.Equal(7, (int)Metrics("start").Single()["resumed_from"]!);
    }

    [Theory]
    [InlineData("python3 \"$GD_SAVE\" ten state", 64)]
    [InlineData("python3 \"$GD_SAVE\" 10", 64)]
    [InlineData("python3 \"$GD_SAVE\" 10 nothing", 66)]
    public async Task A_savepoint_that_cannot_be_made_says_so_and_leaves_none(string script, int code)
    {
        _machine.Command(script);

        Assert.Equal(code, (await _machine.TrainAsync()).Code);

        Assert.Empty(Directory.GetDirectories(_machine.At("out"), "checkpoint-*"));
    }

    /// <summary>As the server puts it into the next attempt's bundle.</summary>
    private void Carry(string checkpoint)
    {
        var target = Path.Combine(_machine.At("bundle/resume"), Path.GetFileName(checkpoint));
        Directory.CreateDirectory(target);
        foreach (var file in Directory.GetFiles(checkpoint))
        {
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        }
    }

    private JsonObject[] Metrics(string type) =>
        [.. _machine.Lines("metrics.jsonl").Select(line => JsonNode.Parse(line)!.AsObject()).Where(line => (string?)line["type"] == type)];
}
