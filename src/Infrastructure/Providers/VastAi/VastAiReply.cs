using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Infrastructure.Providers.VastAi;

/// <summary>A complete answer, whatever its status and form.</summary>
internal sealed partial record VastAiReply
{
    private const int LongestText = 16 * 1024;
    private const int LongestMessage = 500;

    public required HttpStatusCode Status { get; init; }

    /// <summary>The JSON root; null when the body is no JSON.</summary>
    public JsonElement? Json { get; init; }

    /// <summary>The body's first 16 KB without secrets: for people and for finding the provider's error words.</summary>
    public required string Text { get; init; }

    /// <summary>The header's, which the service is not known to send.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>2xx, and no <c>success:false</c> in it.</summary>
    public bool Ok => (int)Status is >= 200 and < 300 && !SaysFailed;

    public bool SaysFailed => Field("success") is { } flag
        && (flag.ValueKind == JsonValueKind.False || (flag.ValueKind == JsonValueKind.String && flag.GetString() is "false" or "False"));

    /// <summary>The short error word such as <c>auth_error</c>; empty when there is none.</summary>
    public string Error => TextOf("error") ?? "";

    /// <summary>The provider's words for people, at most 500 characters, without the noise <c>error 404/3603:</c>.</summary>
    public string Message
    {
        get
        {
            var words = TextOf("msg") ?? TextOf("message") ?? TextOf("detail") ?? TextOf("error")
                ?? (IsHtml ? $"HTTP {(int)Status} with a web page" : Json is { ValueKind: JsonValueKind.String } bare ? bare.GetString()! : Text);
            words = Clean(Noise().Replace(words, "")).Trim();
            return words.Length == 0 ? $"HTTP {(int)Status}" : words.Length <= LongestMessage ? words : words[..LongestMessage];
        }
    }

    /// <summary>A page of some proxy on the way: its words are not the provider's.</summary>
    public bool IsHtml => Json is null && Text.AsSpan().TrimStart().StartsWith("<");

    private string Secret { get; init; } = "";

    public static async Task<VastAiReply> ReadAsync(HttpResponseMessage response, Secret key, CancellationToken ct)
    {
        var body = await response.Content.ReadAsByteArrayAsync(ct);
        var text = Encoding.UTF8.GetString(body, 0, Math.Min(body.Length, LongestText));
        return new VastAiReply
        {
            Status = response.StatusCode,
            Json = Parse(body),
            Text = Strip(text, key.Reveal()),
            RetryAfter = response.Headers.RetryAfter?.Delta,
            Secret = key.Reveal(),
        };
    }

    public JsonElement? Field(string name) => Json is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty(name, out var value) ? value : null;

    public bool Says(string words) => Text.Contains(words, StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads the whole answer, or one element of it, as <typeparamref name="T"/>.</summary>
    /// <exception cref="ProviderUnavailableException">It has another shape.</exception>
    public T Read<T>(JsonElement? part = null)
    {
        try
        {
            return (part ?? Json) is { } json && json.Deserialize<T>(VastAiJson.Options) is { } value
                ? value
                : throw new ProviderUnavailableException("The answer has an unknown form.");
        }
        catch (JsonException error)
        {
            throw new ProviderUnavailableException($"The answer has an unknown form at {error.Path}.");
        }
    }

    public override string ToString() => $"HTTP {(int)Status}: {Message}";

    private static JsonElement? Parse(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private string? TextOf(string name) => Field(name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    private string Clean(string text) => Strip(text, Secret);

    // The account call echoes the key, the rent call the machine's own; and a proxy's error page may show request headers.
    private static string Strip(string text, string key) =>
        KeyFields().Replace(key.Length == 0 ? text : text.Replace(key, "***", StringComparison.Ordinal), "$1***");

    [GeneratedRegex("""("(?:\w*api_key|jupyter_token)"\s*:\s*")[^"]*|\b(api_key=)[^&\s"]*""", RegexOptions.IgnoreCase)]
    private static partial Regex KeyFields();

    [GeneratedRegex(@"^\s*error \d+/\d+:\s*", RegexOptions.IgnoreCase)]
    private static partial Regex Noise();
}
