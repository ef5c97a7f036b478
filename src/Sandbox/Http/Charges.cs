using System.Globalization;
using System.Text.Json;
using Dashboard.Sandbox.Market;

namespace Dashboard.Sandbox.Http;

/// <summary>What the provider says was spent: a row per contract and range, some time late, rounded to a tenth of a cent.</summary>
internal static class Charges
{
    private const int DefaultLimit = 100;
    private const int MostRows = 500;

    public static Reply Answer(LiveMarket live, int accountId, IQueryCollection query)
    {
        if (Body.ParseObject(query["select_filters"]) is not { } filters)
        {
            return Reply.InvalidBody();
        }

        var day = filters.Field("day");
        if (day?.Number("gte") is not { } from || day?.Number("lte") is not { } until)
        {
            return new Reply(StatusCodes.Status400BadRequest, new WireRow { ["success"] = false, ["msg"] = "Must provide both 'day' gte and lte filters for instance charges" });
        }

        var wantsInstances = filters.Field("type") is not { } type || TypesOf(type).Contains("instance");
        var latestFirst = string.Equals(query["latest_first"], "true", StringComparison.OrdinalIgnoreCase);
        var limit = int.TryParse(query["limit"], CultureInfo.InvariantCulture, out var wanted) && wanted > 0 ? Math.Min(wanted, MostRows) : DefaultLimit;
        if (!PageToken.TryRead(query["after_token"], out var after))
        {
            return PageToken.Invalid();
        }

        var (start, end) = (WireTime.FromUnix((double)from), WireTime.FromUnix((double)until));
        return live.Read((market, now) =>
        {
            var known = now - market.Settings.ChargesDelay;
            var rows = !wantsInstances
                ? []
                : market.State.Contracts
                    .Where(contract => contract.AccountId == accountId && contract.CreatedAt < Earlier(known, end) && Earlier(contract.DestroyedAt ?? known, known) > start)
                    .Select(contract => (contract.Id, Row: Row(contract, market, start, end, known)))
                    .OrderBy(row => latestFirst ? -row.Id : row.Id)
                    .ToList();
            var skip = after is { } id ? rows.FindIndex(row => row.Id == id) + 1 : 0;
            var page = rows.Skip(skip).Take(limit).ToList();
            return Reply.Ok(new WireRow
            {
                ["success"] = true,
                ["count"] = page.Count,
                ["total"] = rows.Count,
                ["next_token"] = skip + page.Count < rows.Count ? PageToken.After(page[^1].Id) : null,
                ["results"] = page.Select(row => row.Row).ToArray(),
            });
        });
    }

    private static WireRow Row(Contract contract, RentalMarket market, DateTimeOffset from, DateTimeOffset until, DateTimeOffset known)
    {
        var start = contract.CreatedAt > from ? contract.CreatedAt : from;
        var end = Earlier(Earlier(contract.DestroyedAt ?? known, known), until);
        var bill = Bill.Of(contract, start, end, market.Settings.BillingFactor);
        var hours = contract.GpuIntervals.Sum(interval => interval.Cost(start, end)) / contract.GpuPerHour;
        WireRow Item(string type, string description, decimal amount) => Entry(start, end, type, null, description, amount, new WireRow(), []);
        var items = new List<WireRow>
        {
            Item("gpu", string.Create(CultureInfo.InvariantCulture, $"{hours:0.000} hours at ${contract.GpuPerHour:0.000}/hour"), bill.Gpu),
            Item("disk", string.Create(CultureInfo.InvariantCulture, $"{contract.DiskGb} GB disk"), bill.Disk),
        };
        if (bill.Download > 0)
        {
            items.Add(Item("bwd", "download traffic", bill.Download));
        }

        if (bill.Upload > 0)
        {
            items.Add(Item("bwu", "upload traffic", bill.Upload));
        }

        var metadata = new WireRow();
        if (contract.Label is { } label)
        {
            metadata["label"] = label;
        }

        var days = Math.Max(1, (int)Math.Ceiling((end - start).TotalDays));
        return Entry(
            start, end, "instance", string.Create(CultureInfo.InvariantCulture, $"instance-{contract.Id}"),
            string.Create(CultureInfo.InvariantCulture, $"Instance {contract.Id} Charges - {days} day{(days == 1 ? "" : "s")}"), bill.Total, metadata, items);
    }

    private static WireRow Entry(
        DateTimeOffset start, DateTimeOffset end, string type, string? source, string description, decimal amount, WireRow metadata, IReadOnlyList<WireRow> items) => new()
        {
            ["start"] = start.ToUnixTimeSeconds(),
            ["end"] = end.ToUnixTimeSeconds(),
            ["type"] = type,
            ["source"] = source,
            ["description"] = description,
            ["amount"] = Math.Round(amount, 3, MidpointRounding.ToEven),
            ["metadata"] = metadata,
            ["items"] = items,
        };

    private static string?[] TypesOf(JsonElement filter) => filter.ValueKind == JsonValueKind.String
        ? [filter.GetString()]
        : filter.Field("in") is { ValueKind: JsonValueKind.Array } list ? [.. list.EnumerateArray().Select(type => type.ToString())]
        : filter.Field("eq") is { } one ? [one.ToString()] : [];

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;
}
