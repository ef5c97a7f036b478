using Dashboard.Domain.Teams;
using Dashboard.Web.Components;
using Dashboard.Web.Features.Costs;

namespace Dashboard.Web.Api;

internal static class MoneyEndpoints
{
    public static void MapMachines(this IEndpointRouteBuilder api) =>
        api.MapGet("/machines", async (ApiCaller caller, ApiQueries queries, CancellationToken ct, bool? all, int? limit) =>
                TypedResults.Ok(await queries.MachinesAsync(caller.Team, all ?? false, Math.Clamp(limit ?? 200, 1, 1000), ct)))
            .WithSummary("Machines that may bill; with all=true also those that are gone, newest first.");

    public static void MapLedger(this IEndpointRouteBuilder api)
    {
        api.MapGet("/ledger", async (ApiCaller caller, ApiQueries queries, CancellationToken ct, int? job, DateTimeOffset? from, DateTimeOffset? to, long? after, int? limit) =>
                TypedResults.Ok(await queries.LedgerAsync(caller.Team, job, from, to, after, Math.Clamp(limit ?? 500, 1, 5000), ct)))
            .WithSummary("Charges, oldest first, with totals of everything that matches. Go on with after = the last id.");
        api.MapLedgerFile("csv", "text/csv", LedgerCsv.File);
        api.MapLedgerFile("json", "application/json", LedgerCsv.JsonFile);
    }

    private static void MapLedgerFile(this IEndpointRouteBuilder api, string form, string type, Func<TeamContext, CostPeriod?, CostScope, LedgerQueries, CancellationToken, IResult> file) =>
        api.MapGet($"/ledger.{form}", (ApiCaller caller, LedgerQueries ledger, HttpContext http, CancellationToken ct, string? month, string? from, string? to) =>
            {
                caller.Team.Require(Permission.SeeMoney);
                var period = CostPeriod.Read(month, from, to, ReaderZone.Utc);
                return period is null && (month ?? from ?? to) is not null
                    ? throw new BadHttpRequestException("The period must be month=yyyy-MM, or from=yyyy-MM-dd with to=yyyy-MM-dd, and at most a year.")
                    : file(caller.Team, period, LedgerCsv.ScopeOf(http), ledger, ct);
            })
            .Produces(StatusCodes.Status200OK, contentType: type)
            .WithSummary("Charges as a file with FOCUS column names and a running total, oldest first. Days and months end at midnight UTC; also by project, person, job, gpu, provider, kind and tag.");
}
