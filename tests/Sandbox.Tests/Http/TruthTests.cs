using Dashboard.Sandbox.Tests.Harness;

namespace Dashboard.Sandbox.Tests.Http;

[Collection(OnTheSharedSandbox.Name)]
public sealed class TruthTests(SharedSandbox shared)
{
    private readonly SandboxProcess _sandbox = shared.Sandbox;

    [Fact]
    public async Task Every_instance_there_ever_was_is_told_with_its_intervals_rates_and_bill()
    {
        var rented = await _sandbox.RentAsync(extra: ""","label":"truth" """);
        await _sandbox.RunsAsync(rented.Id);
        await _sandbox.DeleteAsync($"/api/v0/instances/{rented.Id}/");

        var truth = await _sandbox.TruthAsync(rented.Id);

        Assert.Equal(("truth", "Destroyed", rented.AskId, 314159), ((string?)truth["label"], (string?)truth["phase"], (int)truth["ask_id"]!, (int)truth["account_id"]!));
        var (gpu, disk) = (Assert.Single(truth["running"]!.AsArray())!, Assert.Single(truth["disk_billed"]!.AsArray())!);
        Assert.Equal((double)truth["destroyed"]!, (double)gpu["end"]!);
        Assert.Equal((double)truth["created"]!, (double)disk["start"]!);
        var hours = ((double)gpu["end"]! - (double)gpu["start"]!) / 3600;
        Assert.Equal((double)truth["rates"]!["gpu_per_hour"]! * hours * 1000, (double)truth["bill"]!["gpu"]!, 2);
    }

    [Fact]
    public async Task The_request_log_says_who_asked_what_and_what_was_done_to_it()
    {
        await _sandbox.PostAsync("/sandbox/control/faults", """{"path":"/api/v0/ssh","kind":"status","status":500,"count":1}""");
        var since = (double)(await _sandbox.BooksAsync())["now"]!;
        await _sandbox.GetAsync("/api/v0/ssh/?api_key=" + _sandbox.ApiKey);
        await _sandbox.GetAsync("/api/v0/users/current");
        await _sandbox.DeleteAsync("/sandbox/control/faults");

        var logged = (await _sandbox.GetAsync(FormattableString.Invariant($"/sandbox/control/requests?since={since}"))).Json["requests"]!.AsArray();

        var broken = logged.First(request => (string)request!["path"]! == "/api/v0/ssh/")!;
        Assert.Equal(("GET", 500, "status"), ((string?)broken["method"], (int)broken["status"]!, (string?)Assert.Single(broken["faults"]!.AsArray())));
        var whole = logged.First(request => (string)request!["path"]! == "/api/v0/users/current")!;
        Assert.Equal((200, 1), ((int)whole["status"]!, (int)whole["key_id"]!));
    }

    [Fact]
    public async Task No_secret_is_told()
    {
        var rented = await _sandbox.RentAsync(extra: ""","target_state":"stopped","env":{"HF_TOKEN":"hf_secret"},"onstart":"echo script-secret" """);
        var second = (string)(await _sandbox.PostAsync("/sandbox/control/accounts", """{"name":"quiet"}""")).Json["api_key"]!;
        await _sandbox.GetAsync("/api/v0/users/current?api_key=" + _sandbox.ApiKey, "");

        var truth = (await _sandbox.GetAsync("/sandbox/control/truth")).Text;

        Assert.All([_sandbox.ApiKey, rented.InstanceKey, second, "hf_secret", "script-secret"], secret => Assert.DoesNotContain(secret, truth, StringComparison.Ordinal));
        await _sandbox.DeleteAsync($"/api/v0/instances/{rented.Id}/");
    }
}
