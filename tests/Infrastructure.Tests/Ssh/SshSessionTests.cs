using System.Diagnostics;
using System.Text;
using Dashboard.Domain;
using Dashboard.Infrastructure.Ssh;
using Dashboard.Tests.Shared;

namespace Dashboard.Infrastructure.Tests.Ssh;

public sealed class SshSessionTests : OnAMachine
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task A_key_we_made_opens_a_real_sshd_and_a_command_gives_status_output_and_error()
    {
        await using var session = await OpenAsync();
        var result = await session.ExecAsync("cat; echo bad >&2; exit 7", "hello"u8.ToArray(), Soon, Ct);
        Assert.Equal((7, "hello", "bad\n"), (result.ExitStatus, result.Text, result.Error));
    }

    [Fact]
    public async Task A_command_without_input_reads_end_of_file()
    {
        await using var session = await OpenAsync();
        Assert.Equal("0", (await session.ExecAsync("cat | wc -c", null, Soon, Ct)).Text);
        Assert.Equal("0", (await session.ExecAsync("cat | wc -c", ReadOnlyMemory<byte>.Empty, Soon, Ct)).Text);
    }

    [Fact]
    public async Task The_first_connection_reports_the_host_key_that_ssh_keygen_names()
    {
        await using var session = await OpenAsync();
        Assert.Equal(await Machine.FingerprintAsync(Ct), session.HostKey);
        await using var again = await OpenAsync(session.HostKey);
        Assert.True(again.IsOpen);
    }

    [Fact]
    public async Task Another_host_key_than_the_pinned_one_is_refused_before_authentication()
    {
        var pin = await Machine.FingerprintAsync(Ct);
        Machine.ChangeHostKey();
        await Machine.KillAsync(Ct);
        await Machine.StartAgainAsync(Ct);
        var changed = await Assert.ThrowsAsync<HostKeyChanged>(() => OpenAsync(pin));
        Assert.Equal((pin, await Machine.FingerprintAsync(Ct)), (changed.Expected, changed.Seen));
        Assert.DoesNotContain("publickey", Machine.Log, StringComparison.Ordinal);
        await using var trusted = await OpenAsync(changed.Seen);
        Assert.Contains("Accepted publickey", Machine.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_is_not_authorized_is_denied()
    {
        await Machine.AuthorizeAsync(InstanceKeys.Create("other").PublicKey, Ct);
        await Assert.ThrowsAsync<SshDenied>(() => OpenAsync());
    }

    [Fact]
    public async Task A_closed_port_is_refused()
    {
        await Machine.KillAsync(Ct);
        await Assert.ThrowsAsync<SshRefused>(() => OpenAsync());
        await Machine.StartAgainAsync(Ct);
    }

    [Fact]
    public async Task A_machine_that_takes_the_connection_and_says_nothing_is_refused_in_time()
    {
        Machine.Freeze();
        var clock = Stopwatch.StartNew();
        using var hasty = new SshConnector(new SshOptions { Connect = TimeSpan.FromSeconds(1), Silence = TimeSpan.FromSeconds(2) }, TimeProvider.System);
        await Assert.ThrowsAsync<SshRefused>(() => hasty.OpenAsync(Route, Key.PrivateKey, null, Ct));
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 15);
    }

    [Fact]
    public async Task A_frozen_machine_ends_a_command_by_its_timeout_and_closes_the_session()
    {
        await using var session = await OpenAsync();
        Machine.Freeze();
        var clock = Stopwatch.StartNew();
        await Assert.ThrowsAsync<SshLost>(() => session.ExecAsync("true", null, TimeSpan.FromSeconds(1), Ct));
        Assert.InRange(clock.Elapsed.TotalSeconds, 0.9, 15);
        Assert.False(session.IsOpen);
        await Assert.ThrowsAsync<SshLost>(() => session.ExecAsync("true", null, TimeSpan.FromSeconds(1), Ct));
    }

    [Fact]
    public async Task A_machine_frozen_while_it_is_sent_much_ends_the_command_too()
    {
        await using var session = await OpenAsync();
        var sending = session.ExecAsync("cat >/dev/null; sleep 60", new byte[64 * 1024 * 1024], TimeSpan.FromSeconds(2), Ct);
        Machine.Freeze();
        await Assert.ThrowsAsync<SshLost>(() => sending);
    }

    [Fact]
    public async Task A_killed_connection_is_lost_and_not_an_empty_success()
    {
        await using var session = await OpenAsync();
        var running = session.ExecAsync("touch here; sleep 60", null, TimeSpan.FromMinutes(1), Ct);
        await Eventually.HoldsAsync(() => Machine.Connections > 0, "being served", ct: Ct);
        Machine.CutConnections();
        await Assert.ThrowsAsync<SshLost>(() => running);
        Assert.False(session.IsOpen);
    }

    [Fact]
    public async Task Closing_a_session_ends_its_commands_whatever_the_machine_does()
    {
        for (var round = 0; round < 10; round++)
        {
            var session = await OpenAsync();
            var running = session.ExecAsync($"touch {OnDisk($"started{round}")}; sleep 60", null, TimeSpan.FromMinutes(1), Ct);
            await Eventually.HoldsAsync(() => File.Exists(OnDisk($"started{round}")), "the command runs", ct: Ct);
            Machine.Freeze();
            await session.DisposeAsync();
            await Assert.ThrowsAsync<SshLost>(() => running.WaitAsync(TimeSpan.FromSeconds(20), Ct));
            Machine.Thaw();
        }
    }

    [Fact]
    public async Task A_command_that_floods_is_stopped_at_its_limit()
    {
        await using var session = await OpenAsync();
        await Assert.ThrowsAsync<SshFlood>(() => session.ExecAsync("cat /dev/zero", null, Soon, Ct, maxOutputBytes: 100_000));
    }

    [Fact]
    public async Task A_command_killed_by_a_signal_says_so()
    {
        await using var session = await OpenAsync();
        Assert.Equal("KILL", (await session.ExecAsync("kill -9 $$", null, Soon, Ct)).Signal);
    }

    [Fact]
    public async Task Cancelling_a_command_leaves_the_session_usable()
    {
        await using var session = await OpenAsync();
        using var stop = new CancellationTokenSource();
        var running = session.ExecAsync($"touch {OnDisk("started")}; sleep 60", null, TimeSpan.FromMinutes(1), stop.Token);
        await Eventually.HoldsAsync(() => File.Exists(OnDisk("started")), "the command runs", ct: Ct);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Equal("fine", (await session.ExecAsync("echo fine", null, Soon, Ct)).Text);
    }

    [Fact]
    public async Task Thirty_commands_at_once_all_end()
    {
        await using var session = await OpenAsync();
        var results = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => session.ExecAsync($"echo {i}", null, TimeSpan.FromSeconds(30), Ct)));
        Assert.Equal(Enumerable.Range(0, 30).Select(i => $"{i}"), results.Select(r => r.Text));
    }

    [Fact]
    public async Task Quoted_text_reaches_the_machine_as_it_is()
    {
        const string nasty = "it's $(touch /tmp/no) `x` \"y\" \\ \n*";
        await using var session = await OpenAsync();
        Assert.Equal(nasty, Encoding.UTF8.GetString((await session.ExecAsync("printf %s " + Shell.Quote(nasty), null, Soon, Ct)).Output));
    }

    [Fact]
    public async Task A_private_key_does_not_print() => await Task.Run(() => Assert.DoesNotContain("BEGIN", $"{Key}", StringComparison.Ordinal), Ct);

    [Fact]
    public async Task An_instance_has_two_connections_that_callers_share_and_that_open_again_after_a_loss()
    {
        await using var connections = new MachineConnections(Connector);
        var (instance, access) = (new InstanceId(Guid.NewGuid()), new MachineAccess(Route, Key.PrivateKey, null));
        var shared = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => connections.ControlAsync(instance, access, Ct)));
        Assert.Single(shared.Distinct());
        Assert.NotSame(shared[0], await connections.TailAsync(instance, access, Ct));
        Assert.Equal(2, Machine.Connections);
        Machine.CutConnections();
        await Eventually.HoldsAsync(() => !shared[0].IsOpen, "the loss is seen", ct: Ct);
        var pinned = access with { HostKeyPin = shared[0].HostKey };
        Assert.Equal("back", (await (await connections.ControlAsync(instance, pinned, Ct)).ExecAsync("echo back", null, Soon, Ct)).Text);
        await connections.CloseAsync(instance);
        await Eventually.HoldsAsync(() => Machine.Connections == 0, "both are closed", ct: Ct);
    }
}
