namespace Dashboard.Runner.Tests;

public sealed class DeadManTests : IAsyncDisposable
{
    private readonly LoopbackProvider _provider = new();
    private readonly RentedMachine _machine = new();

    public DeadManTests() => _machine.RentedFrom(_provider);

    public async ValueTask DisposeAsync()
    {
        await _machine.DisposeAsync();
        await _provider.DisposeAsync();
    }

    [Fact]
    public async Task An_expired_lease_stops_the_run_after_a_checkpoint_and_then_destroys_the_machine_again_and_again()
    {
        _machine.Smoke(steps: 10_000, saveSteps: 10_000, pace: 0.02, limits: new { dead_man_s = 6 });
        _machine.Lease(seq: 1, seconds: 1);
        _machine.StartSupervisor();

        Assert.Equal((143, "lease"), await _machine.EndAsync());
        Assert.Empty(_provider.Requests);
        Assert.True(_machine.Has($"out/checkpoint-{(int)_machine.Json("exit")["step"]!}/COMPLETE"));
        await _machine.UntilAsync(() => _provider.Requests.Count >= 2, "the machine destroys itself, and asks again");
        Assert.All(_provider.Requests, IsTheDestroyCall);
    }

    [Fact]
    public async Task Without_curl_python_sends_the_same_request()
    {
        _machine.Tool("curl", "exit 127");
        _machine.Command("sleep 600", limits: new { dead_man_s = 1, grace_s = 1 });

        _machine.StartSupervisor();

        await _machine.UntilAsync(() => !_provider.Requests.IsEmpty, "the machine destroys itself");
        Assert.All(_provider.Requests, IsTheDestroyCall);
    }

    private static void IsTheDestroyCall((string Method, string Path, string? Authorization, string Body, bool KeyOnACommandLine) request) =>
        Assert.Equal(("DELETE", $"/api/v0/instances/{LoopbackProvider.ContractId}/", "Bearer " + LoopbackProvider.Key, "{}", false), request);

    [Fact]
    public async Task While_the_lease_is_refreshed_the_machine_never_acts_not_even_after_its_end_or_its_maximum_runtime()
    {
        _machine.Command("while [ ! -e ../go ]; do sleep 0.05; done", limits: new { dead_man_s = 2, max_runtime_s = 1 });
        var seq = 0;
        _machine.Lease(++seq, seconds: 2);
        _machine.StartSupervisor();
        await _machine.UntilAsync(() => _machine.Has("pid"), "the trainer runs");

        await PastTheLimitAsync();
        Assert.False(_machine.Has("exit"));
        _machine.Put("go", "");
        Assert.Equal((0, "done"), await _machine.EndAsync());
        await PastTheLimitAsync();

        Assert.Empty(_provider.Requests);

        // Longer than lease and dead man together, by the machine's own beats.
        async Task PastTheLimitAsync()
        {
            await _machine.UntilAsync(() => _machine.Has("beat"), "a beat");
            var since = (long)_machine.Json("beat")["t"]!;
            await _machine.UntilAsync(
                () =>
                {
                    _machine.Lease(++seq, seconds: 2);
                    return (long)_machine.Json("beat")["t"]! > since + 5;
                },
                "five seconds pass");
        }
    }

    [Fact]
    public async Task The_same_lease_number_grants_its_seconds_once()
    {
        _machine.Command("sleep 600", limits: new { dead_man_s = 2, grace_s = 1 });
        _machine.Lease(seq: 1, seconds: 1);
        _machine.StartSupervisor();

        await _machine.UntilAsync(
            () =>
            {
                _machine.Lease(seq: 1, seconds: 1);
                return !_provider.Requests.IsEmpty;
            },
            "an old number does not keep the machine");
    }

    [Fact]
    public async Task Forty_five_minutes_without_the_server_cost_nothing_fifty_save_the_run_and_sixty_destroy_the_machine()
    {
        const int hour = 3600;
        Uptime(1_000);
        _machine.Smoke(steps: 1_000_000, saveSteps: 1_000_000, pace: 0.02, limits: new { dead_man_s = hour });
        _machine.Lease(seq: 1, seconds: 900);
        _machine.StartSupervisor();
        await _machine.UntilAsync(() => _machine.Has("beat") && _machine.Has("metrics.jsonl"), "the trainer runs");

        await PassesAsync(1_000 + 900 + (45 * 60));
        Assert.False(_machine.Has("exit"));
        Assert.False(_machine.Has("out/STOP"));
        Assert.Empty(_provider.Requests);

        // The server is back, and nothing was lost.
        _machine.Lease(seq: 2, seconds: 900);
        var granted = 1_000 + 900 + (45 * 60) + 10;
        await PassesAsync(granted);
        await PassesAsync(granted + 900 + (49 * 60));
        Assert.False(_machine.Has("exit"));

        // Now it is gone for good.
        Uptime(granted + 900 + (50 * 60) + 30);
        Assert.Equal((143, "lease"), await _machine.EndAsync());
        Assert.True(_machine.Has($"out/checkpoint-{(int)_machine.Json("exit")["step"]!}/COMPLETE"));
        await PassesAsync(granted + 900 + (59 * 60));
        Assert.Empty(_provider.Requests);
        Uptime(granted + 900 + hour + 30);
        await _machine.UntilAsync(() => !_provider.Requests.IsEmpty, "the machine destroys itself");
        Assert.All(_provider.Requests, IsTheDestroyCall);
    }

