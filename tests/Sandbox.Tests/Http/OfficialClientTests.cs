using System.Globalization;
using System.Text.Json.Nodes;
using Dashboard.Sandbox.Tests.Harness;

namespace Dashboard.Sandbox.Tests.Http;

/// <summary>Replays what the official client sends, command by command in the order of a session, and looks for every field it reads.</summary>
public sealed class OfficialClientTests
{
    private const string Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK3q9m0bq1mZ0Q0mJmYb0m0q9m0bq1mZ0Q0mJmYb0m0q replay";

    [Theory]
    [InlineData("vastai-cli-2026-08-06.json")]
    public async Task The_official_client_gets_the_fields_it_reads(string file)
    {
        await using var sandbox = await Sandboxes.StartAsync(Sandboxes.Immediate);
        var fixture = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Fixtures", file), TestContext.Current.CancellationToken))!;
        var (ask, instance, resultUrl, apiKey, bidAsk, bidPrice, bidInstance) = ("", "", "", "", "", "", "");
        string Filled(string text) => text
            .Replace("{ask}", ask, StringComparison.Ordinal)
            .Replace("{instance}", instance, StringComparison.Ordinal)
            .Replace("{bid_ask}", bidAsk, StringComparison.Ordinal)
            .Replace("\"{bid_price}\"", bidPrice, StringComparison.Ordinal)
            .Replace("{bid_instance}", bidInstance, StringComparison.Ordinal)
            .Replace("{result_url}", resultUrl, StringComparison.Ordinal)
            .Replace("{api_key_id}", apiKey, StringComparison.Ordinal)
            .Replace("{key}", Key, StringComparison.Ordinal)
            .Replace("{now}", TimeProvider.System.GetUtcNow().AddDays(1).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);

        void TakeDearest(Answer found)
        {
            var dearest = found.Json["offers"]!.AsArray()[^1]!; // not the machine that the next search finds best
            (bidAsk, bidPrice) = (dearest["id"]!.ToString(), dearest["min_bid"]!.ToString());
        }

        Func<Task>? searchBids = null;
        foreach (var request in fixture["requests"]!.AsArray())
        {
            var command = (string)request!["command"]!;
            Task<Answer> SendAsync() => sandbox.SendAsync(
                new HttpMethod((string)request["method"]!), Filled((string)request["path"]!), request["body"] is { } body ? Filled(body.ToJsonString()) : null,
                (string?)request["key"] == "none" ? "" : sandbox.ApiKey);
            var answer = await SendAsync();
            for (var quicker = 0; answer.Status == 410 && searchBids is not null && quicker < 5; quicker++)
            {
                await searchBids(); // somebody else took it meanwhile
                answer = await SendAsync();
            }

            if (request["until"] is { } until)
            {
                await Soon.HoldsAsync(async () => (answer = await SendAsync()).Status == (int)until, $"{command} answers {until}"); // this client polls it
            }

            Assert.True((int)request["status"]! == answer.Status, $"{command}: {answer.Status} {answer.Text}");
            if (request["type"] is { } type)
            {
                Assert.StartsWith((string)type!, answer.ContentType, StringComparison.Ordinal);
            }
            else
            {
                Assert.Equal("application/json", answer.ContentType); // to the letter: a charset makes this client show nothing
            }

            foreach (var field in request["fields"]!.AsArray())
            {
                Assert.True(Holds(answer.Json, (string)field!), $"{command}: no {field} in {answer.Text}");
            }

            if (command.StartsWith("search offers", StringComparison.Ordinal))
            {
                ask = (string)answer.Json["offers"]![0]!["id"]!.ToString();
            }

            if (answer.ContentType == "application/json" && answer.Json is JsonObject row)
            {
                resultUrl = row["result_url"] is { } url ? new Uri((string)url!).AbsolutePath : resultUrl;
                apiKey = row["key"] is JsonValue ? row["id"]!.ToString() : apiKey;
            }

            if (command.StartsWith("search offers -i", StringComparison.Ordinal))
            {
                TakeDearest(answer);
                searchBids = async () => TakeDearest(await SendAsync());
            }

            if (command.StartsWith("rent by bid", StringComparison.Ordinal))
            {
                bidInstance = answer.Json["new_contract"]!.ToString();
            }

            if (command.StartsWith("create instance", StringComparison.Ordinal))
            {
                instance = answer.Json["new_contract"]!.ToString();
                await sandbox.RunsAsync(int.Parse(instance, CultureInfo.InvariantCulture));
            }
        }
    }

    // "a.0.b" is a path; a question mark after it allows null, which the client then reads as "none".
    private static bool Holds(JsonNode answer, string path)
    {
        JsonNode? node = answer;
        foreach (var step in path.TrimEnd('?').Split('.'))
        {
            switch (node)
            {
                case JsonArray list when int.TryParse(step, CultureInfo.InvariantCulture, out var index) && index < list.Count:
                    node = list[index];
                    break;
                case JsonObject row when row.TryGetPropertyValue(step, out var value):
                    node = value;
                    break;
                default:
                    return false;
            }
        }

        return node is not null || path.EndsWith('?');
    }
}
