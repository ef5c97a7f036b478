using System.Text.Json;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Artifacts;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>Whether what came home is the result that was asked for. The simulation, whose machines leave no files, puts its own in.</summary>
internal class ResultCheck(ArtifactStore artifacts)
{
    private const int LargestResultFile = 1024 * 1024;

    /// <summary>What is wrong, as one sentence; null when the result is usable.</summary>
    public virtual async Task<string?> ProblemAsync(Job job, int attempt, CancellationToken ct) =>
        job.Spec.Command is null ? await AdapterProblemAsync(job, attempt, ct) : await MissingAsync(job, attempt, ct);

    private async Task<string?> AdapterProblemAsync(Job job, int attempt, CancellationToken ct) =>
        await artifacts.VerifyAdapterAsync(job.Id, attempt, "adapter", ct) switch
        {
            AdapterVerdict.Good => null,
            AdapterVerdict.Untrained => "The program ended well, but its adapter is untrained: every B matrix is zero.",
            AdapterVerdict.Broken broken => $"The program ended well, but left no usable adapter: {broken.Why}",
            _ => throw new InvalidOperationException("Unknown verdict."),
        };

    /// <summary>A script's own list of what it was asked to leave and did not.</summary>
    private async Task<string?> MissingAsync(Job job, int attempt, CancellationToken ct)
    {
        await using var file = await artifacts.OpenAsync(job.Id, attempt, "result.json", ct);
        if (file is null || file.Length > LargestResultFile)
        {
            return "The program ended well but left no result.json.";
        }

        try
        {
            using var result = await JsonDocument.ParseAsync(file, cancellationToken: ct);
            var missing = result.RootElement.TryGetProperty("missing", out var list) && list.ValueKind == JsonValueKind.Array
                ? list.EnumerateArray().Select(m => m.ToString()).ToList()
                : [];
            return missing.Count == 0 ? null : $"The program ended well but left no {string.Join(", ", missing.Select(m => $"\"{m}\""))}.";
        }
        catch (JsonException)
        {
            return "The program ended well but its result.json cannot be read.";
        }
    }
}
