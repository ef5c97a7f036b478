using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Dashboard.Sandbox.Tests.Harness;
using Renci.SshNet.Common;

namespace Dashboard.Sandbox.Tests.Containers;

[Collection(OnTheSharedSandbox.Name)]
public sealed class ContainerTests(SharedSandbox shared) : IDisposable
{
    private readonly SandboxProcess _sandbox = shared.Sandbox;
    private readonly SshLogin _renter = new();

    public void Dispose() => _renter.Dispose();

    [Fact]
    public async Task The_renter_logs_in_as_root_by_key_and_finds_python_awk_and_a_home_of_its_own()
    {
        var (rented, port) = await _renter.RentAsync(_sandbox);
        using var ssh = await _renter.ConnectAsync(port);

        Assert.Equal("root", await ssh.RunAsync("whoami"));
        Assert.Equal("/root", await ssh.RunAsync("echo $HOME"));
        Assert.Equal("42", await ssh.RunAsync("python3 -c 'print(6 * 7)'"));
        Assert.Matches("^[0-9]+$", await ssh.RunAsync("df -Pk /workspace | awk 'NR==2{print $4}'"));
        Assert.Equal("1 /bin/bash /etc/ssh/init.sh", (await ssh.RunAsync("ps -o pid,args -p 1 --no-headers")).Trim());
        await DestroyAsync(rented);
    }

    [Fact]
    public async Task A_key_that_was_not_attached_is_refused()
    {
        var (rented, port) = await _renter.RentAsync(_sandbox);
        (await _renter.ConnectAsync(port)).Dispose();
        using var stranger = new SshLogin();
        using var client = stranger.Client(port);

        await Assert.ThrowsAsync<SshAuthenticationException>(() => client.ConnectAsync(TestContext.Current.CancellationToken));
        await DestroyAsync(rented);
    }

    [Fact]
    public async Task The_proxy_address_leads_to_the_same_instance()
    {
        var (rented, port) = await _renter.RentAsync(_sandbox);
        using var direct = await _renter.ConnectAsync(port);
        using var proxy = await _renter.ConnectAsync(SshLogin.PortsOf((await _sandbox.InstanceAsync(rented.Id))!).Proxy);

        await direct.RunAsync("echo same > /workspace/mark");
        Assert.Equal("same", await proxy.RunAsync("cat /workspace/mark"));
        await DestroyAsync(rented);
    }

    [Fact]
    public async Task The_environment_belongs_to_the_first_process_and_to_sessions_only_after_onstart_wrote_it_down()
    {
        var (plain, plainPort) = await _renter.RentAsync(_sandbox, extra: ""","env":{"COLOUR":"dark blue"}""");
        var (written, writtenPort) = await _renter.RentAsync(_sandbox, "env >> /etc/environment", ""","env":{"COLOUR":"dark blue"}""");

        using (var ssh = await _renter.ConnectAsync(plainPort))
        {
            Assert.Equal("", await ssh.RunAsync("echo $COLOUR$CONTAINER_ID"));
            var first = (await ssh.RunAsync("tr '\\0' '\\n' < /proc/1/environ")).Split('\n');
            foreach (var variable in new[]
                     {
                         "COLOUR=dark blue", $"CONTAINER_ID={plain.Id}", $"CONTAINER_API_KEY={plain.InstanceKey}", $"VAST_CONTAINERLABEL=C.{plain.Id}", "PUBLIC_IPADDR=127.0.0.1",
                         $"VAST_TCP_PORT_22={plainPort}", "DATA_DIRECTORY=/workspace/", "GPU_COUNT=1",
                     })
            {
                Assert.Contains(variable, first);
            }
        }

        using (var ssh = await _renter.ConnectAsync(writtenPort))
        {
            await Soon.HoldsAsync(async () => await ssh.RunAsync("echo $COLOUR,$CONTAINER_ID") == $"dark blue,{written.Id}", "the session has the variables");
        }

        await DestroyAsync(plain);
        await DestroyAsync(written);
    }

