using System.Globalization;
using System.Text.Json.Nodes;
using Dashboard.Sandbox.Tests.Harness;

namespace Dashboard.Sandbox.Tests.Http;

[Collection(OnTheSharedSandbox.Name)]
public sealed class AccountTests(SharedSandbox shared)
{
    private const int FirstAccount = 314159;
    private readonly SandboxProcess _sandbox = shared.Sandbox;

    [Theory]
    [InlineData("deleted", 401, "Invalid user key")]
    [InlineData("session_expired", 404, "Session expired. Please log in again.")]
    [InlineData("two_factor", 401, "This action requires Two Factor Authentication.")]
    public async Task A_key_that_no_longer_counts_is_refused_in_the_words_for_it(string standing, int status, string message)
    {
        var key = await KeyAsync($$"""{"standing":"{{standing}}"}""");

        foreach (var path in new[] { "/api/v0/users/current/", "/api/v1/instances/", "/api/v0/charges/" })
        {
            var answer = await _sandbox.GetAsync(path, key.Secret);
            Assert.Equal((status, "auth_error", message), (answer.Status, answer.Error, (string?)answer.Json["msg"]));
        }

        await _sandbox.PutAsync($"/sandbox/control/keys/{key.Id}", """{"standing":"valid"}""");
        Assert.Equal(200, (await _sandbox.GetAsync("/api/v0/users/current/", key.Secret)).Status);
    }

    [Fact]
    public async Task An_unknown_key_is_404_or_as_documented_401()
    {
        await _sandbox.PutAsync("/sandbox/control/auth", """{"unknown_key":401}""");
        var documented = await _sandbox.GetAsync("/api/v1/instances/", "0000");
        await _sandbox.PutAsync("/sandbox/control/auth", """{"unknown_key":404}""");

        Assert.Equal((401, "auth_error"), (documented.Status, documented.Error));
        Assert.Equal(404, (await _sandbox.GetAsync("/api/v1/instances/", "0000")).Status);
    }

    [Theory]
    [InlineData("misc", "POST", "/api/v0/bundles/")]
    [InlineData("misc", "PUT", "/api/v0/search/asks/")]
    [InlineData("user_read", "GET", "/api/v0/users/current")]
    [InlineData("user_read", "GET", "/api/v0/auth/apikeys/")]
    [InlineData("user_read", "GET", "/api/v0/ssh/")]
    [InlineData("user_write", "POST", "/api/v0/ssh/")]
    [InlineData("user_write", "DELETE", "/api/v0/ssh/99/")]
    [InlineData("user_write", "DELETE", "/api/v0/auth/apikeys/999/")]
    [InlineData("instance_read", "GET", "/api/v1/instances/")]
    [InlineData("instance_read", "GET", "/api/v0/instances/7/")]
    [InlineData("instance_read", "GET", "/api/v0/instances/7/ssh/")]
    [InlineData("instance_read", "PUT", "/api/v0/instances/request_logs/7/")]
    [InlineData("instance_write", "PUT", "/api/v0/asks/7/")]
    [InlineData("instance_write", "PUT", "/api/v0/instances/7/")]
    [InlineData("instance_write", "DELETE", "/api/v0/instances/7/")]
    [InlineData("instance_write", "POST", "/api/v0/instances/7/ssh/")]
    [InlineData("billing_read", "GET", "/api/v0/charges/")]
    [InlineData("billing_read", "GET", "/api/v1/invoices/")]
    [InlineData("billing_read", "GET", "/api/v0/users/me/invoices")]
    [InlineData("machine_read", "GET", "/api/v0/metrics/gpu/current/")]
    public async Task A_route_is_open_to_the_category_it_needs_and_closed_to_all_others(string category, string method, string path)
    {
        string[] all = ["misc", "user_read", "user_write", "instance_read", "instance_write", "billing_read", "machine_read"];
        var (with, without) = (await ScopedAsync([category]), await ScopedAsync([.. all.Except([category])]));

        var (open, closed) = (await CallAsync(with), await CallAsync(without));

        Assert.NotEqual("auth_error", open.Error);
        Assert.Equal((403, "auth_error"), (closed.Status, closed.Error));

        async Task<(int Status, string? Error)> CallAsync(string key)
        {
            var answer = await _sandbox.SendAsync(new HttpMethod(method), path, method == "GET" ? null : "{}", key);
            return (answer.Status, answer.Json is JsonObject row ? (string?)row["error"] : null);
        }
    }

