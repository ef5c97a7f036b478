using Dashboard.Sandbox.Tests.Harness;

namespace Dashboard.Sandbox.Tests.Http;

/// <summary>The ways in which a rent is refused, in the provider's words. Those for bad arguments and bids are with their own tests.</summary>
[Collection(OnTheSharedSandbox.Name)]
public sealed class RefusalTests(SharedSandbox shared)
{
    private const string Plain = """{"image":"debian:12","disk":16}""";
    private readonly SandboxProcess _sandbox = shared.Sandbox;

    [Fact]
    public async Task Of_two_renters_of_one_ask_one_gets_it()
    {
        var ask = (int)(await _sandbox.QuietOfferAsync())["id"]!;

        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _sandbox.PutAsync($"/api/v0/asks/{ask}/", Plain)));

        var won = Assert.Single(answers, answer => answer.Status == 200);
        Assert.All(answers.Where(answer => answer != won), lost => Assert.Equal((410, "no_such_ask"), (lost.Status, lost.Error)));
        await _sandbox.DeleteAsync($"/api/v0/instances/{won.Json["new_contract"]}/");
    }

    [Fact]
    public async Task An_ask_whose_gpus_a_rival_took_is_gone_under_another_status()
    {
        var ask = (int)(await _sandbox.QuietOfferAsync())["id"]!;
        await _sandbox.PutAsync($"/sandbox/control/asks/{ask}", """{"taken":true}""");

        var answer = await _sandbox.PutAsync($"/api/v0/asks/{ask}/", Plain);

        Assert.Equal((400, "no_such_ask"), (answer.Status, answer.Error));
        Assert.Contains($"no_such_ask Instance type {ask} is no longer available.", (string?)answer.Json["msg"], StringComparison.Ordinal);
        await _sandbox.PutAsync($"/sandbox/control/asks/{ask}", """{"taken":false}""");
    }

    [Fact]
    public async Task A_machine_its_host_keeps_is_not_for_renters()
    {
        var ask = (int)(await _sandbox.QuietOfferAsync())["id"]!;
        await _sandbox.PutAsync($"/sandbox/control/asks/{ask}", """{"hosts_own":true}""");

        var answer = await _sandbox.PutAsync($"/api/v0/asks/{ask}/", Plain);

        Assert.Equal((403, "invalid_args"), (answer.Status, answer.Error));
        Assert.Contains("error 403/3586", (string?)answer.Json["msg"], StringComparison.Ordinal);
        await _sandbox.PutAsync($"/sandbox/control/asks/{ask}", """{"hosts_own":false}""");
    }

    [Fact]
    public async Task An_account_that_spends_too_fast_is_held_back()
    {
        var ask = (int)(await _sandbox.QuietOfferAsync())["id"]!;
        await _sandbox.PutAsync("/sandbox/control/market", """{"spend_limit":0.01}""");

        var answer = await _sandbox.PutAsync($"/api/v0/asks/{ask}/", Plain);
        await _sandbox.PutAsync("/sandbox/control/market", """{"spend_limit":null}""");

        Assert.Equal((400, "spend_rate_limit"), (answer.Status, answer.Error));
        var rented = await _sandbox.PutAsync($"/api/v0/asks/{ask}/", Plain);
        Assert.Equal(200, rented.Status);
        await _sandbox.DeleteAsync($"/api/v0/instances/{rented.Json["new_contract"]}/");
    }

    [Fact]
    public async Task A_virtual_machine_without_a_key_in_the_account_is_refused()
    {
        var ask = (int)(await _sandbox.QuietOfferAsync())["id"]!;

        var answer = await _sandbox.PutAsync($"/api/v0/asks/{ask}/", """{"image":"debian:12","disk":16,"vm":true}""");

        Assert.Equal((400, "no_ssh_key_for_vm"), (answer.Status, answer.Error));
    }

    [Fact]
    public async Task A_price_that_jumped_since_the_quote_is_the_price_of_the_contract()
    {
        var offer = await _sandbox.QuietOfferAsync();
        await _sandbox.PutAsync($"/sandbox/control/asks/{offer["id"]}", """{"price_factor":2}""");

        var rented = await _sandbox.PutAsync($"/api/v0/asks/{offer["id"]}/", Plain);
        await _sandbox.PutAsync($"/sandbox/control/instances/{rented.Json["new_contract"]}/rivals", """{"price_factor":1}""");

        var instance = (await _sandbox.InstanceAsync((int)rented.Json["new_contract"]!))!;
        Assert.Equal((decimal)offer["dph_base"]! * 2, (decimal)instance["dph_base"]!);
        await _sandbox.DeleteAsync($"/api/v0/instances/{rented.Json["new_contract"]}/");
    }
}
