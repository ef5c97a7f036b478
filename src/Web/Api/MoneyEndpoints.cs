namespace Dashboard.Web.Api;

internal static class MoneyEndpoints
{
    public static void MapMachines(this IEndpointRouteBuilder api) =>
        api.MapGet("/machines", async (ApiCaller caller, ApiQueries queries, CancellationToken ct, bool? all, int? limit) =>
                TypedResults.Ok(await queries.MachinesAsync(caller.Team, all ?? false, Math.Clamp(limit ?? 200, 1, 1000), ct)))
            .WithSummary("Machines that may bill; with all=true also those that are gone, newest first.");

    public static void MapLedger(this IEndpointRouteBuilder api) =>
        api.MapGet("/ledger", async (ApiCaller caller, ApiQueries queries, CancellationToken ct, int? job, DateTimeOffset? from, DateTimeOffset? to, long? after, int? limit) =>
                TypedResults.Ok(await queries.LedgerAsync(caller.Team, job, from, to, after, Math.Clamp(limit ?? 500, 1, 5000), ct)))
            .WithSummary("Charges, oldest first, with totals of everything that matches. Go on with after = the last id.");
}
