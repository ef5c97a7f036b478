using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Dashboard.Sandbox.Http;

/// <summary>A JSON object as it goes over the wire, fields in the order they were added.</summary>
internal sealed class WireRow : Dictionary<string, object?>
{
    public WireRow()
        : base(StringComparer.Ordinal)
    {
    }
}

/// <summary>A JSON answer. The official client shows nothing when the content type carries a charset, which the framework's own results add.</summary>
internal sealed class Reply(int status, object? body) : IResult
{
    // Not for HTML pages: "+" in keys and names stays readable.
    private static readonly JsonSerializerOptions Format = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public int Status { get; } = status;

    public object? Body { get; } = body;

    /// <summary>For the answers that come as text, HTML from a gateway included.</summary>
    public string? TextType { get; private init; }

    public static Reply Ok(object? body) => new(StatusCodes.Status200OK, body);

    public static Reply Plain(int status, string text, string contentType = "text/plain") => new(status, text) { TextType = contentType };

    public static Reply Success(string? message = null) =>
        Ok(message is null ? new WireRow { ["success"] = true } : new WireRow { ["success"] = true, ["msg"] = message });

    public static Reply Failure(int status, string error, string message) =>
        new(status, new WireRow { ["success"] = false, ["error"] = error, ["msg"] = message });

    public static Reply InvalidArguments(string what) => Failure(StatusCodes.Status400BadRequest, "invalid_args", "error 400/3467: Invalid args: " + what);

    public static Reply InvalidBody() => new(StatusCodes.Status400BadRequest, new WireRow { ["error"] = "invalid_request", ["msg"] = "Invalid json body" });

    public static Reply NoSuchInstance(int id) =>
        Failure(StatusCodes.Status404NotFound, "no_such_instance", FormattableString.Invariant($"Instance {id} not found."));

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var bytes = TextType is null ? JsonSerializer.SerializeToUtf8Bytes(Body, Format) : Encoding.UTF8.GetBytes((string)Body!);
        httpContext.Response.StatusCode = Status;
        httpContext.Response.ContentType = TextType ?? "application/json";
        httpContext.Response.ContentLength = bytes.Length;
        await httpContext.Response.Body.WriteAsync(bytes, httpContext.RequestAborted);
    }

    /// <summary>JSON inside a JSON string, as one route answers.</summary>
    public static string Embedded(object value) => Encoding.UTF8.GetString(JsonSerializer.SerializeToUtf8Bytes(value, Format));
}

/// <summary>Times on the wire are Unix seconds with a fraction.</summary>
internal static class WireTime
{
    public static double ToUnix(this DateTimeOffset instant) => instant.ToUnixTimeMilliseconds() / 1000.0;

    public static DateTimeOffset FromUnix(double seconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds((long)(Math.Clamp(seconds, -62_000_000_000, 250_000_000_000) * 1000));
}
