using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Dashboard.Sandbox.Tests.Harness;

/// <summary>A sandbox as a client of the provider sees it: calls with its key, and what they answered, as text.</summary>
public static class Sandboxes
{
    private const int Blocks = 29;
    private static int _blocks = RandomNumberGenerator.GetInt32(Blocks);

    /// <summary>What the executable is started with when a test does not say otherwise: no waiting anywhere.</summary>
    public static IReadOnlyList<string> Immediate { get; } = ["--boot-seconds", "0", "--log-delay-seconds", "0"];

    /// <summary>A sandbox of the test's own, on free ports.</summary>
    public static Task<SandboxProcess> StartAsync(IReadOnlyList<string> arguments)
    {
        var (port, instancePorts) = FreeBlock();
        return SandboxProcess.StartAsync(new SandboxSettings { Port = port, InstancePorts = instancePorts, More = arguments }, TestContext.Current.CancellationToken);
    }

    public static Task<Answer> GetAsync(this SandboxProcess sandbox, string path, string? key = null) => sandbox.SendAsync(HttpMethod.Get, path, null, key ?? sandbox.ApiKey);

    public static Task<Answer> PostAsync(this SandboxProcess sandbox, string path, string body, string? key = null) => sandbox.SendAsync(HttpMethod.Post, path, body, key ?? sandbox.ApiKey);

    public static Task<Answer> PutAsync(this SandboxProcess sandbox, string path, string body, string? key = null) => sandbox.SendAsync(HttpMethod.Put, path, body, key ?? sandbox.ApiKey);

    public static Task<Answer> DeleteAsync(this SandboxProcess sandbox, string path, string? key = null) => sandbox.SendAsync(HttpMethod.Delete, path, "{}", key ?? sandbox.ApiKey);

    /// <param name="key">Sent as a bearer token; an empty one is not sent.</param>
    public static async Task<Answer> SendAsync(this SandboxProcess sandbox, HttpMethod method, string path, string? body, string key)
    {
        using var request = new HttpRequestMessage(method, path);
        if (key.Length > 0)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        if (path.StartsWith("/sandbox/control", StringComparison.Ordinal))
        {
            request.Headers.Add("X-Control-Token", sandbox.ControlToken);
        }

        if (body is not null)
        {
            request.Content = new StringContent(body, new MediaTypeHeaderValue("application/json"));
        }

        using var response = await sandbox.Http.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return new Answer((int)response.StatusCode, response.Content.Headers.ContentType?.ToString(), text);
    }

    /// <summary>Its own truth about everything.</summary>
    public static async Task<JsonNode> BooksAsync(this SandboxProcess sandbox) => (await sandbox.GetAsync("/sandbox/control/truth")).Json;

    /// <summary>Its own truth about one instance.</summary>
    public static async Task<JsonNode> TruthAsync(this SandboxProcess sandbox, int id) =>
        (await sandbox.BooksAsync())["instances"]!.AsArray().Single(instance => (int)instance!["id"]! == id)!;

    public static async Task<JsonArray> SearchAsync(this SandboxProcess sandbox, string query) => (await sandbox.PostAsync("/api/v0/bundles/", query)).Json["offers"]!.AsArray();

    /// <summary>Rents the cheapest offer that matches, trying the next when somebody else was faster.</summary>
    public static async Task<Rented> RentAsync(this SandboxProcess sandbox, string search = """{"num_gpus":{"eq":1},"order":[["dph_total","asc"]]}""", string extra = "")
    {
        foreach (var offer in await sandbox.SearchAsync(search))
        {
            var ask = (int)offer!["id"]!;
            var answer = await sandbox.PutAsync($"/api/v0/asks/{ask}/", $$"""{"client_id":"me","image":"debian:12","disk":16,"runtype":"ssh_direct"{{extra}}}""");
            if (answer.Status == 200)
            {
                return new Rented((int)answer.Json["new_contract"]!, ask, (string)answer.Json["instance_api_key"]!);
            }

            Assert.Equal(410, answer.Status);
        }

        throw new InvalidOperationException("No offer could be rented.");
    }

    public static async Task<JsonNode?> InstanceAsync(this SandboxProcess sandbox, int id) => (await sandbox.GetAsync($"/api/v0/instances/{id}/")).Json["instances"];

    public static Task RunsAsync(this SandboxProcess sandbox, int id) =>
        Soon.HoldsAsync(async () => (string?)(await sandbox.InstanceAsync(id))?["actual_status"] == "running", $"instance {id} runs");

    // One port for the API and thirty for instances, out of a range of these tests' own.
    private static (int Port, (int First, int Last) InstancePorts) FreeBlock()
    {
        for (var tried = 0; tried < Blocks; tried++)
        {
            var block = Interlocked.Increment(ref _blocks) % Blocks;
            var (port, first) = (15_000 + block, 15_100 + (block * 30));
            if (Free(port) && Free(first))
            {
                return (port, (first, first + 29));
            }
        }

        throw new InvalidOperationException("No free ports between 15000 and 15999.");
    }

    private static bool Free(int port)
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            probe.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

/// <summary>An answer as it came over the wire.</summary>
public sealed record Answer(int Status, string? ContentType, string Text)
{
    public JsonNode Json => JsonNode.Parse(Text)!;

    public string? Error => (string?)Json["error"];
}

/// <summary>A contract just made.</summary>
public sealed record Rented(int Id, int AskId, string InstanceKey);

/// <summary>One sandbox for all tests that leave it as they found it: without waiting, with credit for all, billing a thousandfold.</summary>
public sealed class SharedSandbox : IAsyncLifetime
{
    public SandboxProcess Sandbox { get; private set; } = null!;

    public async ValueTask InitializeAsync() =>
        Sandbox = await Sandboxes.StartAsync([.. Sandboxes.Immediate, "--credit", "1000000", "--billing-factor", "1000"]);

    public ValueTask DisposeAsync() => Sandbox.DisposeAsync();
}

/// <summary>Tests on the shared sandbox run one after the other: it holds ten instances.</summary>
[CollectionDefinition(Name)]
public sealed class OnTheSharedSandbox : ICollectionFixture<SharedSandbox>
{
    public const string Name = "shared sandbox";
}
