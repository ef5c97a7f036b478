using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dashboard.Infrastructure.Providers.VastAi;

/// <summary>
/// How we read the provider's JSON: an optional field of an unexpected type is absent, not an error. Numbers come as strings,
/// strings as numbers and arrays as maps, depending on route and age of the account; one such field must not hide a machine.
/// </summary>
internal static class VastAiJson
{
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.General)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowReadingFromString,
        Converters = { new TolerantDecimal(), new TolerantInt(), new TolerantString(), new TolerantBool() },
    };

    /// <summary>A count that stands beside the rows, as a number or in a string; null for anything else.</summary>
    public static int? Count(JsonElement? value) => value switch
    {
        { ValueKind: JsonValueKind.Number } number when number.TryGetInt32(out var count) => count,
        { ValueKind: JsonValueKind.String } text when int.TryParse(text.GetString(), NumberStyles.None, CultureInfo.InvariantCulture, out var count) => count,
        _ => null,
    };

    private static decimal? ReadDecimal(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Number:
                return reader.TryGetDecimal(out var number) ? number : null;
            case JsonTokenType.String:
                return decimal.TryParse(reader.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var parsed) ? parsed : null;
            case JsonTokenType.True:
                return 1;
            case JsonTokenType.False:
                return 0;
            default:
                reader.Skip();
                return null;
        }
    }

    private sealed class TolerantDecimal : JsonConverter<decimal?>
    {
        public override decimal? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => ReadDecimal(ref reader);

        public override void Write(Utf8JsonWriter writer, decimal? value, JsonSerializerOptions options)
        {
            if (value is { } number)
            {
                writer.WriteNumberValue(number);
            }
            else
            {
                writer.WriteNullValue();
            }
        }
    }

    private sealed class TolerantInt : JsonConverter<int?>
    {
        public override int? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            ReadDecimal(ref reader) is { } number && number is >= int.MinValue and <= int.MaxValue ? (int)number : null;

        public override void Write(Utf8JsonWriter writer, int? value, JsonSerializerOptions options) => throw new NotSupportedException();
    }

    private sealed class TolerantBool : JsonConverter<bool?>
    {
        public override bool? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String && bool.TryParse(reader.GetString(), out var word) ? word : ReadDecimal(ref reader) is { } number ? number != 0 : null;

        public override void Write(Utf8JsonWriter writer, bool? value, JsonSerializerOptions options) => throw new NotSupportedException();
    }

    private sealed class TolerantString : JsonConverter<string>
    {
        public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.String:
                    return reader.GetString();
                case JsonTokenType.Number:
                    using (var number = JsonDocument.ParseValue(ref reader))
                    {
                        // An id that comes as 51880423.0 is still that id.
                        return number.RootElement.TryGetDecimal(out var value) && value == decimal.Truncate(value)
                            ? value.ToString("0", CultureInfo.InvariantCulture)
                            : number.RootElement.GetRawText();
                    }

                default:
                    reader.Skip();
                    return null;
            }
        }

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);
    }
}
