using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Dashboard.Tests.Shared;

namespace Dashboard.Infrastructure.Tests.Providers.VastAi;

public sealed partial class VastAiAgainstTheSandboxTests
{
    // Told only while it pulls, runs or was asked for in the rent call.
    private static readonly string[] SometimesAbsent = ["ports", "msg"];

    [Fact]
    public async Task Every_answer_of_the_sandbox_has_the_recorded_shape()
    {
        using var http = new HttpClient { BaseAddress = new Uri(Sandbox.BaseUrl), DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", Sandbox.ApiKey) } };
        await AskAsync("user", "GET", "/api/v0/users/current/");
        var offers = await AskAsync("offers", "POST", "/api/v0/bundles/", """{"type":"on-demand","order":[["dph_total","asc"]],"limit":1,"allocated_storage":20}""");
        var rented = await AskAsync("rented", "PUT", $"/api/v0/asks/{offers.GetProperty("offers")[0].GetProperty("id").GetRawText()}/", """{"image":"x","disk":20,"label":"drift","runtype":"ssh_direct","onstart":"true","env":{}}""");
        var one = $"/api/v0/instances/{rented.GetProperty("new_contract").GetRawText()}/";
        await Eventually.HoldsAsync(async () => (await ReadAsync("GET", one)).GetProperty("instances").GetProperty("actual_status").ValueEquals("running"), "it runs", ct: Ct);
        await AskAsync("instance", "GET", one);
        await Eventually.HoldsAsync(async () => (await ReadAsync("GET", "/api/v1/instances/")).GetProperty("instances").GetArrayLength() > 0, "the list shows it", ct: Ct);
        await AskAsync("instances", "GET", "/api/v1/instances/");
        await AskAsync("key-attached", "POST", one + "ssh/", """{"ssh_key":"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5Yl1m9k3d0b3Q0c3RyaW5nZm9ydGVzdHM drift"}""");
        await AskAsync("log-requested", "PUT", one.Replace("instances/", "instances/request_logs/", StringComparison.Ordinal), """{"tail":"5"}""");
        await AskAsync("changed", "PUT", one, """{"state":"stopped"}""");
        await AskAsync("changed", "DELETE", one);
        await AskAsync("instance-gone", "GET", one);
        var day = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var filter = Uri.EscapeDataString($$$"""{"day":{"gte":{{{day - 86_400}}},"lte":{{{day + 86_400}}}},"type":{"in":["instance"]}}""");
        var charges = $"/api/v0/charges/?format=tree&latest_first=false&limit=20&select_filters={filter}";
        await Eventually.HoldsAsync(async () => (await ReadAsync("GET", charges)).GetProperty("results").GetArrayLength() > 0, "it is charged", ct: Ct);
        await AskAsync("charges", "GET", charges);

        async Task<JsonElement> AskAsync(string shape, string method, string address, string? body = null)
        {
            var answer = await ReadAsync(method, address, body);
            Assert.Empty(Differences(shape, JsonElement.Parse(Recorded.Text(shape)), answer));
            return answer;
        }

        async Task<JsonElement> ReadAsync(string method, string address, string? body = null)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), address) { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json") };
            using var response = await http.SendAsync(request, Ct);
            return JsonElement.Parse(await response.Content.ReadAsStringAsync(Ct));
        }
    }

    // What is recorded must be there and of the same kind; an answer may say more, and may say null.
    private static IEnumerable<string> Differences(string at, JsonElement recorded, JsonElement answer)
    {
        if (recorded.ValueKind == JsonValueKind.Null || answer.ValueKind == JsonValueKind.Null)
        {
            yield break;
        }

        if (Kind(recorded) != Kind(answer))
        {
            yield return $"{at} is recorded as {Kind(recorded)} and answered as {Kind(answer)}";
        }
        else if (recorded.ValueKind == JsonValueKind.Array)
        {
            foreach (var difference in recorded.EnumerateArray().Zip(answer.EnumerateArray()).SelectMany(pair => Differences(at + "[]", pair.First, pair.Second)))
            {
                yield return difference;
            }
        }
        else if (recorded.ValueKind == JsonValueKind.Object && !at.EndsWith(".ports", StringComparison.Ordinal) && !at.EndsWith(".label_counts", StringComparison.Ordinal) && !at.EndsWith(".metadata", StringComparison.Ordinal))
        {
            foreach (var field in recorded.EnumerateObject())
            {
                if (!answer.TryGetProperty(field.Name, out var answered))
                {
                    if (!SometimesAbsent.Contains(field.Name))
                    {
                        yield return $"{at}.{field.Name} is missing";
                    }
                }
                else
                {
                    foreach (var difference in Differences($"{at}.{field.Name}", field.Value, answered))
                    {
                        yield return difference;
                    }
                }
            }
        }
    }

    private static string Kind(JsonElement value) => value.ValueKind is JsonValueKind.True or JsonValueKind.False ? "boolean" : value.ValueKind.ToString();
}