    [Fact]
    public async Task Onstart_runs_at_every_start_on_the_same_data_and_its_output_is_the_log()
    {
        var (rented, port) = await _renter.RentAsync(_sandbox, "echo started >> /workspace/starts; echo start $(wc -l < /workspace/starts) of the machine; echo another line");
        using (var first = await _renter.ConnectAsync(port))
        {
            await Soon.HoldsAsync(async () => await first.RunAsync("cat /workspace/starts 2>/dev/null || true") == "started", "onstart has run");
        }

        await _sandbox.PutAsync($"/api/v0/instances/{rented.Id}/", """{"state":"stopped"}""");
        await _sandbox.PutAsync($"/api/v0/instances/{rented.Id}/", """{"state":"running"}""");
        await _sandbox.RunsAsync(rented.Id);

        await Soon.HoldsAsync(async () => (await LogAsync(rented, """{"filter":"of the machine"}""")) == "start 1 of the machine\nstart 2 of the machine\n", "both starts are in the log");
        Assert.Equal("another line\n", await LogAsync(rented, """{"tail":"1"}"""));
        await DestroyAsync(rented);
    }

    [Fact]
    public async Task A_log_can_be_fetched_a_moment_after_it_was_asked_for_and_without_a_key()
    {
        await using var sandbox = await Sandboxes.StartAsync(["--boot-seconds", "0", "--log-delay-seconds", "0.5"]);
        var (rented, _) = await _renter.RentAsync(sandbox, "echo hello");
        var answer = await sandbox.PutAsync($"/api/v0/instances/{rented.Id}/request_logs/", "{}");
        Assert.Equal(404, answer.Status);

        var url = new Uri((string)(await sandbox.PutAsync($"/api/v0/instances/request_logs/{rented.Id}/", "{}")).Json["result_url"]!);
        Assert.Equal(new Uri(sandbox.BaseUrl).Authority, url.Authority);
        Assert.Equal(404, (await sandbox.SendAsync(HttpMethod.Get, url.PathAndQuery, null, "")).Status);
        await Soon.HoldsAsync(async () => (await sandbox.SendAsync(HttpMethod.Get, url.PathAndQuery, null, "")).Status == 200, "the log is there");
        Assert.Equal("invalid_id", (await sandbox.PutAsync("/api/v0/instances/request_logs/1/", "{}")).Error);
    }

    [Fact]
    public async Task An_instance_has_no_capabilities_and_sees_neither_this_computer_nor_other_instances()
    {
        var (rented, port) = await _renter.RentAsync(_sandbox);
        var (other, otherPort) = await _renter.RentAsync(_sandbox);
        using (var ssh = await _renter.ConnectAsync(port))
        using (var neighbour = await _renter.ConnectAsync(otherPort))
        {
            Assert.Equal("CapEff:\t0000000000000000", await ssh.RunAsync("grep CapEff /proc/self/status"));
            Assert.Equal("1000", await ssh.RunAsync("id -u"));
            Assert.Equal("closed", await ssh.RunAsync("touch /usr/mark 2>/dev/null && echo open || echo closed"));
            Assert.Equal("closed", await ssh.RunAsync("touch /mark 2>/dev/null && echo open || echo closed"));
            Assert.Equal("closed", await ssh.RunAsync("echo x >> /etc/ssh/authorized_keys 2>/dev/null && echo open || echo closed"));
            Assert.Equal("absent", await ssh.RunAsync($"test -e '{_sandbox.DataDirectory}' && echo there || echo absent"));
            await neighbour.RunAsync("nohup sleep 4321 >/dev/null 2>&1 </dev/null &");
            Assert.Equal("0", await ssh.RunAsync("ps ax | grep -c '[s]leep 4321' || true"));
            Assert.Equal("1", await neighbour.RunAsync("ps ax | grep -c '[s]leep 4321'"));
            Assert.NotEqual(await ssh.RunAsync("cat /etc/ssh/ssh_host_ed25519_key.pub"), await neighbour.RunAsync("cat /etc/ssh/ssh_host_ed25519_key.pub"));
            Assert.Equal("1024", await ssh.RunAsync("ulimit -u"));
        }

        await DestroyAsync(rented);
        await DestroyAsync(other);
    }

