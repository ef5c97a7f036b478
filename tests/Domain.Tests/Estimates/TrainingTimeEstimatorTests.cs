using Dashboard.Domain.Estimates;

namespace Dashboard.Domain.Tests.Estimates;

public sealed class TrainingTimeEstimatorTests
{
    private static readonly GpuPower A100 = new(312, 8.0m);
    private static readonly TrainingMethod Lora = new();
    private static readonly TrainingMethod Qlora = new() { Quantized = true };

    /// <summary>Tokens a second and GPU as published, with the tokens of one optimizer step where the publication names them.</summary>
    private static readonly (string What, ModelShape Model, TrainingMethod Method, GpuPower Gpu, double TokensPerSecond, double? StepTokens)[] Runs =
    [
        // QwenLM/Qwen README: batch 1, eight accumulated.
        ("Qwen-7B LoRA 512", Published.Qwen7B, Lora, A100, 2730, 8 * 512),
        ("Qwen-7B LoRA 2048", Published.Qwen7B, Lora, A100, 3150, 8 * 2048),
        ("Qwen-7B LoRA 8192", Published.Qwen7B, Lora, A100, 3080, 8 * 8192),
        ("Qwen-7B Q-LoRA 512", Published.Qwen7B, Qlora, A100, 1365, 8 * 512),
        ("Qwen-7B Q-LoRA 2048", Published.Qwen7B, Qlora, A100, 2340, 8 * 2048),
        ("Qwen-14B Q-LoRA 2048", Published.Qwen14B, Qlora, A100, 1390, 8 * 2048),
        ("Qwen-72B Q-LoRA 2048", Published.Qwen72B, Qlora, A100, 275, 8 * 2048),
        ("Qwen-14B LoRA 2048", Published.Qwen14B, Lora, A100, 1950, 8 * 2048),
        ("Qwen-1.8B LoRA 2048", Published.Qwen1B, Lora, A100, 9640, 8 * 2048),

        // hiyouga/LLaMA-Factory wiki, s 1024.
        ("LLaMA2-7B", Published.Llama2Of7B, Lora, A100, 2392, null),
        ("LLaMA2-7B FlashAttention", Published.Llama2Of7B, Lora, A100, 2954, null),
        ("LLaMA2-7B Unsloth", Published.Llama2Of7B, Lora with { Unsloth = true }, A100, 4007, null),
        ("LLaMA2-7B 4-bit", Published.Llama2Of7B, Qlora, A100, 2415, null),
        ("LLaMA2-7B 4-bit Unsloth", Published.Llama2Of7B, Qlora with { Unsloth = true }, A100, 3726, null),

        // pytorch/torchtune, packed and compiled; NeMo AutoModel. Of eight cards: the speed of each.
        ("Llama-3.2-3B LoRA", Published.Llama3Of3B, Lora, A100, 8210, null),
        ("Llama-3.2-3B QLoRA", Published.Llama3Of3B, Qlora, A100, 8035, null),
        ("Llama-3.1-70B LoRA 8 x A100", Published.Llama3Of70B, Lora, A100 with { Count = 8 }, 8 * 437, null),
        ("Llama-3.1-70B LoRA 8 x H100", Published.Llama3Of70B, Lora, new GpuPower(989, 9.0m, 8), 8 * 608, null),

        // huggingface/peft method_comparison, batch 4 of 768; arXiv 2509.12229 with both of its optimizers.
        ("Llama-3.2-3B LoRA L40S", Published.Llama3Of3B, Lora with { GradientCheckpointing = false }, new GpuPower(362, 8.9m), 7300, 4 * 768),
        ("Qwen2.5-1.5B RTX 4060", Published.Qwen25Of1B, Qlora, new GpuPower(30.2, 8.9m), 500, null),
        ("Qwen2.5-1.5B RTX 4060 paged", Published.Qwen25Of1B, Qlora, new GpuPower(30.2, 8.9m), 628, null),
    ];

    [Fact]
    public void The_published_runs_are_met_with_an_rms_log_error_of_at_most_0_26()
    {
        var errors = Runs.Select(LogError).ToList();
        var rms = Math.Sqrt(errors.Average(e => e * e));
        Assert.True(rms <= 0.26, $"rms log error {rms:0.000}: {string.Join(", ", Runs.Zip(errors, (run, e) => $"{run.What} {e:+0.00;-0.00}"))}");
    }

    [Fact]
    public void The_band_that_people_see_holds_at_least_19_of_the_21_published_runs()
    {
        Assert.Equal(21, Runs.Length);
        var held = Runs.Count(run => Seconds(run) is var expected && Actual(run) is var actual && actual >= expected * TimeEstimate.LowFactor && actual <= expected * TimeEstimate.HighFactor);
        Assert.InRange(held, 19, 21);
    }

    [Fact]
    public void Evaluation_costs_a_third_of_training_and_steps_and_checkpoints_are_added()
    {
        TimeSpan Of(TrainingLoad load) => TrainingTimeEstimator.Estimate(Published.Llama3Of8B, Lora, A100, load).Expected;

        var trained = Of(new TrainingLoad(3e6));
        Assert.Equal(trained.TotalSeconds / 3, Of(new TrainingLoad(0, EvaluationTokens: 3e6)).TotalSeconds, 3);
        Assert.Equal(trained + TimeSpan.FromSeconds(5 + 40), Of(new TrainingLoad(3e6, Steps: 100, Checkpoints: TimeSpan.FromSeconds(40))));
    }

    [Fact]
    public void What_slows_a_training_makes_its_estimate_longer()
    {
        var load = new TrainingLoad(1e6);
        double Of(TrainingMethod method, GpuPower gpu) => TrainingTimeEstimator.Estimate(Published.Llama3Of8B, method, gpu, load).Expected.TotalSeconds;

        var plain = Of(Lora, A100);
        Assert.All(
            new[] { Of(Qlora, A100), Of(Lora with { Dora = true }, A100), Of(Lora with { MixtureOfExperts = true }, A100), Of(Lora with { ShortSamples = true }, A100), Of(Lora, A100 with { LowPower = true }) },
            slower => Assert.True(slower > plain));
        Assert.True(Of(Lora with { Unsloth = true }, A100) < plain);
        Assert.InRange(plain / Of(Lora, A100 with { Count = 8 }), 7.0, 7.9);
    }

    private static TrainingLoad Load((string, ModelShape, TrainingMethod, GpuPower, double TokensPerSecond, double? StepTokens) run) =>
        new(1e7, Steps: run.StepTokens is { } tokens ? 1e7 / tokens : 0);

    private static double Seconds((string What, ModelShape Model, TrainingMethod Method, GpuPower Gpu, double TokensPerSecond, double? StepTokens) run) =>
        TrainingTimeEstimator.Estimate(run.Model, run.Method, run.Gpu, Load(run)).Expected.TotalSeconds;

    private static double Actual((string What, ModelShape Model, TrainingMethod Method, GpuPower Gpu, double TokensPerSecond, double? StepTokens) run) => 1e7 / run.TokensPerSecond;

    private static double LogError((string What, ModelShape Model, TrainingMethod Method, GpuPower Gpu, double TokensPerSecond, double? StepTokens) run) => Math.Log(Actual(run) / Seconds(run));
}
