using System.Diagnostics;
using Dashboard.EndToEnd.Harness;
using Dashboard.Tests.Shared;

namespace Dashboard.EndToEnd;

/// <summary>The server goes: with a goodbye, for a while, for good.</summary>
public sealed class ServerGoneTests
{
    private const int LeaseSeconds = 15;
    private const int DeadManSeconds = 60;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private static readonly Dictionary<string, string> ShortLived = new()
    {
        ["DeadMan:After"] = $"00:00:{DeadManSeconds - 1}",
        ["DeadMan:Lease"] = $"00:00:{LeaseSeconds}",
        ["DeadMan:Refresh"] = "00:00:02",
        ["Lifecycle:HostReturn"] = "00:00:20",
        ["Lifecycle:AbsenceProof"] = "00:00:02",
    };

    [Fact]
    public async Task A_stop_hands_the_leases_over_and_the_next_start_goes_on_at_the_byte_and_a_machine_whose_server_never_returns_destroys_itself()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await World.StartAsync(new WorldSettings { Slot = 9, Server = ShortLived }, ct);
        await using var watch = new MachineWatch(world.Sandbox);
        using var api = new Api(world);
        var (books, connection, figures) = (new Books(world.Server.Database), await api.SandboxConnectionAsync(ct), new Figures());

        var counting = await api.SubmitScriptAsync(connection, "counting", "for i in $(seq 1 100); do echo \"line $i\"; sleep 0.3; done; echo done > out.txt", ["out.txt"], ct);
        await api.ReachesAsync(counting, "Running", ct);
        var row = Assert.Single(books.Instances(), row => row.ContractId is not null);
        var log = Path.Combine(world.Server.DataDirectory, "logs", row.JobId.ToString(), $"attempt-{row.Attempt}.log");
        await Eventually.HoldsAsync(() => File.Exists(log) && new FileInfo(log).Length > 30, "some of the log is home", ct: ct);
        var goodbye = Stopwatch.StartNew();
        Assert.Equal(0, await world.Server.TerminateAsync());
        figures.Add($"graceful stop with a job running: {goodbye.Elapsed.TotalSeconds:0.0} s, {books.Leases()} leases left behind");
        Assert.Equal(0, books.Leases());
        await world.Server.StartAsync(ct);
        await api.ReachesAsync(counting, "Succeeded", ct);
        Assert.Equal(string.Concat(Enumerable.Range(1, 100).Select(i => $"line {i}\n")), await File.ReadAllTextAsync(log, ct));
        Assert.Equal(watch.LogOf(row.ContractId!), await File.ReadAllBytesAsync(log, ct));

        var orphaned = await api.SubmitScriptAsync(connection, "orphaned", "sleep 900", [], ct);
        await api.ReachesAsync(orphaned, "Running", ct);
        var contract = books.Instances().Single(row => row.JobNumber == orphaned && row.ContractId is not null).ContractId!;
        await world.Server.KillAsync();
        var alone = Stopwatch.StartNew();
        await Eventually.HoldsAsync(async () => (await Truth.OfAsync(world, ct)).Contracts.Single(c => c.Id == contract).Destroyed, "the machine destroys itself", Patience, ct);
        figures.Add($"server killed for good: the machine destroyed itself with its own key after {alone.Elapsed.TotalSeconds:0} s, with a lease of {LeaseSeconds} s and {DeadManSeconds - 1} s after it");
        Assert.InRange(alone.Elapsed.TotalSeconds, DeadManSeconds - 3, 2 * (DeadManSeconds + LeaseSeconds));
        Assert.Equal(0, (await Truth.OfAsync(world, ct)).Living);

        // The server comes back after all and finds out by itself.
        await world.Server.StartAsync(ct);
        await Eventually.HoldsAsync(() => books.Instances().Single(row => row.ContractId == contract).Status == "Gone", "its row has ended", Patience, ct);
        await figures.KeepAsync();
    }
}