    [Fact]
    public async Task Destroying_ends_the_processes_the_connections_and_the_files()
    {
        var (rented, port) = await _renter.RentAsync(_sandbox);
        using var ssh = await _renter.ConnectAsync(port);
        await ssh.RunAsync("mkdir -p /tmp/deep/er && chmod 000 /tmp/deep && chmod 500 /workspace"); // what a plain user's delete trips over
        var root = (string)(await _sandbox.GetAsync($"/sandbox/control/instances/{rented.Id}/root")).Json["root"]!;
        Assert.True(Directory.Exists(root));

        await DestroyAsync(rented);

        Assert.Null(await _sandbox.InstanceAsync(rented.Id));
        await Soon.HoldsAsync(() => Task.FromResult(!ssh.IsConnected && !Directory.Exists(root)), "connection and files are gone");
        using var late = _renter.Client(port);
        await Assert.ThrowsAnyAsync<Exception>(() => late.ConnectAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_machine_can_destroy_itself_with_its_own_key()
    {
        var (rented, port) = await _renter.RentAsync(_sandbox);
        using var ssh = await _renter.ConnectAsync(port);
        const string script = """
            import os, urllib.request
            env = dict(line.split("=", 1) for line in open("/proc/1/environ").read().split("\0") if "=" in line)
            request = urllib.request.Request(os.environ["BASE"] + "/api/v0/instances/" + env["CONTAINER_ID"] + "/", data=b"{}", method="DELETE",
                headers={"Authorization": "Bearer " + env["CONTAINER_API_KEY"], "Content-Type": "application/json"})
            urllib.request.urlopen(request).read()
            """;
        var encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes(script));
        using var run = ssh.CreateCommand($"echo {encoded} | base64 -d > /tmp/end.py; BASE={_sandbox.BaseUrl} setsid python3 /tmp/end.py </dev/null >/dev/null 2>&1 &");
        run.Execute();

        await Soon.HoldsAsync(async () => await _sandbox.InstanceAsync(rented.Id) is null, "the machine has destroyed itself");
    }

    [Fact]
    public async Task Bytes_through_ssh_are_billed_as_traffic_each_way()
    {
        var (rented, port) = await _renter.RentAsync(_sandbox);
        using (var ssh = await _renter.ConnectAsync(port))
        {
            Assert.Equal(4_000_000, (await ssh.RunAsync("head -c 3000000 /dev/urandom | base64 -w0")).Length);
        }

        await DestroyAsync(rented);
        await Soon.HoldsAsync(async () => (long)(await _sandbox.TruthAsync(rented.Id))["traffic"]!["up_bytes"]! > 4_000_000, "what left the machine is counted");
        var truth = await _sandbox.TruthAsync(rented.Id);
        var (up, down) = ((decimal)truth["traffic"]!["up_bytes"]!, (decimal)truth["traffic"]!["down_bytes"]!);
        Assert.InRange(up, 4_000_000, 4_400_000);
        Assert.InRange(down, 1_000, 400_000);
        Assert.Equal(
            1000 * ((up * (decimal)truth["rates"]!["inet_up_cost"]!) + (down * (decimal)truth["rates"]!["inet_down_cost"]!)) / 1_000_000_000m,
            (decimal)truth["bill"]!["traffic"]!,
            12);
    }

    private async Task DestroyAsync(Rented rented) => Assert.Equal(200, (await _sandbox.DeleteAsync($"/api/v0/instances/{rented.Id.ToString(CultureInfo.InvariantCulture)}/")).Status);

    private async Task<string> LogAsync(Rented rented, string body)
    {
        JsonNode answer = (await _sandbox.PutAsync($"/api/v0/instances/request_logs/{rented.Id}/", body)).Json;
        return (await _sandbox.SendAsync(HttpMethod.Get, new Uri((string)answer["result_url"]!).PathAndQuery, null, "")).Text;
    }
}
