using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dashboard.Domain.Jobs;

namespace Dashboard.Web.Features.Jobs;

/// <summary>A form as the API call that asks for the same job. The token stays the reader's: the text names a variable.</summary>
public static class ApiCall
{
    private static readonly JsonSerializerOptions Body = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // it goes into a shell's quotes, not into a page
    };

    /// <param name="baseAddress">Of this dashboard, with its trailing slash.</param>
    public static string Curl(string baseAddress, JobRequest request)
    {
        var body = JsonSerializer.Serialize(
            new
            {
                request.Name,
                ConnectionId = request.ConnectionId.Value,
                request.OfferId,
                Spec = JsonSerializer.SerializeToElement(request.Spec, TrainingSpec.Json),
                request.Needs,
                Limits = new
                {
                    MaxCostUsd = request.Limits.MaxCost?.Usd,
                    MaxRateUsdPerHour = request.Limits.MaxRate?.Usd,
                    MaxRuntimeSeconds = request.Limits.MaxRuntime?.TotalSeconds,
                    request.Limits.MaxAttempts,
                },
                ProjectId = request.ProjectId?.Value,
                request.Tags,
            },
            Body);

        // A quote cannot be escaped inside single quotes: end them, quote it, begin again.
        return $"""
            curl -fsS {baseAddress}api/v1/jobs \
              -H "Authorization: Bearer $DASHBOARD_TOKEN" \
              -H 'Content-Type: application/json' \
              -H "Idempotency-Key: $(uuidgen)" \
              -d '{body.Replace("'", "'\\''", StringComparison.Ordinal)}'
            """;
    }
}
