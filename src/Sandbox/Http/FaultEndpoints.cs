using System.Text.Json;

namespace Dashboard.Sandbox.Http;

/// <summary>Faults are made, listed and taken away here.</summary>
internal static class FaultEndpoints
{
    private static readonly string[] Fields =
    [
        "method", "path", "kind", "probability", "seed", "skip", "count", "after_effect", "status", "body", "content_type", "seconds", "keep", "fields", "shape", "factor",
    ];

    private static readonly Dictionary<string, FaultKind> Kinds = new(StringComparer.Ordinal)
    {
        ["status"] = FaultKind.Status,
        ["delay"] = FaultKind.Delay,
        ["timeout"] = FaultKind.Timeout,
        ["drop"] = FaultKind.Drop,
        ["cut"] = FaultKind.Cut,
        ["malformed"] = FaultKind.Malformed,
        ["redirect"] = FaultKind.Redirect,
        ["stale"] = FaultKind.Stale,
        ["repeat_page"] = FaultKind.RepeatPage,
        ["cut_page"] = FaultKind.CutPage,
        ["list_lag"] = FaultKind.ListLag,
        ["shape"] = FaultKind.Shape,
        ["price"] = FaultKind.Price,
        ["ignore_filter"] = FaultKind.IgnoreFilter,
    };

    private static readonly Dictionary<string, FieldShape> Shapes = new(StringComparer.Ordinal)
    {
        ["null"] = FieldShape.Null,
        ["missing"] = FieldShape.Missing,
        ["empty"] = FieldShape.Empty,
        ["string"] = FieldShape.String,
    };

    public static void MapFaults(this IEndpointRouteBuilder control)
    {
        control.MapGet("/faults", (FaultBoard board) => Reply.Ok(new WireRow { ["faults"] = board.All.Select(Row).ToArray() }));
        control.MapPost("/faults", async (FaultBoard board, HttpRequest request) => await ControlBody.WithAsync(request, Fields, body =>
            Read(body) switch
            {
                (_, { } problem) => ControlBody.Wrong(problem),
                var (fault, _) => Reply.Ok(Row(board.Add(fault!))),
            }));
        control.MapDelete("/faults", (FaultBoard board) => Reply.Ok(new WireRow { ["success"] = true, ["cleared"] = board.Clear() }));
        control.MapDelete("/faults/{id:int}", (int id, FaultBoard board) =>
            board.Remove(id) ? Reply.Success() : Reply.Failure(StatusCodes.Status404NotFound, "no_such_fault", $"There is no fault {id}."));
    }

    /// <summary>A fault as lists show it.</summary>
    public static WireRow Row(Fault fault) => new()
    {
        ["id"] = fault.Id,
        ["method"] = fault.Method,
        ["path"] = fault.Path,
        ["kind"] = NameOf(fault.Kind),
        ["probability"] = fault.Probability,
        ["seed"] = fault.Seed,
        ["skip"] = fault.Skip,
        ["count"] = fault.Count,
        ["matched"] = fault.Matched,
        ["struck"] = fault.Struck,
    };

    public static string NameOf(FaultKind kind) => Kinds.First(known => known.Value == kind).Key;

    private static (Fault? Fault, string? Problem) Read(JsonElement body)
    {
        if (body.Text("path") is not { Length: > 1 } path || path[0] != '/')
        {
            return (null, "path is needed, such as /api/v0/asks/*.");
        }

        if (!Kinds.TryGetValue(body.Text("kind") ?? "", out var kind))
        {
            return (null, $"kind is one of {string.Join(", ", Kinds.Keys)}.");
        }

        var shape = FieldShape.Null;
        if (kind == FaultKind.Shape && !Shapes.TryGetValue(body.Text("shape") ?? "", out shape))
        {
            return (null, $"shape is one of {string.Join(", ", Shapes.Keys)}.");
        }

        var fields = body.Field("fields") is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray().Select(field => field.ToString()).ToList() : [];
        if (kind is FaultKind.Shape or FaultKind.IgnoreFilter && fields.Count == 0)
        {
            return (null, "fields is a list with at least one name.");
        }

        foreach (var (name, least, most) in (IEnumerable<(string, decimal, decimal)>)
                 [
                     ("probability", 0, 1), ("seed", 0, long.MaxValue), ("skip", 0, int.MaxValue), ("count", 1, int.MaxValue), ("status", 200, 599), ("seconds", 0, 86_400),
                     ("keep", 0, int.MaxValue), ("factor", 0, 1_000),
                 ])
        {
            if (body.Field(name) is not null && !(body.Number(name) is { } number && number >= least && number <= most))
            {
                return (null, $"{name} is a number from {least} to {most}.");
            }
        }

        var plain = new Fault { Path = path, Kind = kind };
        return (plain with
        {
            Method = body.Text("method"),
            Probability = (double)(body.Number("probability") ?? 1),
            Seed = (ulong)(body.Number("seed") ?? plain.Seed),
            Skip = (int)(body.Number("skip") ?? 0),
            Count = (int?)body.Number("count"),
            AfterEffect = body.Flag("after_effect") ?? false,
            Status = (int)(body.Number("status") ?? plain.Status),
            Body = body.Text("body"),
            ContentType = body.Text("content_type"),
            Seconds = (double?)body.Number("seconds"),
            Keep = (int?)body.Number("keep"),
            Fields = fields,
            Shape = shape,
            Factor = body.Number("factor") ?? plain.Factor,
        }, null);
    }
}
