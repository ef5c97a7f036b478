using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dashboard.Sandbox.Http;

/// <summary>Breaks requests as the rules say, outermost of all: what is broken here has been done, or not, exactly as it would be without.</summary>
internal sealed class FaultGate(FaultBoard board, TimeProvider time, RequestDelegate next)
{
    private const double LongestSilenceSeconds = 600;

    // A row must not change its look but for what a fault does to it.
    private static readonly JsonSerializerOptions Format = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public async Task InvokeAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        var faults = path.StartsWith("/api/", StringComparison.Ordinal) || path.StartsWith("/instance_logs/", StringComparison.Ordinal) ? board.Strike(context.Request.Method, path) : [];
        if (faults.Count == 0)
        {
            await next(context);
            return;
        }

        context.Items[typeof(Fault)] = faults;
        foreach (var fault in faults.Where(fault => fault.Kind == FaultKind.Delay))
        {
            await Task.Delay(TimeSpan.FromSeconds(fault.Seconds ?? 1), time, context.RequestAborted);
        }

        await BendRequestAsync(context.Request, faults);
        if (faults.FirstOrDefault(fault => IsLoss(fault) && !fault.AfterEffect) is { } before && await LoseAsync(context, before))
        {
            return;
        }

        var (status, type, body) = await AnswerAsync(context);
        if (faults.FirstOrDefault(fault => IsLoss(fault) && fault.AfterEffect) is { } after && await LoseAsync(context, after))
        {
            return;
        }

        foreach (var fault in faults)
        {
            (status, type, body) = Bent(fault, context.Request, status, type, body);
        }

        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        context.Response.ContentLength = body.Length;
        if (faults.FirstOrDefault(fault => fault.Kind == FaultKind.Cut) is { } cut)
        {
            await context.Response.Body.WriteAsync(body.AsMemory(0, Math.Min(cut.Keep ?? body.Length / 2, Math.Max(0, body.Length - 1))), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            context.Abort();
            return;
        }

        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    /// <summary>The faults that struck a request, for the log.</summary>
    public static IReadOnlyList<Fault> Of(HttpContext context) => context.Items[typeof(Fault)] as IReadOnlyList<Fault> ?? [];

    private static bool IsLoss(Fault fault) => fault.Kind is FaultKind.Status or FaultKind.Timeout or FaultKind.Drop or FaultKind.Redirect;

    private static async Task BendRequestAsync(HttpRequest request, IReadOnlyList<Fault> faults)
    {
        if (faults.Any(fault => fault.Kind == FaultKind.RepeatPage))
        {
            request.QueryString = QueryString.Create(request.Query.Where(field => field.Key != "after_token"));
        }

        foreach (var fault in faults.Where(fault => fault.Kind == FaultKind.IgnoreFilter))
        {
            if (request.Query["q"].ToString() is { Length: > 0 } given && Parse(System.Text.Encoding.UTF8.GetBytes(given)) is { } inQuery)
            {
                OddRows.DropFilters(inQuery, fault.Fields);
                request.QueryString = QueryString.Create(request.Query.Where(field => field.Key != "q")).Add("q", inQuery.ToJsonString(Format));
            }

            using var sent = new MemoryStream();
            await request.Body.CopyToAsync(sent, request.HttpContext.RequestAborted);
            var query = Parse(sent.ToArray());
            OddRows.DropFilters(query, fault.Fields);
            request.Body = new MemoryStream(query is null ? sent.ToArray() : JsonSerializer.SerializeToUtf8Bytes(query, Format));
        }
    }

    // False where the fault does not concern this request after all.
    private async Task<bool> LoseAsync(HttpContext context, Fault fault)
    {
        switch (fault.Kind)
        {
            case FaultKind.Status:
                await Refusal(fault).ExecuteAsync(context);
                return true;
            case FaultKind.Redirect when context.Request.Path.Value!.EndsWith('/'):
                return false;
            case FaultKind.Redirect:
                context.Response.Headers.Location = context.Request.Path + "/" + context.Request.QueryString;
                await new Reply(StatusCodes.Status301MovedPermanently, new WireRow()).ExecuteAsync(context);
                return true;
            case FaultKind.Timeout:
                try
                {
                    await Task.Delay(TimeSpan.FromSeconds(fault.Seconds ?? LongestSilenceSeconds), time, context.RequestAborted);
                }
                catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
                {
                    // the caller lost patience, which is what this is for
                }

                context.Abort();
                return true;
            default:
                context.Abort();
                return true;
        }
    }

    private static Reply Refusal(Fault fault)
    {
        var body = fault.Body ?? fault.Status switch
        {
            StatusCodes.Status429TooManyRequests => "API requests too frequent",
            StatusCodes.Status502BadGateway or StatusCodes.Status503ServiceUnavailable or StatusCodes.Status504GatewayTimeout =>
                $"<html>\r\n<head><title>{fault.Status}</title></head>\r\n<body><center><h1>{fault.Status}</h1></center><hr><center>nginx</center></body>\r\n</html>\r\n",
            _ => """{"success":false,"error":"server_error","msg":"Something went wrong on our side."}""",
        };
        var first = body.TrimStart().FirstOrDefault();
        return Reply.Plain(fault.Status, body, fault.ContentType ?? (first is '{' or '[' or '"' ? "application/json" : first == '<' ? "text/html" : "text/plain"));
    }

    private async Task<(int Status, string? Type, byte[] Body)> AnswerAsync(HttpContext context)
    {
        var wire = context.Response.Body;
        using var caught = new MemoryStream();
        context.Response.Body = caught;
        try
        {
            await next(context);
        }
        finally
        {
            context.Response.Body = wire;
        }

        return (context.Response.StatusCode, context.Response.ContentType, caught.ToArray());
    }

    private (int Status, string? Type, byte[] Body) Bent(Fault fault, HttpRequest request, int status, string? type, byte[] body)
    {
        switch (fault.Kind)
        {
            case FaultKind.Stale:
                var first = board.FirstAnswer(fault.Id, $"{request.Method} {request.Path}{request.QueryString}", new StaleAnswer(status, type, body));
                return (first.Status, first.ContentType, first.Body);
            case FaultKind.Malformed:
                return (status, type, body[..(fault.Keep is { } keep ? Math.Min(keep, body.Length) : body.Length * 2 / 3)]);
            case FaultKind.CutPage or FaultKind.ListLag or FaultKind.Shape or FaultKind.Price when Parse(body) is { } answer:
                Bend(fault, answer);
                return (status, type, JsonSerializer.SerializeToUtf8Bytes(answer, Format));
            default:
                return (status, type, body);
        }
    }

    private void Bend(Fault fault, JsonNode answer)
    {
        switch (fault.Kind)
        {
            case FaultKind.CutPage:
                OddRows.Shorten(answer, fault.Keep ?? 1);
                break;
            case FaultKind.ListLag:
                OddRows.HideYoung(answer, fault.Seconds ?? 5, time.GetUtcNow());
                break;
            case FaultKind.Shape:
                OddRows.Reshape(answer, fault.Fields, fault.Shape);
                break;
            default:
                OddRows.Reprice(answer, fault.Factor);
                break;
        }
    }

    private static JsonNode? Parse(byte[] json)
    {
        try
        {
            return json.Length == 0 ? null : JsonNode.Parse(json);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
