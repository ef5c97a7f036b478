using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using Dashboard.Tests.Shared;

namespace Dashboard.EndToEnd.Harness;

/// <summary>
/// Instances of somebody else in the same account, rented over the provider's own API with another key: most stopped, some loading for
/// ever, which both cost this computer nothing. Some wear labels that look like ours.
/// </summary>
internal sealed class Strangers(IReadOnlyList<string> ids)
{
    private const string Account = "314159";
    private const string LabelLetters = "0123456789abcdefghjkmnpqrstvwxyz";

    public IReadOnlyList<string> Ids => ids;

    /// <param name="installation">Whose labels some of them imitate.</param>
    public static async Task<Strangers> PlantAsync(SandboxProcess sandbox, int count, string installation, CancellationToken ct)
    {
        var key = (await sandbox.ControlAsync(HttpMethod.Post, $"/accounts/{Account}/keys", """{"name":"somebody else"}""", ct)).GetProperty("api_key").GetString();
        using var http = new HttpClient { BaseAddress = new Uri(sandbox.BaseUrl), DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", key) } };
        var rented = new List<string>();
        using var search = await http.PostAsJsonAsync("/api/v0/bundles/", new { num_gpus = new { eq = 1 }, order = new[] { new[] { "dph_total", "desc" } }, limit = 64 }, ct); // dear ones: ours take the cheap ones
        search.EnsureSuccessStatusCode();
        var offers = JsonElement.Parse(await search.Content.ReadAsStringAsync(ct)).GetProperty("offers").EnumerateArray().Select(offer => offer.GetProperty("id").GetInt32()).ToList();
        foreach (var ask in offers)
        {
            if (rented.Count == count)
            {
                break;
            }

            var loading = rented.Count % 4 == 3;
            if (loading)
            {
                await sandbox.SwitchAsync(HttpMethod.Put, "/next-instance/faults/stuck_loading", ct: ct);
            }

            var body = new { client_id = "me", image = "debian:12", disk = 16, label = LabelOf(rented.Count, installation), target_state = loading ? "running" : "stopped" };
            using var answer = await http.PutAsJsonAsync(string.Create(CultureInfo.InvariantCulture, $"/api/v0/asks/{ask}/"), body, ct);
            if (answer.IsSuccessStatusCode)
            {
                rented.Add(JsonElement.Parse(await answer.Content.ReadAsStringAsync(ct)).GetProperty("new_contract").ToString());
            }
        }

        Assert.Equal(count, rented.Count);
        return new Strangers(rented);
    }

    private static string? LabelOf(int index, string installation) => (index % 7) switch
    {
        0 => null,
        1 => "bert-sweep",
        2 => $"gd1-{installation}-{Letters(26)}-{Letters(8)}", // the signature is wrong
        3 => $"gd1-{Letters(8)}-{Letters(26)}-{Letters(8)}", // another dashboard's
        4 => $"GD1-{installation.ToUpperInvariant()}-{Letters(26)}-{Letters(8)}",
        5 => $"gd1-{installation}-{Letters(26)}",
        _ => $"gd1-{installation}-{Letters(26)}-{Letters(8)}-copy",
    };

    private static string Letters(int count) => RandomNumberGenerator.GetString(LabelLetters, count);
}
