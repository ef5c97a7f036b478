using Dashboard.Sandbox.Tests.Harness;

namespace Dashboard.Sandbox.Tests.Http;

[Collection(OnTheSharedSandbox.Name)]
public sealed class RentTests(SharedSandbox shared)
{
    private readonly SandboxProcess _sandbox = shared.Sandbox;

    [Fact]
    public async Task A_second_rent_of_the_same_ask_finds_it_gone()
    {
        var rented = await _sandbox.RentAsync();

        var again = await _sandbox.PutAsync($"/api/v0/asks/{rented.AskId}/", """{"image":"debian:12","disk":16}""");

        Assert.Equal((410, "no_such_ask"), (again.Status, again.Error));
        Assert.Equal($"error 410/3907: no_such_ask Instance type {rented.AskId} is no longer available.", (string?)again.Json["msg"]);
        await _sandbox.DeleteAsync($"/api/v0/instances/{rented.Id}/");
    }

    [Fact]
    public async Task An_ask_that_never_was_is_not_available()
    {
        var answer = await _sandbox.PutAsync("/api/v0/asks/7/", """{"image":"debian:12","disk":16}""");

        Assert.Equal((404, "invalid_args"), (answer.Status, answer.Error));
        Assert.Equal("error 404/3603: no_such_ask Instance type by id 7 is not available.", (string?)answer.Json["msg"]);
    }

    [Theory]
    [InlineData("""{"disk":16}""", "invalid_args")]
    [InlineData("""{"image":"debian:12","disk":7.9}""", "invalid_args")]
    [InlineData("""{"image":"debian:12","disk":"much"}""", "invalid_args")]
    [InlineData("""{"image":"debian:12","disk":100000000}""", "invalid_args")]
    [InlineData("""{"image":"debian:12","disk":16,"price":0}""", "invalid_price")]
    [InlineData("""{"image":"debian:12","disk":16,"price":0.001}""", "invalid_price")]
    [InlineData("""{"image":"debian:12","disk":16,"label":"LONG"}""", "label_too_long")]
    [InlineData("""{"image":"debian:12","disk":16,"onstart":"LONG4000","args_str":"LONG"}""", "invalid_args")]
    [InlineData("""{"image":"debian:12","disk":16,"env":{"LONG":"1"}}""", "invalid_args")]
    public async Task Bad_arguments_are_refused_and_cost_nothing(string body, string error)
    {
        var ask = (int)(await _sandbox.SearchAsync("""{"limit":1,"order":[["dph_total","desc"]]}"""))[0]!["id"]!;
        var living = (int)(await _sandbox.BooksAsync())["living"]!;

        var answer = await _sandbox.PutAsync(
            $"/api/v0/asks/{ask}/", body.Replace("LONG4000", new string('x', 4000), StringComparison.Ordinal).Replace("LONG", new string('x', 300), StringComparison.Ordinal));

        Assert.Equal((400, error), (answer.Status, answer.Error));
        Assert.Equal(living, (int)(await _sandbox.BooksAsync())["living"]!);
    }

    [Fact]
    public async Task A_label_environment_and_script_come_back_with_the_instance()
    {
        var rented = await _sandbox.RentAsync(extra: ""","label":"my-label","env":{"A":"1","-p 80:80":"1"},"onstart":"true" """);
        var instance = (await _sandbox.InstanceAsync(rented.Id))!;

        Assert.Equal("my-label", (string?)instance["label"]);
        Assert.Equal("true", (string?)instance["onstart"]);
        Assert.Equal("""[["A","1"],["-p 80:80","1"]]""", instance["extra_env"]!.ToJsonString());
        Assert.Equal("ssh_direc ssh_proxy", (string?)instance["image_runtype"]);
        Assert.Equal(1, (int)(await _sandbox.BooksAsync())["rent_calls"]!["my-label"]!);
        await _sandbox.DeleteAsync($"/api/v0/instances/{rented.Id}/");
    }

    [Fact]
    public async Task Ids_are_never_used_again()
    {
        var first = await _sandbox.RentAsync();
        await _sandbox.DeleteAsync($"/api/v0/instances/{first.Id}/");
        var second = await _sandbox.RentAsync();
        await _sandbox.DeleteAsync($"/api/v0/instances/{second.Id}/");

        Assert.True(second.Id > first.Id);
        Assert.NotEqual(second.InstanceKey, first.InstanceKey);
    }

    [Fact]
    public async Task Without_credit_nothing_can_be_rented()
    {
        await using var poor = await Sandboxes.StartAsync([.. Sandboxes.Immediate, "--credit", "0"]);
        var ask = (int)(await poor.SearchAsync("""{"limit":1}"""))[0]!["id"]!;

        var answer = await poor.PutAsync($"/api/v0/asks/{ask}/", """{"image":"debian:12","disk":16}""");

        Assert.Equal((400, "insufficient_credit"), (answer.Status, answer.Error));
        Assert.Equal("Your account lacks credit; see the billing page.", (string?)answer.Json["msg"]);
    }
}
