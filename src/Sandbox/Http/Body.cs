using System.Text.Json;

namespace Dashboard.Sandbox.Http;

/// <summary>Request bodies as clients really send them: absent, empty, with nulls and with fields nobody knows.</summary>
internal static class Body
{
    private static readonly JsonElement Empty = JsonDocument.Parse("{}").RootElement;

    /// <summary>The JSON object of the request, an empty one when there is none, null when it is not an object.</summary>
    public static async Task<JsonElement?> ReadAsync(HttpRequest request)
    {
        using var buffer = new MemoryStream();
        await request.Body.CopyToAsync(buffer, request.HttpContext.RequestAborted);
        return buffer.Length == 0 ? Empty : Parse(buffer.ToArray());
    }

    /// <summary>The JSON object in a text, an empty one for no text, null when it is not an object.</summary>
    public static JsonElement? ParseObject(string? text) => string.IsNullOrWhiteSpace(text) ? Empty : Parse(System.Text.Encoding.UTF8.GetBytes(text));

    /// <summary>A field that is there and not null.</summary>
    public static JsonElement? Field(this JsonElement body, string name) =>
        body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>Text of a string field; numbers and booleans as they are written.</summary>
    public static string? Text(this JsonElement body, string name) => body.Field(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } text => text.GetString(),
        { } other => other.GetRawText(),
    };

    /// <summary>A number, also when it is sent as a string; null when absent or no number.</summary>
    public static decimal? Number(this JsonElement body, string name) => body.Field(name) is { } value ? Coerce.ToNumber(value) : null;

    public static bool? Flag(this JsonElement body, string name) => body.Field(name) is { } value ? Coerce.ToFlag(value) : null;

    private static JsonElement? Parse(byte[] utf8)
    {
        try
        {
            using var document = JsonDocument.Parse(utf8);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
