using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dashboard.Domain.Jobs;
using Dashboard.Web.Api;

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
        // The record the API reads, so that a name of one cannot drift from the other: an unknown one would be dropped in silence.
        var body = JsonSerializer.Serialize(
            new JobBody(
                request.Name,
                request.ConnectionId.Value,
                request.OfferId,
                JsonSerializer.SerializeToElement(request.Spec, TrainingSpec.Json),
                new NeedsBody(request.Needs.GpuNames, request.Needs.GpuCount, request.Needs.MinVramMb, request.Needs.MinReliability, request.Needs.MinDownloadMbps, request.Needs.VerifiedOnly),
                LimitsOf(request),
                request.ProjectId?.Value,
                request.Tags,
                request.MayPause ? true : null,
                request.Order is { } order ? new OrderBody(order.Limit.MicrosPerHour, order.Until, (int?)order.GoodFor?.TotalSeconds, order.Then) : null,
                request.Replaces),
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

    private static LimitsBody LimitsOf(JobRequest request)
    {
        var limits = request.Limits;
        return new LimitsBody(
            limits.MaxCost?.Micros,
            limits.MaxRate?.MicrosPerHour,
            (int?)limits.MaxRuntime?.TotalSeconds,
            limits.MaxAttempts,
            limits.FinishBy,
            (int?)request.FinishWithin?.TotalSeconds,
            limits.Bid is { } plan ? new BidBody(plan.Bid?.MicrosPerHour, plan.OnDemandAfter) : null,
            limits.Retry == RetryPolicy.Default ? null : new RetryBody(limits.Retry.Capacity, limits.Retry.Machine, limits.Retry.Interruption, limits.Retry.Script),
            limits.Health == HealthLimits.Default ? null : new HealthBody((int?)limits.Health.NoStepFor?.TotalSeconds, limits.Health.MaxLoss));
    }
}
