namespace Dashboard.Sandbox.Http;

/// <summary>Search and rent.</summary>
internal static class OfferEndpoints
{
    public static void MapOffers(this IEndpointRouteBuilder api)
    {
        var search = api.MapGroup("").AddEndpointFilter<RowQuota>();
        search.MapPost("/api/v0/bundles", async (LiveMarket live, HttpContext context) => await Body.ReadAsync(context.Request) is { } query
            ? OfferSearch.Answer(live, query, Gate.Of(context) is Caller.Account)
            : Reply.InvalidBody());
        search.MapGet("/api/v0/bundles", (LiveMarket live, HttpContext context) => Body.ParseObject(context.Request.Query["q"]) is { } query
            ? OfferSearch.Answer(live, query, Gate.Of(context) is Caller.Account)
            : Reply.InvalidBody());
        search.MapPut("/api/v0/search/asks", async (LiveMarket live, HttpContext context) => await Body.ReadAsync(context.Request) is { } body
            ? OfferSearch.Answer(live, body.Field("q") ?? body, Gate.Of(context) is Caller.Account, body.Field("select_cols"))
            : Reply.InvalidBody());
        api.MapGet("/api/v0/gpu_names/unique", (LiveMarket live) => live.Read((market, _) => Reply.Ok(new WireRow { ["gpu_names"] = market.Park.GpuNames })));
        api.MapGet("/api/v0/gpu_types", (LiveMarket live) => live.Read((market, _) => Reply.Ok(new WireRow { ["gpu_types"] = market.Park.GpuNames })));
        api.MapGet("/api/v0/metrics/gpu/history", (LiveMarket live, HttpRequest request) => GpuMetrics.History(live, request.Query));
        api.MapGet("/api/v0/metrics/gpu/current", (LiveMarket live, HttpRequest request) => GpuMetrics.Current(live, request.Query));
        api.MapPut("/api/v0/asks/{askId:int}", async (int askId, LiveMarket live, HttpContext context) => await RentCall.AnswerAsync(live, askId, Gate.Of(context).AccountId, context.Request));
    }
}
