using System.IO.Compression;
using System.Net.Mime;
using System.Text;
using Dashboard.Domain;
using Dashboard.Domain.Logs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Artifacts;
using Dashboard.Web.Auth;
using Microsoft.AspNetCore.Http.Features;

namespace Dashboard.Web.Features.Jobs;

/// <summary>Downloads for people, by their session. Programs use the API. A job of another team answers as if it did not exist.</summary>
public static class JobDownloads
{
    private const int LinesAtOnce = 5_000;

    public static void MapJobDownloads(this IEndpointRouteBuilder endpoints)
    {
        var job = endpoints.MapGroup("/t/{team}/jobs/{number:int}").RequireAuthorization().ExcludeFromDescription();
        job.MapGet("/files/{**path}", FileAsync);
        job.MapGet("/files.zip", ZipAsync);
        job.MapGet("/log", LogAsync);
    }

    private static async Task<IResult> FileAsync(string team, int number, string path, int? attempt, HttpContext http, TeamAuthorization teams, JobQueries jobs, ArtifactStore files)
    {
        if (await FindAsync(team, number, http, teams, jobs) is not (TeamContext context, JobView job))
        {
            return Results.NotFound();
        }

        // Only what a row names is opened: the address never becomes a path by itself.
        var file = (await jobs.FilesAsync(context, job.Id, http.RequestAborted)).FirstOrDefault(f => f.Path == path && (attempt is null || f.Attempt == attempt));
        if (file is null || await files.OpenAsync(job.Id, file.Attempt, file.Path, http.RequestAborted) is not { } stream)
        {
            return Results.NotFound();
        }

        return Results.Stream(stream, MediaTypeNames.Application.Octet, NameOf(path), file.ArrivedAt, new($"\"{file.Sha256}\""), enableRangeProcessing: true);
    }

    private static async Task<IResult> ZipAsync(string team, int number, HttpContext http, TeamAuthorization teams, JobQueries jobs, ArtifactStore files)
    {
        if (await FindAsync(team, number, http, teams, jobs) is not (TeamContext context, JobView job))
        {
            return Results.NotFound();
        }

        var all = await jobs.FilesAsync(context, job.Id, http.RequestAborted);
        if (all.Count == 0)
        {
            return Results.NotFound();
        }

        // The framework writes each entry's last 24 bytes synchronously, even when the entry is closed asynchronously.
        http.Features.GetRequiredFeature<IHttpBodyControlFeature>().AllowSynchronousIO = true;
        var several = all.Select(f => f.Attempt).Distinct().Skip(1).Any();
        return Results.Stream(
            async body =>
            {
                await using var zip = await ZipArchive.CreateAsync(body, ZipArchiveMode.Create, leaveOpen: true, entryNameEncoding: null, http.RequestAborted);
                foreach (var file in all)
                {
                    await using var from = await files.OpenAsync(job.Id, file.Attempt, file.Path, http.RequestAborted)
                        ?? throw new FileNotFoundException($"{file.Path} of attempt {file.Attempt} is recorded but not on the disk."); // a broken download, not a zip that looks whole
                    var entry = zip.CreateEntry(several ? $"attempt-{file.Attempt}/{file.Path}" : file.Path, CompressionLevel.NoCompression); // weights do not compress
                    entry.LastWriteTime = file.ArrivedAt;
                    await using var to = await entry.OpenAsync(http.RequestAborted);
                    await from.CopyToAsync(to, http.RequestAborted);
                }
            },
            MediaTypeNames.Application.Zip,
            $"{Slug(job.Name)}-{number}.zip");
    }

    private static async Task<IResult> LogAsync(string team, int number, HttpContext http, TeamAuthorization teams, JobQueries jobs, ILogFeed logs)
    {
        if (await FindAsync(team, number, http, teams, jobs) is not (_, JobView job))
        {
            return Results.NotFound();
        }

        var lines = await logs.CountAsync(job.Id, http.RequestAborted); // as long as it is now; it may be growing
        return Results.Stream(
            async body =>
            {
                await using var text = new StreamWriter(body, new UTF8Encoding(false), leaveOpen: true);
                for (var from = 0; from < lines; from += LinesAtOnce)
                {
                    foreach (var line in await logs.ReadAsync(job.Id, from, Math.Min(LinesAtOnce, lines - from), http.RequestAborted))
                    {
                        await text.WriteAsync(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{line.At.UtcDateTime:O} {(line.Source == LogSource.Ours ? "▸ " : "")}{line.Text}\n").AsMemory(), http.RequestAborted);
                    }
                }
            },
            "text/plain; charset=utf-8",
            $"{Slug(job.Name)}-{number}.log");
    }

    private static async Task<(TeamContext, JobView)?> FindAsync(string team, int number, HttpContext http, TeamAuthorization teams, JobQueries jobs) =>
        await teams.ForAsync(http.User, team, http.RequestAborted) is { } context && await jobs.FindAsync(context, number, http.RequestAborted) is { } job ? (context, job) : null;

    private static string NameOf(string path) => path[(path.LastIndexOf('/') + 1)..];

    private static string Slug(string name) => string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '-'));
}
