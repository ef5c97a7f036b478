using Dashboard.Sandbox.Http;
using Dashboard.Sandbox.Tests.Harness;
using Microsoft.Extensions.Time.Testing;

namespace Dashboard.Sandbox.Tests.Http;

public sealed class LimitTests
{
    private const string Threshold = "API requests too frequent: endpoint threshold=";
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 2, 23, 50, 0, TimeSpan.Zero));
    private readonly Limits _limits;

    public LimitTests() => _limits = new Limits(_time);

    [Theory]
    [InlineData("PUT", "/api/v0/asks/7/", 4.5, "4.5")]
    [InlineData("GET", "/api/v1/instances", 1, "1.0")]
    [InlineData("GET", "/api/v0/instances/7/", 2, "2.0")]
    [InlineData("PUT", "/api/v0/instances/7/", 1, "1.0")]
    [InlineData("PUT", "/api/v0/instances/bid_price/7/", 5.5, "5.5")]
    [InlineData("DELETE", "/api/v0/instances/7/", 3, "3.0")]
    [InlineData("PUT", "/api/v0/instances/command/7/", 1.5, "1.5")]
    [InlineData("POST", "/api/v0/ssh/", 1, "1.0")]
    [InlineData("DELETE", "/api/v0/instances/7/ssh/3/", 2, "2.0")]
    [InlineData("PUT", "/api/v0/commands/copy_direct/", 3.5, "3.5")]
    [InlineData("GET", "/api/v1/invoices/", 3, "3.0")]
    [InlineData("GET", "/api/v0/metrics/gpu/history/", 3, "3.0")]
    public void A_route_passes_again_after_its_published_interval(string method, string path, double seconds, string told)
    {
        Assert.Null(Ask(method, path));
        _time.Advance(TimeSpan.FromSeconds(seconds - 0.1));
        if (method == "PUT" && path.StartsWith("/api/v0/asks", StringComparison.Ordinal))
        {
            return; // a refused rent is punished; its own specification follows
        }

        Assert.Equal(Threshold + told, Ask(method, path));
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Null(Ask(method, path));
    }

    [Fact]
    public void A_rent_that_comes_too_early_waits_twelve_seconds()
    {
        Assert.Null(Ask("PUT", "/api/v0/asks/7/"));
        Assert.Equal(Threshold + "4.5", Ask("PUT", "/api/v0/asks/8/"));
        _time.Advance(TimeSpan.FromSeconds(11.9));
        Assert.NotNull(Ask("PUT", "/api/v0/asks/9/"));
        _time.Advance(TimeSpan.FromSeconds(12));
        Assert.Null(Ask("PUT", "/api/v0/asks/9/"));
    }

    [Fact]
    public void Each_key_has_intervals_of_its_own_and_each_endpoint_too()
    {
        Assert.Null(Ask("GET", "/api/v1/instances/", key: "one"));
        Assert.Null(Ask("GET", "/api/v1/instances/", key: "other"));
        Assert.Null(Ask("GET", "/api/v0/instances/1/", key: "one"));
        Assert.NotNull(Ask("GET", "/api/v0/instances/2/", key: "one")); // by endpoint, not by id
    }

    [Fact]
    public void Ten_searches_a_minute_pass_from_one_address_whatever_their_keys()
    {
        for (var search = 0; search < 10; search++)
        {
            Assert.Null(Ask("POST", "/api/v0/bundles/", key: $"key {search}"));
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal("API requests too frequent", Ask("PUT", "/api/v0/search/asks/", key: "another"));
        Assert.Null(Ask("POST", "/api/v0/bundles/", address: "127.0.0.2"));
        _time.Advance(TimeSpan.FromSeconds(50));
        Assert.Null(Ask("POST", "/api/v0/bundles/"));
    }

    [Fact]
    public void Harsh_limits_are_three_times_as_long_and_start_over_at_every_early_call()
    {
        Assert.Null(Ask("GET", "/api/v1/instances/", LimitMode.Harsh));
        _time.Advance(TimeSpan.FromSeconds(2.9));
        Assert.Equal(Threshold + "3.0", Ask("GET", "/api/v1/instances/", LimitMode.Harsh));
        _time.Advance(TimeSpan.FromSeconds(2.9));
        Assert.NotNull(Ask("GET", "/api/v1/instances/", LimitMode.Harsh));
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Null(Ask("GET", "/api/v1/instances/", LimitMode.Harsh));
    }

    [Fact]
    public void Rows_are_counted_by_caller_until_midnight_utc()
    {
        _limits.CountRows("one", 60);
        Assert.Null(_limits.RowsSpent("one", 100));
        _limits.CountRows("one", 64);

        Assert.Equal(600, _limits.RowsSpent("one", 100));
        Assert.Null(_limits.RowsSpent("other", 100));
        _time.Advance(TimeSpan.FromMinutes(10));
        Assert.Null(_limits.RowsSpent("one", 100));
    }

    private string? Ask(string method, string path, LimitMode mode = LimitMode.Real, string key = "key", string address = "127.0.0.1") =>
        _limits.Refusal(mode, method, path, key, address);
}

