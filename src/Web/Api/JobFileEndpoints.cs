using System.Globalization;
using System.Net.Mime;
using Dashboard.Infrastructure.Artifacts;
using Dashboard.Infrastructure.Logs;
using Microsoft.Net.Http.Headers;

namespace Dashboard.Web.Api;

/// <param name="Sha256">Lower-case hex, equal to the machine's manifest.</param>
/// <param name="Url">Where it can be fetched, in ranges too.</param>
internal sealed record FileAnswer(int Attempt, string Path, long Bytes, string Sha256, DateTimeOffset ArrivedAt, string Url);

internal static class JobFileEndpoints
{
    private const int MostLogBytes = 8 * 1024 * 1024; // in one answer
    private const string LengthHeader = "X-Log-Length";

    public static void MapJobFiles(this IEndpointRouteBuilder api)
    {
        api.MapGet("/jobs/{number:int}/log", LogAsync)
            .WithSummary("The program's raw output from a byte offset on, at most 8 MiB. X-Log-Length says how much there is; ask again with offset + what came to follow it.")
            .Produces<string>(StatusCodes.Status200OK, "application/octet-stream").ProducesProblem(StatusCodes.Status404NotFound);
        api.MapGet("/jobs/{number:int}/files", async (ApiCaller caller, int number, ApiQueries queries, CancellationToken ct) =>
                await queries.FindAsync(caller.Team, number, ct) is { } job ? Results.Ok(await queries.FilesAsync(caller.Team, number, job.Id, ct)) : ApiProblems.NotFound("job"))
            .WithSummary("Files that came home, each with the hash the machine promised.")
            .Produces<IReadOnlyList<FileAnswer>>().ProducesProblem(StatusCodes.Status404NotFound);
        api.MapGet("/jobs/{number:int}/files/{**path}", FileAsync)
            .WithSummary("A file, whole or in ranges. Without attempt: of the last attempt that has it.")
            .Produces<string>(StatusCodes.Status200OK, MediaTypeNames.Application.Octet).ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<IResult> LogAsync(ApiCaller caller, int number, ApiQueries queries, LogStore logs, HttpContext http, CancellationToken ct, long offset = 0, int? attempt = null)
    {
        if (await queries.FindAsync(caller.Team, number, ct) is not { } job)
        {
            return ApiProblems.NotFound("job");
        }

        if (offset < 0 || attempt is < 1)
        {
            return ApiProblems.Invalid([new("Offset", "Count bytes from 0 and attempts from 1.")]);
        }

        var which = attempt ?? Math.Max(1, job.Attempts);
        http.Response.Headers[LengthHeader] = (await logs.LengthAsync(job.Id, which, ct)).ToString(CultureInfo.InvariantCulture);
        return Results.Bytes(await logs.ReadBytesAsync(job.Id, which, offset, MostLogBytes, ct), MediaTypeNames.Application.Octet);
    }

    // Only what a row names is opened: the address never becomes a path by itself.
    private static async Task<IResult> FileAsync(ApiCaller caller, int number, string path, ApiQueries queries, ArtifactStore files, CancellationToken ct, int? attempt = null)
    {
        if (await queries.FindAsync(caller.Team, number, ct) is not { } job)
        {
            return ApiProblems.NotFound("job");
        }

        var file = (await queries.FilesAsync(caller.Team, number, job.Id, ct)).LastOrDefault(f => f.Path == path && (attempt is null || f.Attempt == attempt));
        return file is not null && await files.OpenAsync(job.Id, file.Attempt, file.Path, ct) is { } stream
            ? Results.Stream(stream, MediaTypeNames.Application.Octet, path[(path.LastIndexOf('/') + 1)..], file.ArrivedAt, new EntityTagHeaderValue($"\"{file.Sha256}\""), enableRangeProcessing: true)
            : ApiProblems.NotFound("file");
    }
}
