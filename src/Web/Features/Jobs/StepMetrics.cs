namespace Dashboard.Web.Features.Jobs;

/// <summary>One chart of the metrics tab besides the loss.</summary>
/// <param name="Name">As the trainer writes it.</param>
/// <param name="Unit">Of the values; null: none.</param>
/// <param name="WhyAbsent">Shown when no step reported it.</param>
public sealed record StepMetric(string Name, string Title, string? Unit, int Decimals, string Color, string WhyAbsent)
{
    /// <summary>What a trainer reports with each step.</summary>
    public static IReadOnlyList<StepMetric> All { get; } =
    [
        new("learning_rate", "Learning rate", null, 6, "c2", "The trainer reports no learning rate."),
        new("grad_norm", "Gradient norm", null, 3, "c4", "The trainer reports no gradient norm."),
        new("tokens_per_s", "Speed", "tokens/s", 0, "c3", "The trainer reports no speed."),
        new("vram_peak_mb", "GPU memory, peak", "MB", 0, "c6", "The trainer reports no GPU memory; the smoke test uses none."),
    ];
}
