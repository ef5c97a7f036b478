using System.Globalization;
using Dashboard.Sandbox.Tests.Harness;

namespace Dashboard.Sandbox.Tests.Http;

[Collection(OnTheSharedSandbox.Name)]
public sealed class BidTests(SharedSandbox shared)
{
    private readonly SandboxProcess _sandbox = shared.Sandbox;

    [Fact]
    public async Task An_outbid_instance_looks_like_one_its_renter_stopped_and_comes_back_when_the_bid_is_raised()
    {
        var (id, floor) = await RentByBidAsync();
        await _sandbox.RunsAsync(id);

        await _sandbox.PutAsync($"/sandbox/control/instances/{id}/rivals", $$"""{"rival_bid":{{Text(floor * 2)}}}""");
        Assert.Equal("running", (string?)(await _sandbox.InstanceAsync(id))!["actual_status"]); // the host's report lags
        await Soon.HoldsAsync(async () => (string?)(await _sandbox.InstanceAsync(id))!["actual_status"] == "exited", "the host reports the end");
        var paused = (await _sandbox.InstanceAsync(id))!;
        Assert.Equal(("stopped", "stopped", "stopped"), ((string?)paused["intended_status"], (string?)paused["cur_state"], (string?)paused["next_state"]));
        Assert.Null(paused["ports"]);

        var changed = await _sandbox.PutAsync($"/api/v0/instances/bid_price/{id}/", $$"""{"client_id":"me","price":{{Text(floor * 3)}}}""");
        Assert.Equal("""{"success":true}""", changed.Text);
        await _sandbox.RunsAsync(id);
        var back = (await _sandbox.InstanceAsync(id))!;
        Assert.Equal((floor * 3, true), ((decimal)back["dph_base"]!, (bool)back["is_bid"]!));
        await _sandbox.DeleteAsync($"/api/v0/instances/{id}/");
    }

    [Fact]
    public async Task A_bid_that_loses_is_no_success_and_names_the_instance_it_left()
    {
        var offer = await _sandbox.QuietOfferAsync();
        await _sandbox.PutAsync($"/sandbox/control/asks/{offer["id"]}", """{"rival_bid":100}""");
        var rent = $$"""{"image":"debian:12","disk":16,"price":{{offer["min_bid"]}},"cancel_unavail":CANCEL}""";

        var refused = await _sandbox.PutAsync($"/api/v0/asks/{offer["id"]}/", rent.Replace("CANCEL", "true", StringComparison.Ordinal));
        Assert.Equal((400, false, null), (refused.Status, (bool)refused.Json["success"]!, refused.Json["new_contract"]));

        var left = await _sandbox.PutAsync($"/api/v0/asks/{offer["id"]}/", rent.Replace("CANCEL", "false", StringComparison.Ordinal));
        Assert.Equal((200, false), (left.Status, (bool)left.Json["success"]!));
        var id = (int)left.Json["new_contract"]!;
        var instance = (await _sandbox.InstanceAsync(id))!;
        Assert.Equal(("stopped", "stopped"), ((string?)instance["actual_status"], (string?)instance["intended_status"]));
        Assert.True((decimal)(await _sandbox.TruthAsync(id))["bill"]!["disk"]! > 0);
        Assert.Equal(200, (await _sandbox.DeleteAsync($"/api/v0/instances/{id}/")).Status);
    }

    [Theory]
    [InlineData("0", "invalid_price")]
    [InlineData("32.01", "invalid_price")]
    [InlineData("\"much\"", "invalid_price")]
    [InlineData("0.001", "invalid_price")]
    public async Task Bids_that_cannot_be_are_refused(string price, string error)
    {
        var (id, floor) = await RentByBidAsync();

        var answer = await _sandbox.PutAsync($"/api/v0/instances/bid_price/{id}/", $$"""{"price":{{price}}}""");

        Assert.Equal((400, error), (answer.Status, answer.Error));
        Assert.Equal(floor, (decimal)(await _sandbox.InstanceAsync(id))!["dph_base"]!);
        await _sandbox.DeleteAsync($"/api/v0/instances/{id}/");
    }

    [Fact]
    public async Task No_bid_can_be_changed_where_there_is_none()
    {
        var rented = await _sandbox.RentAsync();

        Assert.Equal("invalid_args", (await _sandbox.PutAsync($"/api/v0/instances/bid_price/{rented.Id}/", """{"price":1}""")).Error);
        await _sandbox.DeleteAsync($"/api/v0/instances/{rented.Id}/");
        Assert.Equal("no_such_instance", (await _sandbox.PutAsync($"/api/v0/instances/bid_price/{rented.Id}/", """{"price":1}""")).Error);
    }

    private static string Text(decimal number) => number.ToString(CultureInfo.InvariantCulture);

    private async Task<(int Id, decimal Floor)> RentByBidAsync()
    {
        var offer = await _sandbox.QuietOfferAsync();
        var floor = (decimal)offer["min_bid"]!;
        var answer = await _sandbox.PutAsync($"/api/v0/asks/{offer["id"]}/", $$"""{"image":"debian:12","disk":16,"runtype":"ssh_direct","price":{{Text(floor)}},"cancel_unavail":true}""");
        Assert.True((bool)answer.Json["success"]!, answer.Text);
        return ((int)answer.Json["new_contract"]!, floor);
    }
}
