using System.Globalization;
using System.Text.Json;

namespace Dashboard.Sandbox.Http;

/// <summary>Clients send <c>"1"</c>, <c>1.0</c> and <c>true</c> where a number is meant: the official one passes what was typed.</summary>
internal static class Coerce
{
    public static decimal? ToNumber(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.TryGetDecimal(out var number) ? number : null,
        JsonValueKind.String => decimal.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : ToFlag(value) is { } flag ? (flag ? 1 : 0) : null,
        JsonValueKind.True => 1,
        JsonValueKind.False => 0,
        _ => null,
    };

    public static bool? ToFlag(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number => value.TryGetDecimal(out var number) ? number != 0 : null,
        JsonValueKind.String => value.GetString()!.Trim().ToUpperInvariant() switch
        {
            "TRUE" or "1" or "1.0" or "YES" => true,
            "FALSE" or "0" or "0.0" or "NO" => false,
            _ => null,
        },
        _ => null,
    };

    /// <summary>A row's value as a number, when it is one.</summary>
    public static decimal? ToNumber(object? value) => value switch
    {
        decimal number => number,
        int number => number,
        long number => number,
        double number when double.IsFinite(number) && Math.Abs(number) < 1e27 => (decimal)number,
        bool flag => flag ? 1 : 0,
        _ => null,
    };
}
