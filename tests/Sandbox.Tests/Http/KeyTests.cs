using Dashboard.Sandbox.Tests.Harness;

namespace Dashboard.Sandbox.Tests.Http;

[Collection(OnTheSharedSandbox.Name)]
public sealed class KeyTests(SharedSandbox shared)
{
    private readonly SandboxProcess _sandbox = shared.Sandbox;

    [Theory]
    [InlineData("/api/v0/users/current")]
    [InlineData("/api/v1/instances/")]
    [InlineData("/api/v0/charges/")]
    [InlineData("/api/v0/ssh/")]
    public async Task Without_a_key_it_is_403_and_with_a_wrong_one_404(string path)
    {
        var (none, wrong) = (await _sandbox.GetAsync(path, ""), await _sandbox.GetAsync(path, "0000"));

        Assert.Equal((403, "auth_error", "This action requires login."), (none.Status, none.Error, (string?)none.Json["msg"]));
        Assert.Equal((404, "auth_error", "Invalid user key"), (wrong.Status, wrong.Error, (string?)wrong.Json["msg"]));
    }

    [Fact]
    public async Task Anybody_may_search_but_a_wrong_key_is_refused_there_too()
    {
        Assert.Equal(200, (await _sandbox.PostAsync("/api/v0/bundles/", "{}", "")).Status);
        Assert.Equal(404, (await _sandbox.PostAsync("/api/v0/bundles/", "{}", "0000")).Status);
    }

    [Fact]
    public async Task A_key_in_the_address_is_taken_as_older_clients_send_it() =>
        Assert.Equal(200, (await _sandbox.GetAsync("/api/v0/users/current?api_key=" + _sandbox.ApiKey, "")).Status);

    [Fact]
    public async Task Every_path_answers_with_and_without_its_trailing_slash()
    {
        foreach (var path in new[] { "/api/v0/users/current", "/api/v1/instances", "/api/v0/instances/filters", "/api/v0/gpu_names/unique" })
        {
            Assert.Equal(200, (await _sandbox.GetAsync(path)).Status);
            Assert.Equal(200, (await _sandbox.GetAsync(path + "/")).Status);
        }
    }

    [Fact]
    public async Task The_key_of_an_instance_may_show_stop_start_and_destroy_it_and_nothing_else()
    {
        var (mine, other) = (await _sandbox.RentAsync(), await _sandbox.RentAsync());
        var own = $"/api/v0/instances/{mine.Id}/";

        Assert.Equal(mine.Id, (int)(await _sandbox.GetAsync(own, mine.InstanceKey)).Json["instances"]!["id"]!);
        Assert.Equal(200, (await _sandbox.PutAsync(own, """{"state":"stopped"}""", mine.InstanceKey)).Status);
        Assert.Equal(200, (await _sandbox.PutAsync(own, """{"state":"running"}""", mine.InstanceKey)).Status);
        foreach (var refused in new[]
                 {
                     await _sandbox.PutAsync(own, """{"label":"x"}""", mine.InstanceKey),
                     await _sandbox.GetAsync($"/api/v0/instances/{other.Id}/", mine.InstanceKey),
                     await _sandbox.DeleteAsync($"/api/v0/instances/{other.Id}/", mine.InstanceKey),
                     await _sandbox.GetAsync("/api/v1/instances/", mine.InstanceKey),
                     await _sandbox.GetAsync("/api/v0/users/current/", mine.InstanceKey),
                     await _sandbox.PutAsync("/api/v0/asks/1/", "{}", mine.InstanceKey),
                     await _sandbox.PostAsync($"/api/v0/instances/{mine.Id}/ssh/", "{}", mine.InstanceKey),
                     await _sandbox.PutAsync($"/api/v0/instances/request_logs/{mine.Id}/", "{}", mine.InstanceKey),
                 })
        {
            Assert.Equal((403, "auth_error"), (refused.Status, refused.Error));
        }

        Assert.Equal(200, (await _sandbox.DeleteAsync(own, mine.InstanceKey)).Status);
        Assert.Equal((404, "no_such_instance"), await AgainAsync());
        Assert.NotNull(await _sandbox.InstanceAsync(other.Id));
        await _sandbox.DeleteAsync($"/api/v0/instances/{other.Id}/");

        async Task<(int, string?)> AgainAsync()
        {
            var answer = await _sandbox.DeleteAsync(own, mine.InstanceKey);
            return (answer.Status, answer.Error);
        }
    }

    [Fact]
    public async Task Names_that_are_not_loopback_are_refused()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/sandbox/health");
        request.Headers.Host = "evil.example.org";
        using var answer = await _sandbox.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(403, (int)answer.StatusCode);
    }

    [Fact]
    public async Task The_truth_needs_its_token()
    {
        using var answer = await _sandbox.Http.GetAsync(new Uri("/sandbox/control/truth", UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.Equal(403, (int)answer.StatusCode);
    }
}