[Collection(OnTheSharedSandbox.Name)]
public sealed class LimitSwitchTests(SharedSandbox shared) : IAsyncDisposable
{
    private readonly SandboxProcess _sandbox = shared.Sandbox;

    public async ValueTask DisposeAsync() => await _sandbox.PutAsync("/sandbox/control/limits", """{"mode":"off"}""");

    [Fact]
    public async Task Limits_are_off_until_they_are_switched_on_and_then_refuse_in_plain_text_without_a_time_to_come_back()
    {
        Assert.Equal("""{"mode":"off","rows_a_day":null}""", (await _sandbox.GetAsync("/sandbox/control/limits")).Text);
        Assert.Equal("""{"mode":"real","rows_a_day":20000}""", (await _sandbox.PutAsync("/sandbox/control/limits", """{"mode":"real"}""")).Text);

        Assert.Equal(200, (await _sandbox.GetAsync("/api/v1/invoices/")).Status);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/invoices/") { Headers = { { "Authorization", "Bearer " + _sandbox.ApiKey } } };
        using var refusal = await _sandbox.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal((429, "text/plain"), ((int)refusal.StatusCode, refusal.Content.Headers.ContentType?.ToString()));
        Assert.Equal("API requests too frequent: endpoint threshold=3.0", await refusal.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Null(refusal.Headers.RetryAfter);
    }

    [Fact]
    public async Task Once_the_rows_of_a_day_are_spent_searches_say_when_to_come_back()
    {
        await _sandbox.PutAsync("/sandbox/control/limits", """{"rows_a_day":5}""");

        Assert.Equal(6, (await _sandbox.SearchAsync("""{"limit":6}""")).Count);
        var spent = await _sandbox.PostAsync("/api/v0/bundles/", """{"limit":1}""");

        Assert.Equal((429, "search_quota_exceeded", 5, 0), (spent.Status, spent.Error, (int)spent.Json["limit"]!, (int)spent.Json["remaining"]!));
        Assert.InRange((long)spent.Json["retry_after"]!, 1, 86_400);
        Assert.Equal(200, (await _sandbox.PostAsync("/api/v0/bundles/", """{"limit":1}""", "")).Status); // another caller has rows of its own
    }

    [Theory]
    [InlineData("""{"mode":"soft"}""")]
    [InlineData("""{"modus":"real"}""")]
    [InlineData("""{"rows_a_day":"many"}""")]
    public async Task A_misspelt_switch_is_refused(string body) =>
        Assert.Equal((400, "invalid_switch"), await RefusalAsync(body));

    private async Task<(int, string?)> RefusalAsync(string body)
    {
        var answer = await _sandbox.PutAsync("/sandbox/control/limits", body);
        return (answer.Status, answer.Error);
    }
}
