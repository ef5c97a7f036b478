using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Dashboard.Domain;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Logs;
using Dashboard.Web.Tests.Startup;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Api;

[Collection(OneServerAtATime.Name)]
public sealed class ApiTests : IAsyncLifetime
{
    private const string Key = "canary-9f2c1d7e-vast-key-41ab";
    private KeyDesk _provider = null!;
    private RunningDashboard _dashboard = null!;
    private HttpClient _api = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _provider = await KeyDesk.OpenAsync();
        _provider.Knows(Key);
        _dashboard = await RunningDashboard.OwnedAsync(("Providers:VastAi:BaseUrl", _provider.Address));
        _api = _dashboard.Api();
    }

    public async ValueTask DisposeAsync()
    {
        _api.Dispose();
        await _dashboard.DisposeAsync();
        await _provider.DisposeAsync();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("wrong-token-wrong-token-wrong-token")]
    public async Task Without_a_valid_token_nothing_is_answered(string? token)
    {
        using var stranger = _dashboard.Api(token);
        foreach (var address in new[] { "connections", "offers", "jobs", "jobs/1", "jobs/1/log", "jobs/1/files", "machines", "ledger", "ledger.csv" })
        {
            using var answer = await stranger.GetAsync(At(address), Ct);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        }
    }

    [Fact]
    public async Task A_session_cookie_is_no_token()
    {
        using var browser = await _dashboard.SignedInAsync();
        using var answer = await browser.GetAsync(At("jobs"), Ct);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task The_same_idempotency_key_submits_once()
    {
        await ConnectAsync();

        var first = await SubmitAsync("night run", "key-1");
        var again = await SubmitAsync("night run", "key-1");
        var other = await SubmitAsync("night run", "key-2");

        Assert.Equal(first, again);
        Assert.NotEqual(first, other);
        Assert.Equal(2, (await _api.GetFromJsonAsync<JsonElement>(At("jobs"), Ct)).GetArrayLength());
    }

    [Fact]
    public async Task A_refused_field_is_named_as_the_caller_wrote_it_in_the_pages_words()
    {
        await ConnectAsync();

        using var answer = await _api.PostAsJsonAsync(At("jobs"), new { name = "", limits = new { maxAttempts = 99 } }, Ct);
        var errors = (await answer.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("errors");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("Give the job a name, so that others recognise it.", errors.GetProperty("name")[0].GetString());
        Assert.Equal("Try 1 to 20 machines.", errors.GetProperty("limits.maxAttempts")[0].GetString());
    }

    [Theory]
    [InlineData("{nope")]
    [InlineData("""{"provider": "Nobody", "key": "x"}""")]
    [InlineData("")]
    public async Task A_body_that_cannot_be_read_is_a_problem_and_not_a_fault(string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await _api.PostAsync(At("connections"), content, Ct).WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System, Ct);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
    }

    [Theory]
    [InlineData("GET", "nothing-here", HttpStatusCode.NotFound)]
    [InlineData("GET", "jobs/4711", HttpStatusCode.NotFound)]
    [InlineData("DELETE", "jobs", HttpStatusCode.MethodNotAllowed)]
    public async Task Every_refusal_is_a_problem_document(string method, string address, HttpStatusCode status)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), At(address));
        using var answer = await _api.SendAsync(request, Ct);

        Assert.Equal(status, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task The_log_is_read_on_from_a_byte_offset()
    {
        await ConnectAsync();
        var job = await PausedJobAsync();
        var logs = _dashboard.App.Services.GetRequiredService<LogStore>();
        await logs.AppendAsync(job.Id, 1, 0, Encoding.UTF8.GetBytes("step 1\nstep 2\n"), Ct);

        using var answer = await _api.GetAsync(At($"jobs/{job.Number}/log?offset=7&attempt=1"), Ct);

        Assert.Equal("step 2\n", await answer.Content.ReadAsStringAsync(Ct));
        Assert.Equal("14", Assert.Single(answer.Headers.GetValues("X-Log-Length")));
    }

    [Theory]
    [InlineData("files/adapter%2F..%2F..%2F..%2Fkeys")]
    [InlineData("files/../../../dashboard.db")]
    [InlineData("files/adapter/never-came-home.bin")]
    public async Task Only_files_that_came_home_can_be_fetched(string address)
    {
        await ConnectAsync();
        var job = await PausedJobAsync();

        using var answer = await _api.GetAsync(At($"jobs/{job.Number}/{address}"), Ct);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task A_token_s_person_who_left_the_team_reaches_nothing()
    {
        await using (var db = await _dashboard.Database.ForSystemAsync(Ct))
        {
            await db.Memberships.ExecuteDeleteAsync(Ct);
        }

        using var answer = await _api.GetAsync(At("jobs"), Ct);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Fact]
    public async Task A_token_acts_with_the_role_its_person_has_now()
    {
        await using (var db = await _dashboard.Database.ForSystemAsync(Ct))
        {
            await db.Memberships.ExecuteUpdateAsync(set => set.SetProperty(m => m.Role, Role.Viewer), Ct);
        }

        using var ledger = await _api.GetAsync(At("ledger"), Ct);
        Assert.Equal(HttpStatusCode.Forbidden, ledger.StatusCode);
        using var file = await _api.GetAsync(At("ledger.csv"), Ct);
        Assert.Equal(HttpStatusCode.Forbidden, file.StatusCode);
        using var jobs = await _api.GetAsync(At("jobs"), Ct);
        Assert.Equal(HttpStatusCode.OK, jobs.StatusCode);
    }

    [Fact]
    public async Task A_provider_key_is_in_no_answer_and_in_no_file()
    {
        var said = new StringBuilder(await ConnectAsync());
        said.Append(await _api.GetStringAsync(At("connections"), Ct));
        using var browser = await _dashboard.SignedInAsync();
        said.Append(await browser.GetStringAsync(new Uri($"/t/{RunningDashboard.Slug}/connections", UriKind.Relative), Ct));

        Assert.DoesNotContain(Key, said.ToString(), StringComparison.Ordinal);
        var canary = Encoding.UTF8.GetBytes(Key);
        var wide = Encoding.Unicode.GetBytes(Key);
        var files = Directory.GetFiles(_dashboard.Data, "*", SearchOption.AllDirectories).Where(f => !f.EndsWith(".lock", StringComparison.Ordinal)).ToList();
        Assert.Contains(files, f => f.EndsWith("dashboard.db", StringComparison.Ordinal));
        Assert.All(files, file =>
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            Assert.True(bytes.AsSpan().IndexOf(canary) < 0 && bytes.AsSpan().IndexOf(wide) < 0, $"{file} holds the key.");
        });
    }

    [Fact]
    public async Task The_api_describes_itself()
    {
        using var stranger = _dashboard.Api(token: null);
        var paths = (await stranger.GetFromJsonAsync<JsonElement>(new Uri("/openapi/v1.json", UriKind.Relative), Ct)).GetProperty("paths");

        foreach (var path in new[] { "connections", "offers", "jobs", "jobs/{number}", "jobs/{number}/cancel", "jobs/{number}/keep", "jobs/{number}/start", "jobs/{number}/approve", "jobs/{number}/decline", "jobs/{number}/log", "jobs/{number}/files", "jobs/{number}/files/{path}", "machines", "ledger", "ledger.csv" })
        {
            Assert.True(paths.TryGetProperty($"/api/v1/{path}", out _), path);
        }
    }

    [Fact]
    public async Task A_job_can_wait_for_a_price_and_says_what_it_waits_for()
    {
        await ConnectAsync();
        using var answer = await _api.PostAsJsonAsync(At("jobs"), new { name = "waits", order = new { limitMicrosPerHour = 90_000, goodForSeconds = 3_600, then = "TakeBest" } }, Ct);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        var submitted = await answer.Content.ReadFromJsonAsync<JsonElement>(Ct);
        var job = await _api.GetFromJsonAsync<JsonElement>(At($"jobs/{submitted.GetProperty("number")}"), Ct);
        foreach (var order in new[] { submitted.GetProperty("order"), job.GetProperty("order") })
        {
            Assert.Equal((90_000, "TakeBest"), (order.GetProperty("limitMicrosPerHour").GetInt64(), order.GetProperty("then").GetString()));
            Assert.Equal(JsonValueKind.Null, order.GetProperty("firedAt").ValueKind);
        }

        using var refused = await _api.PostAsJsonAsync(At("jobs"), new { name = "waits", order = new { limitMicrosPerHour = 90_000, until = "2020-01-01T00:00:00Z" } }, Ct);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Contains("order.until", await refused.Content.ReadAsStringAsync(Ct), StringComparison.OrdinalIgnoreCase);
    }

    private static Uri At(string address) => new($"/api/v1/{address}", UriKind.Relative);

    private async Task<string> ConnectAsync()
    {
        using var answer = await _api.PostAsJsonAsync(At("connections"), new { provider = "VastAi", key = Key }, Ct);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(Ct);
    }

    private async Task<int> SubmitAsync(string name, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, At("jobs")) { Content = JsonContent.Create(new { name }) };
        request.Headers.Add("Idempotency-Key", key);
        using var answer = await _api.SendAsync(request, Ct);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("number").GetInt32();
    }

    // Paused: the reconciler leaves it alone.
    private async Task<Job> PausedJobAsync()
    {
        await using var db = await _dashboard.Database.ForSystemAsync(Ct);
        var team = await db.Teams.SingleAsync(Ct);
        var job = new TeamSeed(db, team, Guid.NewGuid(), team.CreatedAt).Job(await db.Connections.SingleAsync(Ct), "paused", JobStatus.Paused);
        await db.SaveChangesAsync(Ct);
        return job;
    }
}
