using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Infrastructure.Providers.VastAi;

/// <summary>What an answer that is not a success means. The order of the questions matters: the provider's words say more than its status.</summary>
internal enum VastAiFault
{
    KeyRefused,
    OfferGone,
    InstanceGone,
    CreditTooLow,
    SpendRateLimited,
    TooOften,
    Deprecated,

    /// <summary>A definite no with the provider's reason.</summary>
    Refused,

    /// <summary>Nothing is known about what happened.</summary>
    Unknown,
}

internal static partial class VastAiErrors
{
    private static readonly string[] GoneWords = ["no_such_instance", "not_found", "invalid_id"];

    /// <summary>Classifies an answer for which <see cref="VastAiReply.Ok"/> is false.</summary>
    public static VastAiFault Classify(VastAiReply reply)
    {
        var status = (int)reply.Status;

        // A proxy's page may well say "no longer available"; only its status means anything.
        if (reply.IsHtml)
        {
            return status switch { 401 => VastAiFault.KeyRefused, 429 => VastAiFault.TooOften, _ => VastAiFault.Unknown };
        }

        if (IsKeyRefused(reply, status))
        {
            return VastAiFault.KeyRefused;
        }

        if (reply.Says("no_such_ask") || reply.Says("no longer available"))
        {
            return VastAiFault.OfferGone;
        }

        // Unknown keys also get 404 on some routes, with auth_error, which is answered above. A 404 that is not in the provider's own form
        // comes from something on the way, and says nothing about a machine.
        if (reply.Says("no_such_instance") || (status == 404 && (Array.Exists(GoneWords, word => word == reply.Error) || reply.SaysFailed)))
        {
            return VastAiFault.InstanceGone;
        }

        if (reply.Says("insufficient_credit") || reply.Says("lacks credit") || reply.Says("missing_billing"))
        {
            return VastAiFault.CreditTooLow;
        }

        if (reply.Says("spend_rate_limit"))
        {
            return VastAiFault.SpendRateLimited;
        }

        if (status == 429 || reply.Says("search_quota_exceeded"))
        {
            return VastAiFault.TooOften;
        }

        if (status == 410 || reply.Says("deprecated_endpoint"))
        {
            return VastAiFault.Deprecated;
        }

        return reply.SaysFailed && status is >= 200 and < 300 || status is >= 400 and < 500 and not 408 ? VastAiFault.Refused : VastAiFault.Unknown;
    }

    /// <summary>The exception for a call that failed; for every call but rent.</summary>
    public static MarketplaceException Exception(VastAiReply reply)
    {
        var message = reply.Message;
        return Classify(reply) switch
        {
            VastAiFault.KeyRefused => new CredentialRejectedException(message),
            VastAiFault.InstanceGone => new InstanceGoneException(message),
            VastAiFault.OfferGone or VastAiFault.CreditTooLow or VastAiFault.SpendRateLimited => new NoCapacityException(message),
            VastAiFault.TooOften => new RateLimitedException(message, PauseOf(reply)),
            VastAiFault.Deprecated => new ProviderUnavailableException(message) { Deprecated = true },
            VastAiFault.Refused or VastAiFault.Unknown => new ProviderUnavailableException(reply.ToString()),
        };
    }

    /// <summary>How long the provider wants no such call: a JSON field, a header, or the threshold in its text; null when it does not say.</summary>
    public static TimeSpan? PauseOf(VastAiReply reply)
    {
        if (reply.Field("retry_after") is { } field && Seconds(field.ToString()) is { } told)
        {
            return told;
        }

        return reply.RetryAfter ?? (Threshold().Match(reply.Text) is { Success: true } match ? Seconds(match.Groups[1].Value) : null);
    }

    private static bool IsKeyRefused(VastAiReply reply, int status) =>
        reply.Error == "auth_error"
        || status == (int)HttpStatusCode.Unauthorized
        || reply.Says("Session expired. Please log in")
        || reply.Says("Two Factor Authentication")
        // A scoped key without the permission; its body is not documented. Refusals for other reasons name a bad argument, or a machine of somebody else.
        || (status == (int)HttpStatusCode.Forbidden && reply.Error != "not_authorized" && !reply.Error.StartsWith("invalid_", StringComparison.Ordinal));

    private static TimeSpan? Seconds(string text) =>
        decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0 and <= 30 * 86_400
            ? TimeSpan.FromSeconds((double)seconds)
            : null;

    [GeneratedRegex(@"endpoint threshold=([0-9]+(?:\.[0-9]+)?)")]
    private static partial Regex Threshold();
}
