using System.Text.Json;

namespace Dashboard.Sandbox.Http;

/// <summary>Filters of the form <c>{"field":{"gte":1,"lt":9}}</c> on wire rows: all operators of all fields must hold.</summary>
internal sealed class RowFilter
{
    private static readonly HashSet<string> Operators = ["eq", "neq", "gt", "gte", "lt", "lte", "in", "notin"];
    private readonly List<Condition> _conditions;

    private RowFilter(List<Condition> conditions) => _conditions = conditions;

    public IEnumerable<string> Fields => _conditions.Select(condition => condition.Field);

    /// <summary>Reads every field whose value is an object of operators; other fields steer the query and are not filters.</summary>
    /// <returns>Null and a sentence when an operator is unknown.</returns>
    public static (RowFilter? Filter, string? Error) Parse(JsonElement query)
    {
        var conditions = new List<Condition>();
        foreach (var field in query.EnumerateObject().Where(field => field.Value.ValueKind == JsonValueKind.Object))
        {
            foreach (var test in field.Value.EnumerateObject())
            {
                if (!Operators.Contains(test.Name))
                {
                    return (null, $"unknown operator {test.Name} for {field.Name}");
                }

                if (test.Name is "in" or "notin" && test.Value.ValueKind != JsonValueKind.Array)
                {
                    return (null, $"{test.Name} for {field.Name} needs a list");
                }

                conditions.Add(new Condition(field.Name, test.Name, test.Value));
            }
        }

        return (new RowFilter(conditions), null);
    }

    /// <param name="value">What a row holds in a field; several values mean that any of them may match (a place by its text or by its country code).</param>
    public bool Matches(Func<string, object?[]> value) => _conditions.All(condition => condition.Holds(value(condition.Field)));

    private sealed record Condition(string Field, string Operator, JsonElement Wanted)
    {
        public bool Holds(object?[] values) => Operator switch
        {
            "eq" => values.Any(value => Equal(value, Wanted)),
            "neq" => !values.Any(value => Equal(value, Wanted)),
            "in" => values.Any(value => Wanted.EnumerateArray().Any(wanted => Equal(value, wanted))),
            "notin" => !values.Any(value => Wanted.EnumerateArray().Any(wanted => Equal(value, wanted))),
            "gt" => values.Any(value => Compare(value) > 0),
            "gte" => values.Any(value => Compare(value) >= 0),
            "lt" => values.Any(value => Compare(value) < 0),
            "lte" => values.Any(value => Compare(value) <= 0),
            _ => throw new InvalidOperationException($"Operator {Operator} got past the parser."),
        };

        private static bool Equal(object? value, JsonElement wanted) => value switch
        {
            null => wanted.ValueKind == JsonValueKind.Null,
            string text => wanted.ValueKind == JsonValueKind.String && Same(text, wanted.GetString()!),
            bool flag => Coerce.ToFlag(wanted) == flag,
            _ => Coerce.ToNumber(value) is { } number && Coerce.ToNumber(wanted) == number,
        };

        // Guides write GPU names with underscores, rows carry blanks.
        private static bool Same(string text, string wanted) =>
            string.Equals(text, wanted, StringComparison.OrdinalIgnoreCase) || string.Equals(text, wanted.Replace('_', ' '), StringComparison.OrdinalIgnoreCase);

        private int? Compare(object? value) => value switch
        {
            string text => Wanted.ValueKind == JsonValueKind.String ? string.CompareOrdinal(text, Wanted.GetString()) : null,
            _ => Coerce.ToNumber(value) is { } number && Coerce.ToNumber(Wanted) is { } wanted ? number.CompareTo(wanted) : null,
        };
    }
}

/// <summary>Order by wire fields; rows without a value come last, whichever the direction.</summary>
internal sealed class RowOrder : IComparer<WireRow>
{
    private readonly List<(string Field, bool Descending)> _keys = [];

    public RowOrder By(string field, bool descending)
    {
        _keys.Add((field, descending));
        return this;
    }

    public int Compare(WireRow? x, WireRow? y)
    {
        foreach (var (field, descending) in _keys)
        {
            var (left, right) = (x!.GetValueOrDefault(field), y!.GetValueOrDefault(field));
            var order = (left, right) switch
            {
                (null, null) => 0,
                (null, _) => 1,
                (_, null) => -1,
                (string one, string other) => Turn(string.CompareOrdinal(one, other), descending),
                _ => Turn(Nullable.Compare(Coerce.ToNumber(left), Coerce.ToNumber(right)), descending),
            };
            if (order != 0)
            {
                return order;
            }
        }

        return 0;
    }

    private static int Turn(int order, bool descending) => descending ? -order : order;
}