    [Fact]
    public async Task Keys_are_made_shown_once_listed_without_their_secret_and_deleted()
    {
        var made = (await _sandbox.PostAsync("/api/v0/auth/apikeys/", """{"name":"narrow","permissions":{"api":{"misc":{},"user_read":{}}}}""")).Json;
        var (id, secret) = ((int)made["id"]!, (string)made["key"]!);
        var listed = await _sandbox.GetAsync("/api/v0/auth/apikeys/");

        Assert.Contains(listed.Json["apikeys"]!.AsArray(), row => (int)row!["id"]! == id && (int)row["user_id"]! == FirstAccount && ((string)row["rights"]!).Contains("misc", StringComparison.Ordinal));
        Assert.DoesNotContain(secret, listed.Text, StringComparison.Ordinal);
        Assert.Equal(200, (await _sandbox.GetAsync("/api/v0/users/current", secret)).Status);
        Assert.Equal(403, (await _sandbox.GetAsync("/api/v1/instances/", secret)).Status);
        Assert.Equal("\"Successfully Deleted API Key\"", (await _sandbox.DeleteAsync($"/api/v0/auth/apikeys/{id}/")).Text);
        Assert.Equal(401, (await _sandbox.GetAsync("/api/v0/users/current", secret)).Status);
        Assert.Equal(404, (await _sandbox.DeleteAsync($"/api/v0/auth/apikeys/{id}/")).Status);
    }

    [Fact]
    public async Task Permissions_that_cannot_be_honoured_are_refused_instead_of_widened()
    {
        var constrained = await _sandbox.PostAsync("/api/v0/auth/apikeys/", """{"permissions":{"api":{"instance_read":{"constraints":{"id":{"eq":1}}}}}}""");
        var unknown = await _sandbox.PostAsync("/api/v0/auth/apikeys/", """{"permissions":{"api":{"everything":{}}}}""");
        var wider = await _sandbox.PostAsync("/api/v0/auth/apikeys/", """{"name":"wider"}""", await ScopedAsync(["user_write"]));

        Assert.Equal([(400, "invalid_args"), (400, "invalid_args"), (403, "auth_error")], new[] { constrained, unknown, wider }.Select(answer => (answer.Status, answer.Error!)));
    }

    [Fact]
    public async Task Resetting_a_key_makes_a_new_one_and_deletes_the_old()
    {
        var (_, old) = await SecondAsync(1);

        var fresh = (string)(await _sandbox.PutAsync("/api/v0/commands/reset_apikey/", """{"client_id":"me"}""", old)).Json["new_api_key"]!;

        Assert.Equal(401, (await _sandbox.GetAsync("/api/v0/users/current", old)).Status);
        Assert.Equal(200, (await _sandbox.GetAsync("/api/v0/users/current", fresh)).Status);
    }

    [Fact]
    public async Task A_second_account_has_credit_and_instances_of_its_own()
    {
        var (id, key) = await SecondAsync(25);
        Assert.Equal(25m, (decimal)(await _sandbox.GetAsync("/api/v0/users/current", key)).Json["credit"]!);
        Assert.Equal(id, (int)(await _sandbox.GetAsync("/api/v0/users/current", key)).Json["id"]!);

        var mine = await _sandbox.RentAsync(extra: ""","target_state":"stopped" """);
        var theirs = await RentForAsync(key);

        Assert.Equal([theirs], await ListAsync(key));
        Assert.DoesNotContain(theirs, await ListAsync(_sandbox.ApiKey));
        var own = $"/api/v0/instances/{mine.Id}/";
        Assert.Equal("""{"instances":null}""", (await _sandbox.GetAsync(own, key)).Text);
        foreach (var refused in new[]
                 {
                     await _sandbox.DeleteAsync(own, key),
                     await _sandbox.PutAsync(own, """{"state":"running"}""", key),
                     await _sandbox.GetAsync(own + "ssh/", key),
                     await _sandbox.PostAsync(own + "ssh/", """{"ssh_key":"ssh-ed25519 AAAA x"}""", key),
                 })
        {
            Assert.Equal((404, "no_such_instance"), (refused.Status, refused.Error));
        }

        Assert.Equal((404, "invalid_id"), await LogsAsync());
        Assert.DoesNotContain($"instance-{mine.Id}", await ChargesAsync(key), StringComparison.Ordinal);
        Assert.Contains($"instance-{theirs}", await ChargesAsync(key), StringComparison.Ordinal);
        await _sandbox.DeleteAsync(own);
        await _sandbox.DeleteAsync($"/api/v0/instances/{theirs}/", key);

        async Task<(int, string?)> LogsAsync()
        {
            var answer = await _sandbox.PutAsync($"/api/v0/instances/request_logs/{mine.Id}/", "{}", key);
            return (answer.Status, answer.Error);
        }
    }

