using System.Diagnostics;
using System.Globalization;
using Dashboard.Sandbox.Containers;
using Dashboard.Sandbox.Tests.Harness;

namespace Dashboard.Sandbox.Tests.Containers;

/// <summary>The sandbox outlives itself: what it was killed with is there when it comes back.</summary>
public sealed class RestartTests : IDisposable
{
    private readonly SshLogin _renter = new();

    public void Dispose() => _renter.Dispose();

    [Fact]
    public async Task After_a_kill_the_account_the_bill_and_the_living_instances_are_there_again()
    {
        await using var sandbox = await Sandboxes.StartAsync([.. Sandboxes.Immediate, "--billing-factor", "1000", "--credit", "100000"]);
        await sandbox.PostAsync("/api/v0/ssh/", $$"""{"ssh_key":"{{_renter.PublicKey}}"}""");
        var (rented, port) = await _renter.RentAsync(sandbox, extra: ""","label":"survivor" """);
        var gone = await sandbox.RentAsync();
        await sandbox.DeleteAsync($"/api/v0/instances/{gone.Id}/");
        using (var ssh = await _renter.ConnectAsync(port))
        {
            await ssh.RunAsync("nohup sleep 9876 >/dev/null 2>&1 </dev/null & echo kept > /workspace/mark");
        }

        var (key, goneBill) = (sandbox.ApiKey, (await sandbox.TruthAsync(gone.Id))["bill"]!.ToJsonString());
        await sandbox.KillAsync();
        await sandbox.StartAgainAsync();

        Assert.Equal(key, sandbox.ApiKey);
        Assert.Equal(goneBill, (await sandbox.TruthAsync(gone.Id))["bill"]!.ToJsonString());
        var truth = await sandbox.TruthAsync(rented.Id);
        Assert.Equal(("survivor", "Running"), ((string?)truth["label"], (string?)truth["phase"]));
        Assert.Single(truth["running"]!.AsArray()); // it was never off
        Assert.Single((await sandbox.GetAsync("/api/v0/ssh/")).Json.AsArray());
        using (var ssh = await _renter.ConnectAsync(port))
        {
            Assert.Equal("kept", await ssh.RunAsync("cat /workspace/mark"));
            Assert.Equal("1", await ssh.RunAsync("ps ax | grep -c '[s]leep 9876'"));
        }

        Assert.Equal(410, (await sandbox.PutAsync($"/api/v0/asks/{rented.AskId}/", """{"image":"debian:12","disk":16}""")).Status);
        Assert.Equal(200, (await sandbox.DeleteAsync($"/api/v0/instances/{rented.Id}/", rented.InstanceKey)).Status);
    }

    [Fact]
    public async Task An_orderly_end_is_quick_ends_all_containers_and_the_next_start_brings_them_back_with_their_data()
    {
        await using var sandbox = await Sandboxes.StartAsync(Sandboxes.Immediate);
        var (rented, port) = await _renter.RentAsync(sandbox, "echo x >> /workspace/starts");
        using (var ssh = await _renter.ConnectAsync(port))
        {
            await ssh.RunAsync("echo kept > /workspace/mark");
        }

        var clock = Stopwatch.StartNew();
        Assert.Equal(0, await sandbox.TerminateAsync());
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(2), $"It took {clock.Elapsed}.");
        var container = File.ReadAllText(Path.Combine(sandbox.DataDirectory, "instances", rented.Id.ToString(CultureInfo.InvariantCulture), "process")).Split(' ')[0];
        Assert.False(Directory.Exists("/proc/" + container));

