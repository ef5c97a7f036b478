using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Dashboard.Tests.Shared;

namespace Dashboard.EndToEnd.Harness;

/// <summary>The REST API as a script uses it.</summary>
internal sealed class Api : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(6);
    private static readonly HashSet<string> Final = ["Succeeded", "Failed", "Cancelled"];
    private readonly HttpClient _http;

    public Api(World world)
        : this(world.Server, world.Token)
    {
    }

    public Api(ServerProcess server, string token) => _http = new HttpClient
    {
        BaseAddress = new Uri(server.BaseUrl + "/api/v1/"),
        Timeout = TimeSpan.FromSeconds(30),
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token) },
    };

    public void Dispose() => _http.Dispose();

    /// <summary>The team's connection to the sandbox, once it is there.</summary>
    public async Task<string> SandboxConnectionAsync(CancellationToken ct)
    {
        string? id = null;
        await Eventually.HoldsAsync(
            async () => (id = (await GetAsync("connections", ct)).EnumerateArray().Where(c => c.GetProperty("simulated").GetBoolean()).Select(c => c.GetProperty("id").GetString()).FirstOrDefault()) is not null,
            "the sandbox is connected",
            ct: ct);
        return id!;
    }

    /// <summary>Submits a smoke test of small batches and returns its number.</summary>
    /// <param name="pace">Seconds that it rests after each step. A run that only has to last needs no processor, which the servers and browsers here share with it.</param>
    /// <param name="once">Idempotency key for a caller that may have to ask again.</param>
    public Task<int> SubmitSmokeAsync(string connection, string name, int steps, CancellationToken ct, double pace = 0.04, string? once = null) =>
        SubmitAsync(connection, name, new { v = 1, preset = "smoke", train = new { max_steps = steps, warmup_steps = 20, batch = 8, lr = 0.01 }, pace_s = pace }, once, ct);

    /// <summary>Submits a script of our own and returns the job's number.</summary>
    /// <param name="once">Idempotency key for a caller that may have to ask again.</param>
    public Task<int> SubmitScriptAsync(string connection, string name, string script, string[] collect, CancellationToken ct, string? once = null) =>
        SubmitAsync(connection, name, new { v = 1, preset = "command", backend = "command", command = new { script, collect } }, once, ct);

    public async Task<JsonElement> JobAsync(int number, CancellationToken ct) => await GetAsync($"jobs/{number}", ct);

    public async Task<string> StatusAsync(int number, CancellationToken ct) => (await JobAsync(number, ct)).GetProperty("status").GetString()!;

    /// <summary>Stops the job. False: it had ended, or only its destruction was left.</summary>
    public async Task<bool> CancelAsync(int number, string mode, CancellationToken ct)
    {
        using var answer = await _http.PostAsJsonAsync($"jobs/{number}/cancel", new { mode }, ct);
        if (answer.StatusCode == HttpStatusCode.Conflict)
        {
            return false;
        }

        answer.EnsureSuccessStatusCode();
        return true;
    }

    public async Task<IReadOnlyList<(string Path, string Sha256)>> FilesAsync(int number, CancellationToken ct) =>
        [.. (await GetAsync($"jobs/{number}/files", ct)).EnumerateArray().Select(file => (file.GetProperty("path").GetString()!, file.GetProperty("sha256").GetString()!))];

    public Task<byte[]> DownloadAsync(int number, string path, CancellationToken ct) => _http.GetByteArrayAsync($"jobs/{number}/files/{path}", ct);

    /// <summary>Waits until the job has this status.</summary>
    public Task ReachesAsync(int number, string status, CancellationToken ct) => Eventually.HoldsAsync(
        async () =>
        {
            var job = await JobAsync(number, ct);
            var now = job.GetProperty("status").GetString()!;
            return now == status || (Final.Contains(now) ? throw new InvalidOperationException($"Job #{number} ended {now}: {job}") : false);
        },
        $"job #{number} is {status}",
        Patience,
        ct);

    /// <summary>Waits until the job has ended and returns how.</summary>
    public async Task<string> EndsAsync(int number, CancellationToken ct)
    {
        var status = "";
        await Eventually.HoldsAsync(async () => Final.Contains(status = await StatusAsync(number, ct)), $"job #{number} has ended", Patience, ct);
        return status;
    }

    /// <summary>Repeats what fails only because the server is away: for long, where it is killed again as soon as it has come back.</summary>
    public static async Task<T> OnceServedAsync<T>(Func<Task<T>> call, CancellationToken ct)
    {
        T answer = default!;
        await Eventually.HoldsAsync(
            async () =>
            {
                try
                {
                    answer = await call();
                    return true;
                }
                catch (Exception error) when (error is HttpRequestException or TaskCanceledException && !ct.IsCancellationRequested)
                {
                    return false;
                }
            },
            "the server answers again",
            TimeSpan.FromMinutes(20),
            ct);
        return answer;
    }

    private async Task<int> SubmitAsync(string connection, string name, object spec, string? once, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "jobs") { Content = JsonContent.Create(new { name, connection, spec }) };
        request.Headers.Add("Idempotency-Key", once ?? Guid.NewGuid().ToString("N"));
        using var answer = await _http.SendAsync(request, ct);
        var body = await answer.Content.ReadAsStringAsync(ct);
        if (once is not null && answer.StatusCode == HttpStatusCode.ServiceUnavailable)
        {
            throw new HttpRequestException(body); // the market gave no answer; for the caller to ask again
        }

        Assert.True(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode}: {body}");
        return JsonElement.Parse(body).GetProperty("number").GetInt32();
    }

    private async Task<JsonElement> GetAsync(string path, CancellationToken ct) => JsonElement.Parse(await _http.GetStringAsync(path, ct));
}
