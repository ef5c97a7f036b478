using System.Collections;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Dashboard.Infrastructure.Providers.VastAi;

namespace Dashboard.Infrastructure.Tests.Providers.VastAi;

/// <summary>What we read against what the provider is recorded to send: a contract that drifts away from the recordings fails here.</summary>
public sealed class ContractDriftTests
{
    // Seen in some accounts' rows only.
    private static readonly string[] Optional = ["offers.country_code"];

    private static readonly JsonNode?[] OddValues = [null, "", "text", "12.5", " 7 ", -1, 0, 1e300, true, false, new JsonArray(), new JsonArray(1, "a"), new JsonObject(), new JsonObject { ["a"] = 1 }];

    public static TheoryData<string, string, Type> Contracts => new()
    {
        { "user", "", typeof(WireUser) },
        { "offers", "offers", typeof(WireOffer) },
        { "instances", "instances", typeof(WireInstance) },
        { "instance", "instances", typeof(WireInstance) },
        { "log-requested", "", typeof(WireLogReply) },
        { "charges", "results", typeof(WireCharge) },
        { "charges", "results/items", typeof(WireCharge) },
    };

    [Theory]
    [MemberData(nameof(Contracts))]
    public void Every_field_we_read_is_recorded_and_arrives(string shape, string path, Type contract)
    {
        var row = Recorded.Read(shape, Steps(path));
        var read = row.Deserialize(contract, VastAiJson.Options)!;

        foreach (var (name, value) in Fields(contract).Select(field => (field.Name, field.Property.GetValue(read))))
        {
            if (Optional.Contains($"{shape}.{name}"))
            {
                continue;
            }

            Assert.True(row.TryGetProperty(name, out var sent), $"{shape}: we read {name}, which no answer is known to have.");
            Assert.True(value is not null || sent.ValueKind == JsonValueKind.Null, $"{shape}: {name} is {sent.GetRawText()} and arrives as nothing.");
        }
    }

    [Theory]
    [MemberData(nameof(Contracts))]
    public void No_single_field_of_an_odd_type_hides_a_row(string shape, string path, Type contract)
    {
        foreach (var field in Fields(contract).Where(field => !field.Required && !typeof(IEnumerable).IsAssignableFrom(field.Property.PropertyType) | field.Property.PropertyType == typeof(string)))
        {
            foreach (var odd in OddValues)
            {
                var row = JsonNode.Parse(Recorded.Read(shape, Steps(path)).GetRawText())!.AsObject();
                row[field.Name] = odd?.DeepClone();
                Assert.NotNull(row.Deserialize(contract, VastAiJson.Options));
            }

            var without = JsonNode.Parse(Recorded.Read(shape, Steps(path)).GetRawText())!.AsObject();
            without.Remove(field.Name);
            without["a_field_of_next_year"] = new JsonObject { ["x"] = 1 };
            Assert.NotNull(without.Deserialize(contract, VastAiJson.Options));
        }
    }

    [Fact]
    public void A_recorded_machine_with_all_its_numbers_as_strings_is_the_same_machine()
    {
        var row = JsonNode.Parse(Recorded.Read("instance", "instances").GetRawText())!.AsObject();
        var strings = new JsonObject(row.Select(field => KeyValuePair.Create(field.Key, field.Value is JsonValue value && value.GetValueKind() == JsonValueKind.Number ? JsonValue.Create(value.ToJsonString()) : field.Value?.DeepClone())));
        var at = DateTimeOffset.UnixEpoch;

        var (asNumbers, asStrings) = (Read(row), Read(strings));

        Assert.Equal(asNumbers with { Routes = [] }, asStrings with { Routes = [] });
        Assert.Equal(asNumbers.Routes, asStrings.Routes);

        Domain.Marketplaces.ObservedInstance Read(JsonObject json) => VastAiInstances.Read(json.Deserialize<WireInstance>(VastAiJson.Options)!, at, at);
    }

    [Theory]
    [InlineData("51880423")]
    [InlineData("51880423.0")]
    [InlineData("\"51880423\"")]
    [InlineData("\" 51880423 \"")]
    public void However_an_id_is_written_it_is_the_same_machine(string id) =>
        Assert.Equal("51880423", VastAiInstances.Read(JsonElement.Parse($$"""{"id":{{id}}}""").Deserialize<WireInstance>(VastAiJson.Options)!, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch).ContractId);

    private static string[] Steps(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries);

    private static IEnumerable<(string Name, System.Reflection.PropertyInfo Property, bool Required)> Fields(Type contract) => contract.GetProperties()
        .Where(property => !property.IsDefined(typeof(JsonExtensionDataAttribute), false))
        .Select(property => (JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name), property, property.IsDefined(typeof(System.Runtime.CompilerServices.RequiredMemberAttribute), false)));
}
