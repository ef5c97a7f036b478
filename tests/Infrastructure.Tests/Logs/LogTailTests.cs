using System.Security.Cryptography;
using System.Text;
using Dashboard.Domain;
using Dashboard.Infrastructure.Logs;
using Dashboard.Infrastructure.Ssh;
using Dashboard.Infrastructure.Tests.Ssh;
using Dashboard.Tests.Shared;

namespace Dashboard.Infrastructure.Tests.Logs;

public sealed class LogTailTests : OnAMachine
{
    private readonly JobId _job = new(Guid.NewGuid());
    private readonly InstanceId _instance = new(Guid.NewGuid());

    private MachineConnections Connections => field ??= new MachineConnections(Connector);

    private string RemoteLog => OnDisk("log");

    [Fact]
    public async Task Lines_come_home_as_they_are_written_and_the_log_need_not_exist_yet()
    {
        using var store = NewStore();
        await using var tail = Tail(store);
        await WriteAsync("first\n");
        await StoredAsync(store, 6);
        await WriteAsync("second\nthird");
        await tail.DrainAsync(18, Ct);
        Assert.Equal(["first", "second", "third"], store.Of(_job).Read(0, 10, long.MaxValue).Select(line => line.Text));
        await Connections.DisposeAsync();
    }

    [Fact]
    public async Task The_log_is_byte_exact_over_killed_connections_a_killed_server_and_a_killed_store()
    {
        var store = NewStore();
        var tail = Tail(store);
        var written = 0L;
        for (var round = 0; round < 6; round++)
        {
            var bytes = RandomNumberGenerator.GetBytes(700_000);
            await File.AppendAllBytesAsync(RemoteLog, bytes, Ct);
            written += bytes.Length;
            await StoredAsync(store, written - 350_000);
            switch (round % 3)
            {
                case 0:
                    Machine.CutConnections();
                    break;
                case 1:
                    await Machine.KillAsync(Ct);
                    await Machine.StartAgainAsync(Ct);
                    break;
                default: // our own process dies: only the files are left
                    await tail.DisposeAsync();
                    store.Dispose();
                    store = NewStore();
                    tail = Tail(store);
                    break;
            }
        }

        await tail.DrainAsync(written, Ct);
        Assert.Equal(await File.ReadAllBytesAsync(RemoteLog, Ct), await store.ReadBytesAsync(_job, 1, 0, int.MaxValue, Ct));
        await tail.DisposeAsync();
        store.Dispose();
        await Connections.DisposeAsync();
    }

    [Fact]
    public async Task A_long_log_comes_home_exactly()
    {
        var bytes = RandomNumberGenerator.GetBytes(20 * 1024 * 1024);
        await File.WriteAllBytesAsync(RemoteLog, bytes, Ct);
        using var store = NewStore();
        await using var tail = Tail(store);
        await tail.DrainAsync(bytes.Length, Ct);
        Assert.Equal(bytes, await store.ReadBytesAsync(_job, 1, 0, int.MaxValue, Ct));
        await Connections.DisposeAsync();
    }

    [Fact]
    public async Task A_frozen_machine_is_left_when_the_owner_closes_the_session_and_the_tail_goes_on_after_the_thaw()
    {
        using var store = NewStore();
        await using var tail = Tail(store);
        await WriteAsync("before\n");
        await StoredAsync(store, 7);
        Machine.Freeze();
        await WriteAsync("during\n");
        await Connections.CloseAsync(_instance);
        Machine.Thaw();
        await tail.DrainAsync(14, Ct);
        Assert.Equal("before\nduring\n"u8.ToArray(), await store.ReadBytesAsync(_job, 1, 0, 100, Ct));
        await Connections.DisposeAsync();
    }

    [Fact]
    public async Task Another_host_key_ends_the_tail_and_is_the_owners_to_decide()
    {
        using var store = NewStore();
        await using var tail = Tail(store, await Machine.FingerprintAsync(Ct));
        await WriteAsync("x\n");
        await StoredAsync(store, 2);
        await Machine.KillAsync(Ct);
        Machine.ChangeHostKey();
        await Machine.StartAgainAsync(Ct);
        await Assert.ThrowsAsync<HostKeyChanged>(() => tail.Completion.WaitAsync(TimeSpan.FromSeconds(20), Ct));
        await Assert.ThrowsAsync<HostKeyChanged>(() => tail.DrainAsync(100, Ct));
        await Connections.DisposeAsync();
    }

    [Fact]
    public async Task Stopping_ends_the_tail_at_once()
    {
        using var store = NewStore();
        await using var tail = Tail(store);
        await WriteAsync("x\n");
        await StoredAsync(store, 2);
        await tail.StopAsync();
        Assert.True(tail.Completion.IsCompletedSuccessfully);
        await Assert.ThrowsAsync<InvalidOperationException>(() => tail.DrainAsync(100, Ct));
        await Connections.DisposeAsync();
    }

    private LogStore NewStore() => new(new DataDirectory(Home), TimeProvider.System);

    private LogTail Tail(LogStore store, string? pin = null) =>
        new(store, _job, 1, RemoteLog, ct => Connections.TailAsync(_instance, new MachineAccess(Route, Key.PrivateKey, pin), ct), TimeProvider.System);

    private Task WriteAsync(string text) => File.AppendAllTextAsync(RemoteLog, text, new UTF8Encoding(false), Ct);

    private Task StoredAsync(LogStore store, long length) => store.WaitForLengthAsync(_job, 1, length, Ct).WaitAsync(TimeSpan.FromSeconds(30), Ct);
}