    [Fact]
    public async Task An_account_that_is_broke_stops_its_own_instances_and_no_others()
    {
        var (id, key) = await SecondAsync(1000);
        var mine = await _sandbox.RentAsync();
        var theirs = await RentForAsync(key);
        await _sandbox.RunsAsync(mine.Id);
        await Soon.HoldsAsync(async () => (string?)(await _sandbox.GetAsync($"/api/v0/instances/{theirs}/", key)).Json["instances"]!["actual_status"] == "running", "theirs runs");

        await _sandbox.PutAsync($"/sandbox/control/accounts/{id}/credit", """{"credit":0}""");

        var stopped = (await _sandbox.GetAsync($"/api/v0/instances/{theirs}/", key)).Json["instances"]!;
        Assert.Equal("stopped", (string?)stopped["intended_status"]);
        Assert.Equal("running", (string?)(await _sandbox.InstanceAsync(mine.Id))!["intended_status"]);
        var ask = (int)(await _sandbox.SearchAsync("""{"limit":1}"""))[0]!["id"]!;
        Assert.Equal("insufficient_credit", (await _sandbox.PutAsync($"/api/v0/asks/{ask}/", """{"image":"debian:12","disk":16}""", key)).Error);
        await _sandbox.DeleteAsync($"/api/v0/instances/{mine.Id}/");
        await _sandbox.DeleteAsync($"/api/v0/instances/{theirs}/", key);
    }

    private async Task<(int Id, string Key)> SecondAsync(decimal credit)
    {
        var made = (await _sandbox.PostAsync("/sandbox/control/accounts", string.Create(CultureInfo.InvariantCulture, $$"""{"name":"second","credit":{{credit}}}"""))).Json;
        return ((int)made["id"]!, (string)made["api_key"]!);
    }

    private async Task<(int Id, string Secret)> KeyAsync(string body)
    {
        var made = (await _sandbox.PostAsync($"/sandbox/control/accounts/{FirstAccount}/keys", body)).Json;
        return ((int)made["id"]!, (string)made["api_key"]!);
    }

    private async Task<string> ScopedAsync(IEnumerable<string> categories) =>
        (await KeyAsync($$"""{"permissions":[{{string.Join(',', categories.Select(category => $"\"{category}\""))}}]}""")).Secret;

    private async Task<int> RentForAsync(string key)
    {
        foreach (var offer in await _sandbox.SearchAsync("""{"num_gpus":{"eq":1},"order":[["dph_total","asc"]]}"""))
        {
            var answer = await _sandbox.PutAsync($"/api/v0/asks/{(int)offer!["id"]!}/", """{"image":"debian:12","disk":16,"runtype":"ssh_direct"}""", key);
            if (answer.Status == 200)
            {
                return (int)answer.Json["new_contract"]!;
            }
        }

        throw new InvalidOperationException("No offer could be rented.");
    }

    private async Task<int[]> ListAsync(string key) => [.. (await _sandbox.GetAsync("/api/v1/instances/", key)).Json["instances"]!.AsArray().Select(row => (int)row!["id"]!)];

    private async Task<string> ChargesAsync(string key) =>
        (await _sandbox.GetAsync("/api/v0/charges/?select_filters=" + Uri.EscapeDataString("""{"day":{"gte":0,"lte":9999999999}}"""), key)).Text;
}
