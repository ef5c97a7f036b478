using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Dashboard.Domain.Notifications;

namespace Dashboard.Infrastructure.Notifications;

/// <summary>The JSON that each kind of web hook takes, from its service's documentation. What people and programs named is text there, never markup.</summary>
internal static class WebhookBody
{
    public const string TimestampHeader = "Dashboard-Timestamp";
    public const string SignatureHeader = "Dashboard-Signature";
    public const string DeliveryHeader = "Dashboard-Delivery";

    private const int LongestTitle = 250; // Discord takes 256
    private const int LongestDetail = 2_000;

    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Of(ChannelKind kind, OutgoingMessage message) => kind switch
    {
        ChannelKind.Slack => Bytes(new { text = Slack(message) }),
        ChannelKind.Discord => Bytes(new
        {
            embeds = new[] { new { title = Markdown(Cut(message.Title, LongestTitle)), description = Markdown(Cut(message.Detail, LongestDetail)), url = message.Link?.ToString(), color = Color(message.Tone), footer = new { text = message.Team }, timestamp = Instant(message.At) } },
            allowed_mentions = new { parse = Array.Empty<string>() },
        }),
        ChannelKind.Teams => Bytes(new { type = "message", attachments = new[] { new { contentType = "application/vnd.microsoft.card.adaptive", content = Card(message) } } }),
        ChannelKind.Webhook => Bytes(new
        {
            id = message.Key, kind = message.Kind, team = message.Team, at = Instant(message.At), tone = message.Tone, urgent = message.Urgent, title = message.Title, detail = message.Detail, link = message.Link?.ToString(),
        }),
        ChannelKind.Email => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Mail is no web hook."),
    };

    /// <summary>What proves the sender: HMAC-SHA256 of <c>timestamp.body</c>, so that an old body cannot be sent again as a new one.</summary>
    /// <param name="seconds">Unix time.</param>
    public static string Sign(string secret, long seconds, byte[] body)
    {
        var head = Encoding.UTF8.GetBytes(seconds.ToString(CultureInfo.InvariantCulture) + ".");
        byte[] signed = [.. head, .. body];
        return "v1=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), signed));
    }

    public static ByteArrayContent Content(byte[] body) => new(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json", "utf-8") } };

    private static byte[] Bytes<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, Json);

    // Only these three characters mean something to Slack; without them nothing becomes a mention or a link.
    private static string Slack(OutgoingMessage message)
    {
        static string Plain(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);
        var lines = new[] { $"*{Plain(Cut(message.Title, LongestTitle))}*", Plain(Cut(message.Detail, LongestDetail)), message.Link is { } link ? $"<{Plain(link.ToString())}|Open in {Plain(message.Team)}>" : "" };
        return string.Join('\n', lines.Where(line => line.Length > 0));
    }

    private static Dictionary<string, object> Card(OutgoingMessage message)
    {
        var card = new Dictionary<string, object>
        {
            ["$schema"] = "http://adaptivecards.io/schemas/adaptive-card.json",
            ["type"] = "AdaptiveCard",
            ["version"] = "1.4",
            ["body"] = new object[]
            {
                new { type = "TextBlock", text = Markdown(Cut(message.Title, LongestTitle)), weight = "Bolder", size = "Medium", wrap = true, color = message.Tone switch { "ok" => "Good", "bad" => "Attention", "warn" => "Warning", _ => "Default" } },
                new { type = "TextBlock", text = Markdown(Cut(message.Detail, LongestDetail)), wrap = true },
            },
        };
        if (message.Link is { } link)
        {
            card["actions"] = new object[] { new { type = "Action.OpenUrl", title = $"Open in {message.Team}", url = link.ToString() } };
        }

        return card;
    }

    private static string Markdown(string text)
    {
        var plain = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            _ = c is '*' or '_' or '~' or '`' or '|' or '>' or '[' or ']' or '\\' ? plain.Append('\\').Append(c) : plain.Append(c);
        }

        return plain.ToString();
    }

    private static int Color(string tone) => tone switch { "ok" => 0x067749, "bad" => 0xA1201C, "warn" => 0x9D5101, _ => 0x5E636C };

    private static string Cut(string text, int longest) => text.Length <= longest ? text : text[..(longest - 1)] + "…";

    private static string Instant(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
