using System.Globalization;
using System.Text.Json;
using Dashboard.Sandbox.Market;

namespace Dashboard.Sandbox.Http;

/// <summary>The paged list of instances. A new one is missing from it for a while.</summary>
internal static class InstanceList
{
    private const int MostRows = 25;
    private const int RowsForNonsense = 5;

    // Computed columns cannot be filtered on the real service either.
    private static readonly HashSet<string> Filterable =
    [
        "id", "label", "actual_status", "intended_status", "cur_state", "next_state", "gpu_name", "verification", "machine_id", "host_id", "start_date", "end_date",
        "image_uuid", "geolocation", "is_bid", "template_id", "template_hash_id",
    ];

    public static Reply Answer(LiveMarket live, int accountId, IQueryCollection query)
    {
        if (Body.ParseObject(query["select_filters"]) is not { } wanted)
        {
            return Reply.InvalidBody();
        }

        var (filter, error) = RowFilter.Parse(wanted);
        if (filter is null || filter.Fields.FirstOrDefault(field => !Filterable.Contains(field)) is { } unknown && (error = $"cannot filter on {unknown}") is not null)
        {
            return Reply.Failure(StatusCodes.Status400BadRequest, "invalid_request", error!);
        }

        if (!PageToken.TryRead(query["after_token"], out var after))
        {
            return PageToken.Invalid();
        }

        var order = OrderOf(query["order_by"]);
        var columns = ColumnsOf(query["select_cols"]);
        var limit = LimitOf(query["limit"]);
        return live.Read((market, now) =>
        {
            // Destroyed ones keep their place in the order, so a cursor on one of them still leads on.
            var rows = market.State.Contracts
                .Where(contract => contract.AccountId == accountId)
                .Where(contract => now >= contract.CreatedAt + market.Settings.ListLag)
                .Where(contract => contract.IsLiving || contract.Id == after)
                .Select(contract => (Contract: contract, Row: InstanceRows.Of(market, contract, now)))
                .OrderBy(entry => entry.Row, order)
                .ToList();
            var matching = rows.Where(entry => entry.Contract.IsLiving && filter.Matches(field => [entry.Row.GetValueOrDefault(field)])).ToList();
            var skipTo = after is { } id ? rows.FindIndex(entry => entry.Contract.Id == id) + 1 : 0;
            var rest = rows.Skip(skipTo).Where(matching.Contains).ToList();
            var page = rest.Take(limit).ToList();
            return Reply.Ok(new WireRow
            {
                ["success"] = true,
                ["instances_found"] = page.Count,
                ["total_instances"] = matching.Count,
                ["label_counts"] = matching.CountBy(entry => entry.Contract.Label ?? "").ToDictionary(count => count.Key, count => count.Value),
                ["next_token"] = rest.Count > page.Count ? PageToken.After(page[^1].Contract.Id) : null,
                ["instances"] = page.Select(entry => Chosen(entry.Row, columns)).ToArray(),
            });
        });
    }

    /// <summary>Distinct combinations that the list can be filtered by.</summary>
    public static Reply Filters(LiveMarket live, int accountId) => live.Read((market, now) => Reply.Ok(new WireRow
    {
        ["filters"] = market.Living
            .Where(contract => contract.AccountId == accountId)
            .Select(contract => (Status: InstanceRows.ActualStatus(contract, now), Machine: market.MachineOf(contract)))
            .Select(entry => (entry.Status, entry.Machine.Gpu.Name, entry.Machine.Verified))
            .Distinct()
            .Select(entry => new WireRow { ["actual_status"] = entry.Status, ["gpu_name"] = entry.Name, ["verification"] = entry.Verified ? "verified" : "unverified" })
            .ToArray(),
    }));

    private static int LimitOf(string? text) => !int.TryParse(text, CultureInfo.InvariantCulture, out var limit) ? MostRows
        : limit <= 0 ? RowsForNonsense : Math.Min(limit, MostRows);

    private static RowOrder OrderOf(string? text)
    {
        var order = new RowOrder();
        foreach (var key in List(text).Where(key => key.ValueKind == JsonValueKind.Object && key.Text("col") is not null))
        {
            order.By(key.Text("col")!, string.Equals(key.Text("dir"), "desc", StringComparison.OrdinalIgnoreCase));
        }

        return order.By("id", descending: false);
    }

    private static List<string> ColumnsOf(string? text) => [.. List(text).Where(column => column.ValueKind == JsonValueKind.String).Select(column => column.GetString()!)];

    private static WireRow Chosen(WireRow row, List<string> columns)
    {
        if (columns.Count == 0 || columns.Contains("*"))
        {
            row["volume_info"] = Array.Empty<object>();
            return row;
        }

        var chosen = new WireRow();
        foreach (var column in columns)
        {
            chosen[column] = row.GetValueOrDefault(column);
        }

        return chosen;
    }

    private static IReadOnlyList<JsonElement> List(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return [];
        }

        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Array ? [.. document.RootElement.Clone().EnumerateArray()] : [];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}