    /// <summary>Sets the machine's clock.</summary>
    private void Uptime(int seconds)
    {
        var clock = Path.Combine(_machine.Home, "uptime");
        File.WriteAllText(clock + ".new", $"{seconds}.00 0.00\n");
        File.Move(clock + ".new", clock, overwrite: true);
        _machine.Environment["GD_UPTIME"] = clock;
    }

    /// <summary>Sets the clock, and returns after the supervisor has looked around at that time.</summary>
    private async Task PassesAsync(int uptime)
    {
        Uptime(uptime);
        // A beat comes every few looks; the second one from here has seen the new time from its beginning.
        for (var beat = 0; beat < 2; beat++)
        {
            var before = File.GetLastWriteTimeUtc(_machine.At("beat"));
            await _machine.UntilAsync(() => File.GetLastWriteTimeUtc(_machine.At("beat")) > before, "a beat");
        }
    }

    [Fact]
    public async Task Before_any_supervisor_the_bootstrap_destroys_the_machine()
    {
        _machine.Environment["GD_DEAD_MAN_S"] = "1";

        await BootAsync();

        await _machine.UntilAsync(() => _provider.Requests.Count >= 2, "the machine destroys itself, and asks again");
        Assert.All(_provider.Requests, IsTheDestroyCall);
    }

    [Fact]
    public async Task A_refreshed_lease_holds_the_bootstrap_off_while_the_bundle_is_uploaded()
    {
        _machine.Environment["GD_DEAD_MAN_S"] = "2";
        await BootAsync();
        await _machine.RunAsync("date +%s >started");
        var seq = 0;

        await _machine.UntilAsync(
            () =>
            {
                _machine.Lease(++seq, seconds: 1);
                return DateTimeOffset.FromUnixTimeSeconds(long.Parse(File.ReadAllText(Path.Combine(_machine.Home, "started")), System.Globalization.CultureInfo.InvariantCulture))
                    + TimeSpan.FromSeconds(6) < TimeProvider.System.GetUtcNow();
            },
            "six seconds pass");

        Assert.Empty(_provider.Requests);
        await _machine.UntilAsync(() => !_provider.Requests.IsEmpty, "nobody refreshes any more");
    }

    [Fact]
    public async Task A_beating_supervisor_relieves_the_bootstrap_of_the_duty()
    {
        _machine.Environment["GD_DEAD_MAN_S"] = "6";
        _machine.Command("sleep 600", limits: new { dead_man_s = 600 });
        await BootAsync();
        using var supervisor = await SupervisorAsync();
        var since = (long)_machine.Json("beat")["t"]!;
        await _machine.UntilAsync(() => (long)_machine.Json("beat")["t"]! > since + 9, "longer than the bootstrap's limit");

        Assert.Empty(_provider.Requests);
        supervisor.Kill();
        await _machine.UntilAsync(() => !_provider.Requests.IsEmpty, "a dead supervisor gives it back");
    }

    private async Task<System.Diagnostics.Process> SupervisorAsync()
    {
        await _machine.UntilAsync(() => _machine.Has("beat"), "the bootstrap started a supervisor");
        return System.Diagnostics.Process.GetProcessById(_machine.Supervisors().Min());
    }

    private async Task BootAsync()
    {
        Directory.CreateDirectory(_machine.Environment["GD_HOSTKEYS"]);
        await File.WriteAllTextAsync(Path.Combine(_machine.Environment["GD_HOSTKEYS"], "ssh_host_ed25519_key.pub"), BootstrapTests.SomeHostKey, TestContext.Current.CancellationToken);
        var (code, _) = await _machine.RunAsync($"sh '{RentedMachine.Scripts}/bootstrap.sh'");
        Assert.Equal(0, code);
    }
}
