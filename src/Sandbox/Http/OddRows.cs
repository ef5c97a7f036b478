using System.Globalization;
using System.Text.Json.Nodes;

namespace Dashboard.Sandbox.Http;

/// <summary>What faults do to a right answer's JSON.</summary>
internal static class OddRows
{
    private static readonly string[] Lists = ["instances", "offers", "results", "invoices"];

    private static readonly HashSet<string> Prices =
    [
        "dph_base", "dph_total", "dph_total_adj", "discounted_dph_total", "discounted_hourly", "min_bid", "vram_costperhour",
        "gpuCostPerHour", "totalHour", "discountedTotalPerHour",
    ];

    /// <summary>Sets fields to null, away, to nothing, or to their text, wherever they stand.</summary>
    public static void Reshape(JsonNode? node, IReadOnlyList<string> fields, FieldShape shape)
    {
        foreach (var (row, name, value) in FieldsOf(node))
        {
            if (!fields.Contains(name) && !(fields.Contains("*") && value is JsonValue number && number.GetValueKind() == System.Text.Json.JsonValueKind.Number))
            {
                continue;
            }

            switch (shape)
            {
                case FieldShape.Null:
                    row[name] = null;
                    break;
                case FieldShape.Missing:
                    row.Remove(name);
                    break;
                case FieldShape.Empty:
                    row[name] = value switch { JsonArray => new JsonArray(), JsonObject => new JsonObject(), _ => JsonValue.Create("") };
                    break;
                case FieldShape.String:
                    row[name] = value is JsonValue ? value.ToString() : value?.ToJsonString();
                    break;
            }
        }
    }

    public static void Reprice(JsonNode? node, decimal factor)
    {
        foreach (var (row, name, value) in FieldsOf(node))
        {
            if (Prices.Contains(name) && value is JsonValue price && price.TryGetValue<decimal>(out var truth))
            {
                row[name] = Math.Round(truth * factor, 6, MidpointRounding.ToEven);
            }
        }
    }

    /// <summary>Ends every list after some rows, as if there were no more.</summary>
    public static void Shorten(JsonNode? answer, int rows)
    {
        foreach (var list in ListsOf(answer))
        {
            while (list.Count > rows)
            {
                list.RemoveAt(list.Count - 1);
            }
        }

        if (answer is JsonObject row && row.ContainsKey("next_token"))
        {
            row["next_token"] = null;
        }
    }

    /// <summary>Takes instances out of a list that are younger than some seconds, and out of its counts.</summary>
    public static void HideYoung(JsonNode? answer, double seconds, DateTimeOffset now)
    {
        if (answer is not JsonObject page || page["instances"] is not JsonArray list)
        {
            return;
        }

        var young = list.Where(row => (double?)row?["start_date"] is { } start && start > now.ToUnix() - seconds).ToList();
        foreach (var row in young)
        {
            list.Remove(row);
        }

        foreach (var count in (string[])["instances_found", "total_instances"])
        {
            if ((int?)page[count] is { } before)
            {
                page[count] = Math.Max(0, before - young.Count);
            }
        }

        foreach (var label in young.Select(row => (string?)row!["label"] ?? ""))
        {
            if (page["label_counts"] is JsonObject counts && (int?)counts[label] is { } before)
            {
                counts[label] = before - 1;
                if (before == 1)
                {
                    counts.Remove(label);
                }
            }
        }
    }

    /// <summary>Takes filters out of a search, however it is sent.</summary>
    public static void DropFilters(JsonNode? query, IReadOnlyList<string> fields)
    {
        foreach (var part in (JsonNode?[])[query, (query as JsonObject)?["q"]])
        {
            foreach (var field in part is JsonObject ? fields : [])
            {
                part!.AsObject().Remove(field);
            }
        }
    }

    private static IEnumerable<JsonArray> ListsOf(JsonNode? answer) => answer switch
    {
        JsonArray bare => [bare],
        JsonObject row => Lists.Select(name => row[name]).OfType<JsonArray>(),
        _ => [],
    };

    private static List<(JsonObject Row, string Name, JsonNode? Value)> FieldsOf(JsonNode? node)
    {
        var found = new List<(JsonObject, string, JsonNode?)>();
        Collect(node);
        return found;

        void Collect(JsonNode? part)
        {
            foreach (var (row, name, value) in part is JsonObject self ? self.Select(field => (self, field.Key, field.Value)) : [])
            {
                found.Add((row, name, value));
                Collect(value);
            }

            foreach (var item in part as JsonArray ?? [])
            {
                Collect(item);
            }
        }
    }
}
