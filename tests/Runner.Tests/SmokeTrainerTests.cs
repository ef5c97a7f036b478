using System.Text.Json.Nodes;

namespace Dashboard.Runner.Tests;

public sealed class SmokeTrainerTests : IAsyncDisposable
{
    private readonly RentedMachine _machine = new();

    public ValueTask DisposeAsync() => _machine.DisposeAsync();

    [Fact]
    public async Task The_loss_falls_below_half_within_200_steps_on_text_it_has_not_seen()
    {
        _machine.Smoke(steps: 200, batch: 48, saveSteps: 100);

        var (code, output) = await _machine.TrainAsync();

        Assert.Equal(0, code);
        var (train, eval) = (Metrics("train"), Metrics("eval"));
        Assert.True((double)train[^1]["loss"]! < (double)train[0]["loss"]! / 2, output);
        Assert.True((double)eval[^1]["eval_loss"]! < (double)train[0]["loss"]! / 2, output);
        Assert.Equal(3, output.Split("sample: ").Length - 1);
    }

    [Fact]
    public async Task Every_metrics_line_is_json_with_the_keys_of_its_type()
    {
        _machine.Smoke(steps: 25, saveSteps: 10);

        await _machine.TrainAsync();

        Assert.Equal(["load", "train", "save"], Metrics("phase").Select(line => (string?)line["phase"]));
        Assert.Equal([1, 10, 20, 25], Metrics("train").Select(line => (int)line["step"]!));
        Assert.Equal([10, 20, 25], Metrics("checkpoint").Select(line => (int)line["step"]!));
        Has(Metrics("start").Single(), "total_steps", "epochs", "samples", "valid_samples", "tokens_per_epoch", "trainable_params", "all_params", "backend",
            "versions", "gpu_name", "gpu_count", "vram_mb", "compute_cap", "precision", "quant", "resumed_from");
        Has(Metrics("train")[0], "total_steps", "epoch", "loss", "grad_norm", "learning_rate", "tokens", "elapsed_s", "tokens_per_s", "vram_peak_mb");
        Has(Metrics("eval")[0], "step", "epoch", "eval_loss", "eval_samples", "eval_s");
        Has(Metrics("checkpoint")[0], "path", "bytes", "seconds", "sha256");
        Has(Metrics("end").Single(), "step", "reason", "train_loss", "eval_loss", "tokens", "elapsed_s", "vram_peak_mb");
        Assert.Equal(RentedMachine.Sha256(_machine.At("out/checkpoint-20/COMPLETE")), (string?)Metrics("checkpoint")[1]["sha256"]);
        Assert.False(Directory.Exists(_machine.At("out/checkpoint-10"))); // two are kept

        static void Has(JsonObject line, params string[] keys) =>
            Assert.All([.. keys, "t", "attempt"], key => Assert.True(line.ContainsKey(key), $"{key} in {line.ToJsonString()}"));
    }

    [Fact]
    public async Task A_half_line_left_by_a_killed_trainer_costs_no_other_line()
    {
        _machine.Smoke(steps: 1);
        await File.WriteAllTextAsync(_machine.At("metrics.jsonl"), """{"t":1,"type":"tra""", TestContext.Current.CancellationToken);

        await _machine.TrainAsync();

        Assert.All(_machine.Lines("metrics.jsonl")[1..], line => Assert.NotNull(JsonNode.Parse(line)));
    }

    [Fact]
    public async Task Stopped_past_step_110_and_taken_up_again_it_ends_with_the_same_bytes_as_in_one_go()
    {
        await using var other = new RentedMachine();
        other.Smoke(steps: 200, batch: 8, saveSteps: 1_000);
        _machine.Smoke(steps: 200, batch: 8, saveSteps: 1_000);
        var straight = other.TrainAsync();

        // The stop is asked for as soon as the line of step 110 is there; pace leaves the time to notice it.
        _machine.Spec("""{"v":1,"attempt":1,"preset":"smoke","train":{"max_steps":200,"batch":8},"save":{"steps":1000},"pace_s":0.01}""");
        var interrupted = _machine.TrainAsync();
        await _machine.UntilAsync(() => _machine.Read("metrics.jsonl").Contains("\"step\":110,", StringComparison.Ordinal), "step 110");
        _machine.Put("out/STOP", "");
        Assert.Equal(143, (await interrupted).Code);
        File.Delete(_machine.At("out/STOP"));
        var stoppedAt = (int)_machine.Json("out/result.json")["step"]!;
        Assert.InRange(stoppedAt, 110, 199);
        Assert.Equal(0, (await _machine.TrainAsync()).Code);

        Assert.Equal(0, (await straight).Code);
        Assert.Equal(stoppedAt, (int)Metrics("start")[1]["resumed_from"]!);
        Assert.Equal(RentedMachine.Sha256(other.At(Adapter)), RentedMachine.Sha256(_machine.At(Adapter)));
    }

    private const string Adapter = "out/adapter/adapter_model.safetensors";

