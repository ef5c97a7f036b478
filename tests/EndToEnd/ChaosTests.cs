using System.Diagnostics;
using System.Security.Cryptography;
using Dashboard.EndToEnd.Harness;
using Dashboard.Tests.Shared;

namespace Dashboard.EndToEnd;

/// <summary>The server is killed again and again while jobs run on a marketplace that has a bad day, in an account that others use as well.</summary>
[Collection(OneWorldAtATime.Name)]
public sealed class ChaosTests
{
    private const string Adapter = "adapter/adapter_model.safetensors";
    private const int InFlight = 8;
    private const int Foreign = 20;
    private const double SucceededShare = 0.95;
    private const double RecoverySeconds = 10;
    private const int EnoughForATail = 20;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(6);

    // Every wait that is measured against a real provider's pace, at the pace of this market: it boots in two seconds and lists after one.
    private static readonly Dictionary<string, string> AtTheMarketsPace = new()
    {
        ["Lifecycle:QuietInterval"] = "00:00:02",
        ["Lifecycle:LookEvery"] = "00:00:01",
        ["Lifecycle:LookClosely"] = "00:00:08",
        ["Lifecycle:ListLag"] = "00:00:06",
        ["Lifecycle:AbsenceProof"] = "00:00:02",
        ["Lifecycle:ProofWait"] = "00:00:04",
        ["Lifecycle:DestroyRetry"] = "00:00:01",
        ["Lifecycle:PacePause"] = "00:00:00.5",
        ["Lifecycle:LabelWatchInterval"] = "00:00:02",
        ["Lifecycle:ExitedGrace"] = "00:00:06",
        ["Lifecycle:HostReturn"] = "00:00:20",
        ["Lifecycle:SshAnswer"] = "00:00:40",
        ["Lifecycle:BootProgress"] = "00:00:40",
        ["Lifecycle:CrossCheck"] = "00:00:05",
    };

    [Fact]
    public async Task However_often_the_server_is_killed_no_machine_is_left_none_rented_twice_no_strangers_touched_and_no_byte_lost()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await World.StartAsync(new WorldSettings { Slot = 1, MaxInstances = Foreign + InFlight + 6, Server = AtTheMarketsPace }, ct);
        using var api = new Api(world);
        var (books, seed) = (new Books(world.Server.Database), TestSize.Seed);
        var connection = await api.SandboxConnectionAsync(ct);
        var strangers = await Strangers.PlantAsync(world.Sandbox, Foreign, books.Installation(), ct);
        var weather = new Weather(world.Sandbox, seed);
        await weather.BeginAsync(ct);
        await using var watch = new MachineWatch(world.Sandbox, strangers.Ids, contract => weather.Meet(contract, ct));
        await using var requests = new RequestTally(world.Sandbox);
        var (workload, reaper, clock) = (new Workload(world, api, connection, InFlight, seed), new Reaper(world, seed), Stopwatch.StartNew());
        var killing = reaper.KillAsync(TestSize.Kills, ct);
        await Task.WhenAll(killing, workload.KeepAsync(killing, ct));

        try
        {
            await Eventually.HoldsAsync(() => books.Jobs().All(job => job.HasEnded), "every job has ended", Patience, ct);
            await Eventually.HoldsAsync(() => books.Instances().All(row => row.Status is "Gone" or "Rejected"), "every row has ended", Patience, ct);
            await Eventually.HoldsAsync(async () => (await Truth.OfAsync(world, ct)).Living <= Foreign, "no machine of ours lives", Patience, ct);
        }
        finally
        {
            await Evidence.KeepAsync("jobs.txt", string.Join('\n', [.. books.Jobs().Select(job => job.ToString()), .. books.Events()]));
        }