        await sandbox.StartAgainAsync();
        await sandbox.RunsAsync(rented.Id);
        Assert.Equal(2, (await sandbox.TruthAsync(rented.Id))["running"]!.AsArray().Count);
        using (var ssh = await _renter.ConnectAsync(port))
        {
            Assert.Equal("kept", await ssh.RunAsync("cat /workspace/mark"));
            await Soon.HoldsAsync(async () => await ssh.RunAsync("wc -l < /workspace/starts") == "2", "onstart has run again");
        }
    }

    [Fact]
    public async Task A_container_that_died_with_the_sandbox_is_started_again_as_after_a_reboot()
    {
        await using var sandbox = await Sandboxes.StartAsync(Sandboxes.Immediate);
        var (rented, _) = await _renter.RentAsync(sandbox);
        var container = File.ReadAllText(Path.Combine(sandbox.DataDirectory, "instances", rented.Id.ToString(CultureInfo.InvariantCulture), "process")).Split(' ')[0];
        await sandbox.KillAsync();
        using (var kill = Process.Start("/bin/kill", ["-KILL", container]))
        {
            await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        await sandbox.StartAgainAsync();
        await sandbox.RunsAsync(rented.Id);

        Assert.Equal(2, (await sandbox.TruthAsync(rented.Id))["running"]!.AsArray().Count);
    }

    [Fact]
    public async Task A_container_that_ends_by_itself_is_exited_and_costs_no_gpu_any_more()
    {
        await using var sandbox = await Sandboxes.StartAsync(Sandboxes.Immediate);
        var (rented, _) = await _renter.RentAsync(sandbox);
        var container = File.ReadAllText(Path.Combine(sandbox.DataDirectory, "instances", rented.Id.ToString(CultureInfo.InvariantCulture), "process")).Split(' ')[0];
        using (var kill = Process.Start("/bin/kill", ["-KILL", container]))
        {
            await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        await Soon.HoldsAsync(async () => (string?)(await sandbox.InstanceAsync(rented.Id))!["actual_status"] == "exited", "the end is noticed");
        Assert.NotNull((await sandbox.TruthAsync(rented.Id))["running"]![0]!["end"]);
        Assert.Equal("running", (string?)(await sandbox.InstanceAsync(rented.Id))!["intended_status"]);
    }

    [Fact]
    public async Task A_second_sandbox_on_the_same_folder_or_port_refuses_and_says_why()
    {
        await using var sandbox = await Sandboxes.StartAsync(Sandboxes.Immediate);
        var port = sandbox.Port.ToString(CultureInfo.InvariantCulture);

        var (sameFolder, folderReason) = await SandboxProcess.RefusalAsync("--port", port, "--data", sandbox.DataDirectory);
        var (samePort, portReason) = await SandboxProcess.RefusalAsync("--port", port, "--data", sandbox.DataDirectory + "-other");
        Directory.Delete(sandbox.DataDirectory + "-other", recursive: true);

        Assert.Equal((4, $"A sandbox already runs on {sandbox.DataDirectory}."), (sameFolder, folderReason));
        Assert.Equal((4, $"Port {port} is taken; a sandbox may already run there."), (samePort, portReason));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(sandbox.DataDirectory, "account.key")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(sandbox.DataDirectory, "state.json")));
        Assert.Equal(sandbox.ProcessId.ToString(CultureInfo.InvariantCulture), File.ReadAllText(Path.Combine(sandbox.DataDirectory, "sandbox.pid")).Trim());
    }

    [Theory]
    [InlineData("--port", "ninety")]
    [InlineData("--limits", "sometimes")]
    [InlineData("--speed", "0")]
    [InlineData("--spend-limit", "-1")]
    [InlineData("--instance-ports", "42000-42010")]
    [InlineData("--nonsense", "1")]
    public async Task Arguments_that_cannot_be_meant_are_named(string name, string value)
    {
        var (code, reason) = await SandboxProcess.RefusalAsync("--data", "/tmp/never-made", name, value);

        Assert.Equal(64, code);
        Assert.StartsWith(name == "--nonsense" ? "Unknown argument --nonsense." : name, reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_containers_cannot_be_made_it_ends_with_one_sentence()
    {
        var data = Directory.CreateTempSubdirectory("sandbox-tests-").FullName;
        var tools = HostTools.Find(Environment.GetEnvironmentVariable("DASHBOARD_TOOLS")).Tools!;
        var start = new ProcessStartInfo(tools.Bwrap) { RedirectStandardError = true };
        start.Environment["LD_LIBRARY_PATH"] = tools.Libraries(inside: false);
        foreach (var argument in (string[])["--dev-bind", "/", "/", "--unshare-user", "--disable-userns", "--", "dotnet", Path.Combine(AppContext.BaseDirectory, "Dashboard.Sandbox.dll"), "--port", "15090", "--data", data])
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var reason = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Directory.Delete(data, recursive: true);

        Assert.Equal(3, process.ExitCode);
        Assert.StartsWith("The sandbox ", reason, StringComparison.Ordinal);
        Assert.Single(reason.Trim().Split('\n'));
    }
}