    [Fact]
    public async Task The_adapter_is_what_peft_expects()
    {
        _machine.Spec("""{"v":1,"attempt":1,"preset":"smoke","model":{"id":"smoke","revision":"r1"},"method":{"r":4,"alpha":8},"train":{"max_steps":5,"batch":4}}""");

        await _machine.TrainAsync();

        var tensors = Safetensors.Read(await File.ReadAllBytesAsync(_machine.At(Adapter), TestContext.Current.CancellationToken));
        var vocabulary = tensors["base_model.model.fc2.lora_B.weight"].Shape[0];
        Assert.Equal(4, tensors.Count);
        Assert.Equal([4, 32], tensors["base_model.model.fc1.lora_A.weight"].Shape);
        Assert.Equal([48, 4], tensors["base_model.model.fc1.lora_B.weight"].Shape);
        Assert.Equal([4, 48], tensors["base_model.model.fc2.lora_A.weight"].Shape);
        Assert.Equal([vocabulary, 4], tensors["base_model.model.fc2.lora_B.weight"].Shape);
        Assert.All(tensors.Values, tensor => Assert.Contains(tensor.Values, value => value != 0)); // B of zeros would be untrained
        Assert.All(tensors.Values, tensor => Assert.All(tensor.Values, value => Assert.True(float.IsFinite(value))));
        var config = _machine.Json("out/adapter/adapter_config.json");
        Assert.Equal("LORA", (string?)config["peft_type"]);
        Assert.Equal((4, 8, "smoke", "r1"), ((int)config["r"]!, (int)config["lora_alpha"]!, (string)config["base_model_name_or_path"]!, (string)config["revision"]!));
        Assert.Equal(["fc1", "fc2"], config["target_modules"]!.AsArray().Select(name => (string?)name));
    }

    [Fact]
    public async Task The_manifest_proves_every_file_to_bring_home()
    {
        _machine.Smoke(steps: 5);

        await _machine.TrainAsync();

        Assert.Equal(0, (await _machine.RunAsync($"cd '{_machine.At("out")}' && sha256sum -c MANIFEST.sha256")).Code);
        Assert.Equal(
            ["adapter/COMPLETE", "adapter/adapter_config.json", "adapter/adapter_model.safetensors", "result.json"],
            _machine.Lines("out/MANIFEST.sha256").Select(line => line[66..]).Order(StringComparer.Ordinal));
        var complete = _machine.Json("out/adapter/COMPLETE")["adapter_model.safetensors"]!;
        Assert.Equal(new FileInfo(_machine.At(Adapter)).Length, (long)complete["size"]!);
        Assert.Equal(RentedMachine.Sha256(_machine.At(Adapter)), (string?)complete["sha256"]);
    }

    [Fact]
    public async Task It_learns_the_characters_of_the_data_it_was_given()
    {
        await File.WriteAllLinesAsync(
            _machine.At("bundle/data/train.jsonl"),
            Enumerable.Range(0, 60).Select(n => $$$"""{"messages":[{"role":"user","content":"ж{{{n % 10}}}?"},{"role":"assistant","content":"zebra quartz"}]}"""),
            TestContext.Current.CancellationToken);
        _machine.Spec("""{"v":1,"attempt":1,"preset":"smoke","data":{"train":"data/train.jsonl"},"train":{"max_steps":3,"batch":4}}""");

        Assert.Equal(0, (await _machine.TrainAsync()).Code);

        Assert.Equal("\n0123456789? abeqrtuzж".Order(), ((string)_machine.Json("out/checkpoint-3/state.json")["characters"]!).Order());
    }

    [Theory]
    [InlineData("""{"v":1,"preset":"smoke","seed":3}""", "unknown key seed")]
    [InlineData("""{"v":1,"preset":"smoke","limits":{"grace":3}}""", "unknown key limits.grace")]
    [InlineData("""{"v":1,"preset":"smoke","train":{"lr":"1e-3"}}""", "train.lr has the wrong type")]
    [InlineData("""{"v":1,"v":1}""", "a key appears twice")]
    [InlineData("""{"v":2}""", "v must be 1")]
    [InlineData("""{"v":1,"backend":"torch"}""", "backend must be one of")]
    [InlineData("""{"v":1,"preset":"smoke","data":{"train":"../../etc/passwd"}}""", "data.train: no file")]
    [InlineData("""{"v":1,"backend":"command","command":{"collect":["../x"]}}""", "command.script: no file")]
    [InlineData("not json", "spec.json")]
    public async Task A_spec_that_cannot_be_trusted_is_refused_and_the_key_named(string spec, string says)
    {
        _machine.Spec(spec);

        var (code, output) = await _machine.TrainAsync();

        Assert.Equal(64, code);
        Assert.Contains(says, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_model_needs_packages_and_the_missing_ones_are_named()
    {
        _machine.Spec("""{"v":1,"backend":"unsloth","model":{"id":"Qwen/Qwen3-0.6B"}}""");

        var (code, output) = await _machine.TrainAsync();

        Assert.Equal(69, code);
        Assert.Contains("backend unsloth needs", output, StringComparison.Ordinal);
        Assert.Contains("unsloth", output[output.IndexOf("needs", StringComparison.Ordinal)..], StringComparison.Ordinal);
    }

    private JsonObject[] Metrics(string type) =>
        [.. _machine.Lines("metrics.jsonl").Select(line => JsonNode.Parse(line)!.AsObject()).Where(line => (string?)line["type"] == type)];
}
