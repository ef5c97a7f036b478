using System.Net.Sockets;
using Dashboard.Sandbox.Tests.Harness;
using Renci.SshNet;

namespace Dashboard.Sandbox.Tests.Containers;

/// <summary>Faults as a client on the wire meets them.</summary>
[Collection(OnTheSharedSandbox.Name)]
public sealed class FaultTests(SharedSandbox shared) : IDisposable
{
    private readonly SandboxProcess _sandbox = shared.Sandbox;
    private readonly SshLogin _renter = new();

    public void Dispose() => _renter.Dispose();

    [Fact]
    public async Task An_instance_stuck_in_loading_shows_no_progress_and_runs_when_the_fault_ends()
    {
        await OnNextAsync("stuck_loading");
        var rented = await _sandbox.RentAsync();

        var stuck = (await _sandbox.InstanceAsync(rented.Id))!;
        Assert.Equal("loading", (string?)stuck["actual_status"]);
        Assert.Equal((string?)stuck["status_msg"], (string?)(await _sandbox.InstanceAsync(rented.Id))!["status_msg"]);
        Assert.Equal("""["stuck_loading"]""", Kinds((await _sandbox.GetAsync($"/sandbox/control/instances/{rented.Id}/faults")).Json));

        await _sandbox.HealAsync(rented.Id, "stuck_loading");
        await _sandbox.RunsAsync(rented.Id);
        await DestroyAsync(rented);
    }

    [Fact]
    public async Task A_container_that_cannot_be_made_says_so_and_is_never_billed_for_gpus()
    {
        await OnNextAsync("oci_failure");
        var rented = await _sandbox.RentAsync();

        var instance = (await _sandbox.InstanceAsync(rented.Id))!;
        Assert.Equal("created", (string?)instance["actual_status"]);
        Assert.Contains("OCI runtime create failed", (string?)instance["status_msg"], StringComparison.Ordinal);
        Assert.Empty((await _sandbox.TruthAsync(rented.Id))["running"]!.AsArray());
        await DestroyAsync(rented);
    }

    [Fact]
    public async Task Ssh_that_refuses_is_closed_although_the_instance_runs_and_what_runs_goes_on()
    {
        var (rented, port) = await _renter.RentAsync(_sandbox);
        using var before = await _renter.ConnectAsync(port);
        var started = await before.RunAsync("stat -c %Y /proc/1");

        await _sandbox.InflictAsync(rented.Id, "ssh_refusing");
        await Soon.HoldsAsync(() => Task.FromResult(!before.IsConnected), "the session ends");
        using var refused = _renter.Client(port);
        await Assert.ThrowsAnyAsync<SocketException>(() => refused.ConnectAsync(TestContext.Current.CancellationToken));
        Assert.Equal("running", (string?)(await _sandbox.InstanceAsync(rented.Id))!["actual_status"]);

        await _sandbox.HealAsync(rented.Id, "ssh_refusing");
        using var after = await _renter.ConnectAsync(port);
        Assert.Equal(started, await after.RunAsync("stat -c %Y /proc/1"));
        await DestroyAsync(rented);
    }

    [Fact]
    public async Task A_session_that_is_cut_can_be_opened_again()
    {
        var (rented, port) = await _renter.RentAsync(_sandbox);
        using var cut = await _renter.ConnectAsync(port);

        await _sandbox.InflictAsync(rented.Id, "session_cut");
        await Soon.HoldsAsync(() => Task.FromResult(!cut.IsConnected), "the session ends");

        using var again = await _renter.ConnectAsync(port);
        Assert.Equal("root", await again.RunAsync("whoami"));
        await DestroyAsync(rented);
    }

    [Fact]
    public async Task A_changed_host_key_is_shown_to_newcomers_while_what_runs_goes_on()
    {
        var (rented, port) = await _renter.RentAsync(_sandbox);
        using var first = await _renter.ConnectAsync(port);
        var before = await HostKeyAsync(port);
        Assert.Equal(before, await HostKeyAsync(port));

        await _sandbox.InflictAsync(rented.Id, "host_key_changed");

        await Soon.HoldsAsync(async () => await HostKeyAsync(port) is { } now && now != before, "another host key is shown");
        // Some releases of sshd read the key for each newcomer; the others only when they are told to.
        Assert.Equal("1", await first.RunAsync("until grep 'Received SIGHUP; restarting' /var/log/sshd.log; do sleep 0.05; done | wc -l"));
        await DestroyAsync(rented);
    }

    [Fact]
    public async Task An_offline_host_keeps_the_data_and_starts_the_instance_again_when_it_is_back()
    {
        var (rented, port) = await _renter.RentAsync(_sandbox, "echo x >> /workspace/starts");
        using (var ssh = await _renter.ConnectAsync(port))
        {
            await ssh.RunAsync("until [ -s /workspace/starts ]; do sleep 0.05; done");
        }

        await _sandbox.InflictAsync(rented.Id, "host_offline");
        var offline = (await _sandbox.InstanceAsync(rented.Id))!;
        Assert.Equal(("offline", "running", null), ((string?)offline["actual_status"], (string?)offline["intended_status"], offline["ports"]));
        await _sandbox.HealAsync(rented.Id, "host_offline");
        await _sandbox.RunsAsync(rented.Id);

        using var back = await _renter.ConnectAsync(port);
        Assert.Equal("2", await back.RunAsync("until [ $(wc -l < /workspace/starts) = 2 ]; do sleep 0.05; done; wc -l < /workspace/starts"));
        await DestroyAsync(rented);
    }

