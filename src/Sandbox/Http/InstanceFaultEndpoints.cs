using System.Text.Json;
using Dashboard.Sandbox.Market;

namespace Dashboard.Sandbox.Http;

/// <summary>
/// What somebody at the controls can do to instances, to asks and to the market as a whole. Faults are named as in
/// <see cref="InstanceFault"/>, in snake case; bodies may be absent.
/// </summary>
internal static class InstanceFaultEndpoints
{
    private const decimal LongestSeconds = 10_000_000;

    private static readonly Dictionary<string, InstanceFault> Kinds = Enum.GetValues<InstanceFault>().ToDictionary(NameOf, StringComparer.Ordinal);

    public static void MapInstanceFaults(this IEndpointRouteBuilder control)
    {
        control.MapGet("/instances/{id:int}/faults", (int id, LiveMarket live) => live.Read((market, _) => market.Find(id) is { } contract
            ? Reply.Ok(new WireRow { ["faults"] = contract.Faults.Select(Row).ToArray() })
            : Reply.NoSuchInstance(id)));
        control.MapPut("/instances/{id:int}/faults/{kind}", async (int id, string kind, LiveMarket live, HttpRequest request) => await WithFaultAsync(kind, request, (fault, duration) =>
            live.Change((market, now) => market.Inflict(id, fault, duration, now) ? Reply.Success() : Reply.NoSuchInstance(id))));
        control.MapDelete("/instances/{id:int}/faults/{kind}", async (int id, string kind, LiveMarket live, HttpRequest request) => await WithFaultAsync(kind, request, (fault, _) =>
            live.Change((market, now) => market.Heal(id, fault, now) ? Reply.Success() : Reply.NoSuchInstance(id))));
        control.MapPut("/next-instance/faults/{kind}", async (string kind, LiveMarket live, HttpRequest request) => await WithFaultAsync(kind, request, (fault, duration) =>
            live.Change((market, _) =>
            {
                market.InflictOnNext(fault, duration);
                return Reply.Success();
            })));
        control.MapPut("/instances/{id:int}/rivals", async (int id, LiveMarket live, HttpRequest request) => await Body.ReadAsync(request) is { } body
            ? live.Change((market, now) => market.Find(id) is { } contract ? Intervene(market, market.MachineOf(contract), market.SliceOf(contract), body, now) : Reply.NoSuchInstance(id))
            : Reply.InvalidBody());
        control.MapPut("/asks/{askId:int}", async (int askId, LiveMarket live, HttpRequest request) => await Body.ReadAsync(request) is { } body
            ? live.Change((market, now) => market.FindOffer(askId, now) is { } offer
                ? Intervene(market, offer.Machine, offer.Slice, body, now)
                : Reply.Failure(StatusCodes.Status404NotFound, "no_such_ask", FormattableString.Invariant($"Ask {askId} is not listed.")))
            : Reply.InvalidBody());
        control.MapPut("/market", async (LiveMarket live, HttpRequest request) => await Body.ReadAsync(request) is { } body
            ? live.Change((market, now) => ChangeMarket(market, body, now))
            : Reply.InvalidBody());
    }

    private static string NameOf(InstanceFault fault) => JsonNamingPolicy.SnakeCaseLower.ConvertName(fault.ToString());

    private static WireRow Row(ActiveFault fault) => new()
    {
        ["kind"] = NameOf(fault.Kind),
        ["since"] = fault.Since.ToUnix(),
        ["seconds"] = fault.Duration?.TotalSeconds,
    };

    private static async Task<Reply> WithFaultAsync(string kind, HttpRequest request, Func<InstanceFault, TimeSpan?, Reply> answer)
    {
        if (await Body.ReadAsync(request) is not { } body)
        {
            return Reply.InvalidBody();
        }

        if (!Kinds.TryGetValue(kind, out var fault))
        {
            return Reply.InvalidArguments($"unknown fault {kind}; known are {string.Join(", ", Kinds.Keys)}.");
        }

        var seconds = body.Number("seconds");
        return body.Field("seconds") is not null && seconds is not (>= 0 and <= LongestSeconds)
            ? Reply.InvalidArguments("seconds must be a number from 0.")
            : answer(fault, seconds is { } given ? TimeSpan.FromSeconds((double)given) : null);
    }

    /// <summary>Fields that are absent stay as they are; <c>rival_bid</c> null gives the machine back to the walk of demand.</summary>
    private static Reply Intervene(RentalMarket market, Machine machine, Slice slice, JsonElement body, DateTimeOffset now)
    {
        market.Intervene(
            machine,
            before => before with
            {
                PriceFactor = body.Number("price_factor") is { } factor and > 0 and < 1000 ? factor : before.PriceFactor,
                RivalBid = body.TryGetProperty("rival_bid", out _) ? body.Number("rival_bid") : before.RivalBid,
                RivalGpus = body.Flag("taken") switch
                {
                    true => before.RivalGpus | slice.Gpus,
                    false => before.RivalGpus & ~slice.Gpus,
                    null => before.RivalGpus,
                },
                HostsOwn = body.Flag("hosts_own") ?? before.HostsOwn,
            },
            now);
        return Reply.Success();
    }

    /// <summary>Fields: <c>speed</c> (market seconds in a real one), <c>spend_limit</c> (USD per hour, null: none of the controls).</summary>
    private static Reply ChangeMarket(RentalMarket market, JsonElement body, DateTimeOffset now)
    {
        var speed = body.Number("speed");
        if (body.Field("speed") is not null && speed is not (>= 0.001m and <= (decimal)MarketPace.Fastest))
        {
            return Reply.InvalidArguments(FormattableString.Invariant($"speed must be between 0.001 and {MarketPace.Fastest}."));
        }

        if (body.TryGetProperty("spend_limit", out _))
        {
            market.State.SpendLimitPerHour = body.Number("spend_limit");
        }

        if (speed is { } factor)
        {
            market.SetSpeed((double)factor, now);
        }

        return Reply.Ok(new WireRow { ["success"] = true, ["speed"] = market.State.Pace.Factor, ["spend_limit"] = market.State.SpendLimitPerHour });
    }
}
