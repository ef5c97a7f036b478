using System.Text.Json.Nodes;
using Refit;

namespace Dashboard.Infrastructure.Providers.VastAi;

/// <summary>The calls we make, as they go over the wire. Every path ends in a slash: without it the service may answer with a redirect.</summary>
/// <remarks>Answers are raw: errors come with any status, in JSON, text or HTML, and <see cref="VastAiErrors"/> has to see them whole.</remarks>
internal interface IVastAiApi
{
    [Get("/api/v0/users/current/")]
    Task<HttpResponseMessage> GetUserAsync([Property(VastAiCall.Option)] VastAiCall call, CancellationToken ct);

    [Post("/api/v0/bundles/")]
    Task<HttpResponseMessage> SearchAsync([Body] JsonObject query, [Property(VastAiCall.Option)] VastAiCall call, CancellationToken ct);

    [Get("/api/v0/metrics/gpu/history/")]
    Task<HttpResponseMessage> GetPriceHistoryAsync(
        [AliasAs("gpu_name")] string gpuName,
        string verified,
        [AliasAs("num_gpus")] string gpuCount,
        long start,
        long end,
        long step,
        [Property(VastAiCall.Option)] VastAiCall call,
        CancellationToken ct);

    [Put("/api/v0/asks/{offerId}/")]
    Task<HttpResponseMessage> RentAsync(string offerId, [Body] WireRent rent, [Property(VastAiCall.Option)] VastAiCall call, CancellationToken ct);

    [Get("/api/v1/instances/")]
    Task<HttpResponseMessage> ListAsync(
        int limit,
        [AliasAs("order_by")] string orderBy,
        [AliasAs("select_filters")] string? selectFilters,
        [AliasAs("after_token")] string? afterToken,
        [Property(VastAiCall.Option)] VastAiCall call,
        CancellationToken ct);

    [Get("/api/v0/instances/{id}/?owner=me")]
    Task<HttpResponseMessage> GetAsync(string id, [Property(VastAiCall.Option)] VastAiCall call, CancellationToken ct);

    [Put("/api/v0/instances/{id}/")]
    Task<HttpResponseMessage> ChangeStateAsync(string id, [Body] WireState state, [Property(VastAiCall.Option)] VastAiCall call, CancellationToken ct);

    [Put("/api/v0/instances/bid_price/{id}/")]
    Task<HttpResponseMessage> ChangeBidAsync(string id, [Body] WireBid bid, [Property(VastAiCall.Option)] VastAiCall call, CancellationToken ct);

    [Delete("/api/v0/instances/{id}/")]
    Task<HttpResponseMessage> DestroyAsync(string id, [Property(VastAiCall.Option)] VastAiCall call, CancellationToken ct);

    [Post("/api/v0/instances/{id}/ssh/")]
    Task<HttpResponseMessage> AttachKeyAsync(string id, [Body] WireSshKey key, [Property(VastAiCall.Option)] VastAiCall call, CancellationToken ct);

    [Put("/api/v0/instances/request_logs/{id}/")]
    Task<HttpResponseMessage> RequestLogsAsync(string id, [Body] WireLogRequest request, [Property(VastAiCall.Option)] VastAiCall call, CancellationToken ct);

    [Get("/api/v0/charges/")]
    Task<HttpResponseMessage> GetChargesAsync(
        [AliasAs("select_filters")] string selectFilters,
        string format,
        [AliasAs("latest_first")] string latestFirst,
        int limit,
        [AliasAs("after_token")] string? afterToken,
        [Property(VastAiCall.Option)] VastAiCall call,
        CancellationToken ct);
}