    [Fact]
    public async Task A_full_disk_refuses_what_is_written()
    {
        await OnNextAsync("disk_full");
        var (rented, port) = await _renter.RentAsync(_sandbox);
        using var ssh = await _renter.ConnectAsync(port);

        Assert.Contains("No space left on device", await ssh.RunAsync("head -c 1000000 /dev/zero 2>&1 > /workspace/model | cat; cat /workspace/model > /workspace/copy 2>&1; dd if=/dev/zero of=/workspace/x bs=1M count=1 2>&1 | cat"), StringComparison.Ordinal);
        Assert.Equal(1, (int)(await _sandbox.InstanceAsync(rented.Id))!["disk_util"]!);
        await DestroyAsync(rented);
    }

    [Fact]
    public async Task A_destruction_that_lies_leaves_the_instance_running()
    {
        var rented = await _sandbox.RentAsync();
        await _sandbox.RunsAsync(rented.Id);
        await _sandbox.InflictAsync(rented.Id, "destroy_lies");

        Assert.Equal("""{"success":true}""", (await _sandbox.DeleteAsync($"/api/v0/instances/{rented.Id}/")).Text);
        Assert.Equal("running", (string?)(await _sandbox.InstanceAsync(rented.Id))!["actual_status"]);

        await _sandbox.HealAsync(rented.Id, "destroy_lies");
        await DestroyAsync(rented);
        Assert.Null(await _sandbox.InstanceAsync(rented.Id));
    }

    [Fact]
    public async Task A_host_without_heartbeat_is_unknown_and_a_container_that_exits_is_exited()
    {
        var rented = await _sandbox.RentAsync();
        await _sandbox.RunsAsync(rented.Id);

        await _sandbox.InflictAsync(rented.Id, "no_heartbeat");
        Assert.Equal("unknown", (string?)(await _sandbox.InstanceAsync(rented.Id))!["actual_status"]);
        await _sandbox.HealAsync(rented.Id, "no_heartbeat");
        await _sandbox.InflictAsync(rented.Id, "container_exits");
        Assert.Equal("exited", (string?)(await _sandbox.InstanceAsync(rented.Id))!["actual_status"]);
        await DestroyAsync(rented);
    }

    [Fact]
    public async Task A_reboot_keeps_data_and_host_key_and_recycling_keeps_neither()
    {
        var rented = await _sandbox.RentAsync();
        await _sandbox.RunsAsync(rented.Id);
        var root = (string)(await _sandbox.GetAsync($"/sandbox/control/instances/{rented.Id}/root")).Json["root"]!;
        var (mark, hostKey) = (Path.Combine(root, "workspace", "mark"), Path.Combine(root, "..", "ssh", "ssh_host_ed25519_key.pub"));
        await File.WriteAllTextAsync(mark, "kept", TestContext.Current.CancellationToken);
        var before = await File.ReadAllTextAsync(hostKey, TestContext.Current.CancellationToken);

        await _sandbox.PutAsync($"/api/v0/instances/reboot/{rented.Id}/", "{}");
        await _sandbox.RunsAsync(rented.Id);
        Assert.Equal((true, before), (File.Exists(mark), await File.ReadAllTextAsync(hostKey, TestContext.Current.CancellationToken)));

        await _sandbox.PutAsync($"/api/v0/instances/recycle/{rented.Id}/", "{}");
        await _sandbox.RunsAsync(rented.Id);
        Assert.False(File.Exists(mark));
        Assert.NotEqual(before, await File.ReadAllTextAsync(hostKey, TestContext.Current.CancellationToken));
        Assert.Equal(3, (await _sandbox.TruthAsync(rented.Id))["running"]!.AsArray().Count);
        await DestroyAsync(rented);
    }

    [Fact]
    public async Task Faults_that_nobody_knows_are_refused_with_the_ones_that_are_known()
    {
        var answer = await _sandbox.PutAsync("/sandbox/control/next-instance/faults/gremlins", "{}");

        Assert.Equal(400, answer.Status);
        Assert.Contains("stuck_loading, oci_failure, ssh_late, ssh_refusing", (string?)answer.Json["msg"], StringComparison.Ordinal);
        Assert.Equal(404, (await _sandbox.PutAsync("/sandbox/control/instances/7/faults/session_cut", "{}")).Status);
    }

    private static string Kinds(System.Text.Json.Nodes.JsonNode answer) =>
        System.Text.Json.JsonSerializer.Serialize(answer["faults"]!.AsArray().Select(fault => (string?)fault!["kind"]));

    private async Task OnNextAsync(string fault) => Assert.Equal(200, (await _sandbox.PutAsync($"/sandbox/control/next-instance/faults/{fault}", "{}")).Status);

    private async Task DestroyAsync(Rented rented) => Assert.Equal(200, (await _sandbox.DeleteAsync($"/api/v0/instances/{rented.Id}/")).Status);

    /// <returns>What a newcomer is shown; null while sshd is reading its new key.</returns>
    private async Task<string?> HostKeyAsync(int port)
    {
        using var client = _renter.Client(port);
        string? shown = null;
        client.HostKeyReceived += (_, key) => shown = key.FingerPrintSHA256;
        try
        {
            await client.ConnectAsync(TestContext.Current.CancellationToken);
        }
        catch (Exception error) when (error is SocketException or Renci.SshNet.Common.SshException)
        {
            return null;
        }

        return shown;
    }
}
