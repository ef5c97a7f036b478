using System.Text.Json;
using Dashboard.Sandbox.Market;

namespace Dashboard.Sandbox.Http;

/// <summary>The search over offers: filters and control keys share one JSON object.</summary>
internal static class OfferSearch
{
    private const int MostRows = 64;
    private const decimal DefaultDiskGb = 8;

    /// <param name="isCallerKnown">Anonymous searches see no rentals of their own.</param>
    /// <param name="columns">A list of fields to answer with; null, or <c>*</c> in it, for all. A field nobody knows comes back null.</param>
    public static Reply Answer(LiveMarket live, JsonElement query, bool isCallerKnown, JsonElement? columns = null)
    {
        if (KindOf(query.Text("type")) is not { } kind)
        {
            return Reply.Failure(StatusCodes.Status400BadRequest, "invalid_request", $"Unknown type {query.Text("type")}.");
        }

        var (filter, error) = RowFilter.Parse(query);
        if (filter is null)
        {
            return Reply.Failure(StatusCodes.Status400BadRequest, "invalid_request", error!);
        }

        // Hidden unless the query speaks about them. Not so for unverified machines: the official client asks for "any" by leaving the filter out.
        var asked = filter.Fields.ToHashSet(StringComparer.Ordinal);
        var (hideUnrentable, hideExternal) = (!asked.Contains("rentable"), !asked.Contains("external"));
        var diskGb = query.Number("allocated_storage") is { } gb && gb >= 0 ? gb : DefaultDiskGb;
        var limit = query.Number("limit") is { } wanted && wanted >= 0 ? (int)Math.Min(wanted, MostRows) : MostRows;

        var chosen = columns is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray().Select(column => column.ToString()).ToList() : [];
        return live.Read((market, now) =>
        {
            var rows = market.Offers(kind, diskGb, now)
                .Where(offer => (offer.Rentable || !hideUnrentable) && (!offer.Machine.External || !hideExternal))
                .Select(offer => (Offer: offer, Row: OfferRows.Of(isCallerKnown ? offer : offer with { RentedByCaller = false }, now)))
                .Where(candidate => filter.Matches(field => Values(candidate.Offer, candidate.Row, field)))
                .Select(candidate => candidate.Row)
                .Order(OrderOf(query))
                .Take(limit)
                .Select(row => chosen.Count == 0 || chosen.Contains("*") ? row : Only(row, chosen))
                .ToList();
            return Reply.Ok(new WireRow { ["offers"] = rows });
        });
    }

    private static WireRow Only(WireRow row, List<string> columns)
    {
        var narrow = new WireRow();
        foreach (var column in columns)
        {
            narrow[column] = row.GetValueOrDefault(column);
        }

        return narrow;
    }

    private static OfferKind? KindOf(string? type) => type switch
    {
        null or "on-demand" or "ondemand" => OfferKind.OnDemand,
        "bid" or "interruptible" => OfferKind.Bid,
        "reserved" => OfferKind.Reserved,
        _ => null,
    };

    private static object?[] Values(Offer offer, WireRow row, string field) => field switch
    {
        "verified" => [offer.Machine.Verified],
        "external" => [offer.Machine.External],
        "datacenter" => [offer.Machine.Datacenter],
        "geolocation" => [offer.Machine.Country, offer.Machine.Place],
        "id" => [null], // as on the real service, where only ask_contract_id finds an ask
        _ => [row.GetValueOrDefault(field)],
    };

    private static RowOrder OrderOf(JsonElement query)
    {
        var order = new RowOrder();
        var keys = query.Field("order") is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray().ToList() : [];
        // Some callers send one pair where a list of pairs is meant.
        if (keys.Count == 2 && keys.TrueForAll(key => key.ValueKind == JsonValueKind.String))
        {
            return order.By(keys[0].GetString()!, Descending(keys[1])).By("id", descending: false);
        }

        foreach (var key in keys.Where(key => key.ValueKind == JsonValueKind.Array && key.GetArrayLength() > 0 && key[0].ValueKind == JsonValueKind.String))
        {
            order.By(key[0].GetString()!, key.GetArrayLength() > 1 && Descending(key[1]));
        }

        return (keys.Count == 0 ? order.By("score", descending: true) : order).By("id", descending: false);
    }

    private static bool Descending(JsonElement direction) =>
        direction.ValueKind == JsonValueKind.String && string.Equals(direction.GetString(), "desc", StringComparison.OrdinalIgnoreCase);
}