        await weather.EndAsync();
        await requests.ReadAsync(ct);
        var outcome = new ChaosOutcome(await Truth.OfAsync(world, ct), books, strangers, weather, workload, requests);
        var logs = LogsThatDiffer(world, watch, outcome.Rows, out var compared, out var bytes);
        var figures = new Figures();
        figures.Add($"{TestSize.Kills} kills ({reaper.KilledWhileStarting} while starting), seed {seed}, {clock.Elapsed.TotalSeconds:0} s, {requests.All} requests to the market");
        figures.Add($"{outcome.Jobs.Count} jobs, {outcome.Jobs.Count(job => !job.HasEnded)} not ended, {workload.Stopped.Count} stopped by a person, {outcome.Rows.Count} rows, {outcome.Ours.Count} machines, {weather.Struck} struck, {weather.Dead.Count} of them dead");
        figures.Add($"orphans {outcome.Orphans.Count}, double rents {outcome.DoubleRents.Count}, rent calls {requests.RentCalls} for {outcome.Rows.Count} rows, strangers' machines {Foreign}, destroyed {outcome.StrangersLost.Count}, touched {outcome.StrangersTouched.Count}");
        figures.Add($"of {outcome.Survivors.Count} jobs whose hosts survived, {outcome.Succeeded.Count} succeeded ({100.0 * outcome.Succeeded.Count / outcome.Survivors.Count:0.0} %)");
        figures.Add($"recovery over {reaper.Recoveries.Count} starts: p50 {Figures.Quantile(reaper.Recoveries, 0.5):0.0} s, p95 {Figures.Quantile(reaper.Recoveries, 0.95):0.0} s, longest {reaper.Recoveries.Max():0.0} s, from the start of the process to the first complete listing compared with every open row; the server computed for p50 {Figures.Quantile(reaper.Computed, 0.5):0.0} s, p95 {Figures.Quantile(reaper.Computed, 0.95):0.0} s of it, load {Crowd.Load:0} on {Environment.ProcessorCount} processors");
        figures.Add($"{compared} logs of {bytes} bytes compared with the machines' own: {logs.Count} differ");
        await figures.KeepAsync();

        Assert.Empty(books.Damage());
        Assert.Empty(outcome.Orphans);
        Assert.Empty(outcome.DoubleRents);
        Assert.True(requests.RentCalls <= outcome.Rows.Count, $"{requests.RentCalls} rent calls for {outcome.Rows.Count} rows");
        Assert.Empty(outcome.StrangersLost);
        Assert.Empty(outcome.StrangersTouched);
        Assert.All(outcome.Jobs, job => Assert.True(job.HasEnded, job.ToString()));
        Assert.True(outcome.Succeeded.Count >= outcome.Survivors.Count * SucceededShare, string.Join('\n', outcome.Survivors.Except(outcome.Succeeded)));
        // Of a handful the 95th percentile is the longest. Where many others want the processors, the server's own share of them is held to the same.
        var recoveries = Crowd.IsThere ? reaper.Computed : reaper.Recoveries;
        Assert.True(Figures.Quantile(recoveries, recoveries.Count >= EnoughForATail ? 0.95 : 0.5) <= RecoverySeconds, $"Recoveries took {string.Join(", ", recoveries.Order().Select(seconds => $"{seconds:0.0}"))} s.");
        Assert.True(compared >= outcome.Succeeded.Count * 0.8, $"Only {compared} logs could be compared.");
        Assert.Empty(logs);
        await AssertAdaptersAreTheMachinesAsync(api, watch, outcome, workload.Smokes, ct);
    }

    /// <summary>Stored logs that are not, byte for byte, what the program wrote on its machine: the whole of it where the files came home, else its beginning.</summary>
    private static List<string> LogsThatDiffer(World world, MachineWatch watch, IReadOnlyList<InstanceRow> rows, out int compared, out long bytes)
    {
        (compared, bytes) = (0, 0);
        var different = new List<string>();
        foreach (var row in rows.Where(row => row.ContractId is not null))
        {
            if (watch.LogOf(row.ContractId!) is not { } theirs)
            {
                continue;
            }

            var path = Path.Combine(world.Server.DataDirectory, "logs", row.JobId.ToString(), $"attempt-{row.Attempt}.log");
            var ours = File.Exists(path) ? File.ReadAllBytes(path) : [];
            var whole = row.EndReason == "Finished";
            (compared, bytes) = (compared + (whole ? 1 : 0), bytes + ours.Length);
            var expected = whole ? theirs : theirs.AsSpan(0, Math.Min(theirs.Length, ours.Length));
            if (!SHA256.HashData(ours).AsSpan().SequenceEqual(SHA256.HashData(expected)))
            {
                different.Add($"#{row.JobNumber}, attempt {row.Attempt}, {row.EndReason}: ours {ours.Length} bytes, theirs {theirs.Length}, the same up to {ours.AsSpan().CommonPrefixLength(theirs)}");
            }
        }

        return different;
    }

    private static async Task AssertAdaptersAreTheMachinesAsync(Api api, MachineWatch watch, ChaosOutcome outcome, IReadOnlyList<int> smokes, CancellationToken ct)
    {
        foreach (var number in smokes.Where(number => outcome.Succeeded.Any(job => job.Number == number)))
        {
            var onMachines = outcome.Rows.Where(row => row.JobNumber == number && row.ContractId is not null).Select(row => watch.AdapterOf(row.ContractId!)).OfType<string>().ToList();
            var listed = Assert.Single(await api.FilesAsync(number, ct), file => file.Path == Adapter);
            Assert.Contains(listed.Sha256, onMachines);
            Assert.Equal(listed.Sha256, Convert.ToHexStringLower(SHA256.HashData(await api.DownloadAsync(number, Adapter, ct))));
        }
    }
}
