using Dashboard.Sandbox.Market;

namespace Dashboard.Sandbox.Http;

/// <summary>Everything about rented instances.</summary>
internal static class InstanceEndpoints
{
    private const int MostLabelLetters = 1024;
    private const decimal LeastBid = 0.001m;
    private const decimal MostBidPerGpu = 32m;

    public static void MapInstances(this IEndpointRouteBuilder api)
    {
        api.MapGet("/api/v0/instances", () => new Reply(StatusCodes.Status410Gone, new WireRow
        {
            ["success"] = false,
            ["error"] = "deprecated_endpoint",
            ["msg"] = "/api/v0/instances/ is deprecated. Use /api/v1/instances/ instead.",
        }));
        api.MapGet("/api/v1/instances", (LiveMarket live, HttpContext context) => InstanceList.Answer(live, Gate.Of(context).AccountId, context.Request.Query));
        api.MapGet("/api/v0/instances/filters", (LiveMarket live, HttpContext context) => InstanceList.Filters(live, Gate.Of(context).AccountId));
        api.MapGet("/api/v0/instances/{id:int}", (int id, LiveMarket live) => live.Read((market, now) =>
            Reply.Ok(new WireRow { ["instances"] = market.Find(id) is { } contract ? InstanceRows.Of(market, contract, now) : null })));
        api.MapPut("/api/v0/instances/{id:int}", async (int id, LiveMarket live, HttpContext context) => await ChangeAsync(id, live, context));
        api.MapDelete("/api/v0/instances/{id:int}", (int id, LiveMarket live) =>
            live.Change((market, now) => market.Destroy(id, now)) ? Reply.Success() : Reply.NoSuchInstance(id));
        api.MapPut("/api/v0/instances/reboot/{id:int}", (int id, LiveMarket live) => Answer(live.Change((market, now) => market.Reboot(id, now)), id));
        api.MapPut("/api/v0/instances/recycle/{id:int}", (int id, LiveMarket live) => Answer(live.Change((market, now) => market.Recycle(id, now)), id));
        api.MapPut("/api/v0/instances/bid_price/{id:int}", async (int id, LiveMarket live, HttpRequest request) => await ChangeBidAsync(id, live, request));
        api.MapPost("/api/v0/instances/{id:int}/ssh", async (int id, LiveMarket live, HttpRequest request) => await AccountEndpoints.WithKeyAsync(request, key =>
            live.Change((market, now) => market.AttachKey(id, key, now)) is null ? Reply.NoSuchInstance(id) : Reply.Success("SSH key attached. It may take a few seconds until it works.")));
        api.MapGet("/api/v0/instances/{id:int}/ssh", (int id, LiveMarket live) => live.Read((market, _) => market.Find(id) is { } contract
            ? Reply.Ok(new WireRow
            {
                ["success"] = true,
                ["ssh_keys"] = Reply.Embedded(contract.AttachedKeys.Select(key => AccountEndpoints.KeyRow(key.Id, contract.AccountId, key.PublicKey, key.AttachedAt)).ToArray()),
            })
            : Reply.NoSuchInstance(id)));
        api.MapDelete("/api/v0/instances/{id:int}/ssh/{keyId:int}", (int id, int keyId, LiveMarket live) => live.Change((market, _) => market.Find(id) is not { } contract
            ? Reply.NoSuchInstance(id)
            : market.DetachKey(contract, keyId) ? Reply.Success("SSH key detached.") : Reply.Failure(StatusCodes.Status404NotFound, "no_such_ssh_key", "No such SSH key.")));
        api.MapPut("/api/v0/instances/request_logs/{id:int}", async (int id, LogShelf shelf, LiveMarket live, HttpRequest request) => await shelf.AnswerAsync(id, live, request));
        api.MapGet("/instance_logs/{name}", (string name, LogShelf shelf) => shelf.Fetch(name));
    }

    private static async Task<Reply> ChangeAsync(int id, LiveMarket live, HttpContext context)
    {
        if (await Body.ReadAsync(context.Request) is not { } body)
        {
            return Reply.InvalidBody();
        }

        if (body.Text("state") is { } state)
        {
            return state switch
            {
                "running" => Answer(live.Change((market, now) => market.Start(id, now)), id),
                "stopped" => Answer(live.Change((market, now) => market.Stop(id, now)), id),
                _ => Reply.InvalidArguments($"unknown state {state}."),
            };
        }

        if (body.TryGetProperty("label", out _))
        {
            return body.Text("label") switch
            {
                _ when Gate.Of(context) is Caller.Instance => Reply.Failure(StatusCodes.Status403Forbidden, "auth_error", "This key does not have permission for this action."),
                { Length: > MostLabelLetters } => Reply.Failure(StatusCodes.Status400BadRequest, "label_too_long", $"label is longer than {MostLabelLetters}."),
                var label => live.Change((market, _) => market.SetLabel(id, string.IsNullOrEmpty(label) ? null : label)) ? Reply.Success() : Reply.NoSuchInstance(id),
            };
        }

        return Reply.InvalidArguments("state or label is needed.");
    }

    private static async Task<Reply> ChangeBidAsync(int id, LiveMarket live, HttpRequest request)
    {
        if (await Body.ReadAsync(request) is not { } body)
        {
            return Reply.InvalidBody();
        }

        var price = body.Number("price");
        return body.Field("price") is not null && price is not >= LeastBid
            ? Reply.Failure(StatusCodes.Status400BadRequest, "invalid_price", FormattableString.Invariant($"error 400/3475: price must be between {LeastBid} and {MostBidPerGpu} per GPU."))
            : live.Change((market, now) => market.Find(id) is { } contract && price > MostBidPerGpu * market.SliceOf(contract).GpuCount
                ? Reply.Failure(StatusCodes.Status400BadRequest, "invalid_price", FormattableString.Invariant($"error 400/3475: price must be between {LeastBid} and {MostBidPerGpu} per GPU."))
                : Answer(market.ChangeBid(id, price, now), id));
    }

    private static Reply Answer(StateChange change, int id) => change switch
    {
        StateChange.Done => Reply.Success(),
        StateChange.Queued => Reply.Ok(new WireRow { ["success"] = false, ["msg"] = "Required resources are currently unavailable, state change queued." }),
        StateChange.NoCredit => Reply.Failure(StatusCodes.Status400BadRequest, "missing_billing", "Your account lacks credit; see the billing page."),
        StateChange.ContractEnded => Reply.InvalidArguments("The contract has ended."),
        StateChange.NotRunning => Reply.Ok(new WireRow { ["success"] = false, ["msg"] = "Instance is not running." }),
        StateChange.NoBid => Reply.InvalidArguments("the instance is rented on demand and has no bid."),
        StateChange.BidTooLow => Reply.Failure(StatusCodes.Status400BadRequest, "invalid_price", "error 400/3475: Bid price is below the minimum of the machine."),
        StateChange.NoSuchInstance => Reply.NoSuchInstance(id),
    };
}
