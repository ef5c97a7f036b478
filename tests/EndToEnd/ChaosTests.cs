using System.Security.Cryptography;
using Dashboard.EndToEnd.Harness;
using Dashboard.Tests.Shared;

namespace Dashboard.EndToEnd;

public sealed class ChaosTests
{
    private const string Adapter = "adapter/adapter_model.safetensors";
    private const int Jobs = 10;
    private const int Seed = 20_261_123;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    [Fact]
    public async Task Ten_jobs_with_half_cancelled_and_the_server_killed_twice_leave_nothing_behind_and_lose_nothing()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await World.StartAsync(new WorldSettings { Slot = 1 }, ct);
        await using var watch = new MachineWatch(world.Sandbox);
        using var api = new Api(world);
        var connection = await api.SandboxConnectionAsync(ct);

        var numbers = new List<int>();
        foreach (var index in Enumerable.Range(1, Jobs))
        {
            numbers.Add(await api.SubmitSmokeAsync(connection, $"chaos-{index}", steps: TestSize.IsFull ? 900 : 100, ct));
        }

        var cancelling = CancelHalfAsync(api, numbers, ct);
        await KillWhenAsync(world, truth => truth.Contracts.Count(contract => !contract.Destroyed) >= 3, ct);
        await KillWhenAsync(world, truth => truth.Contracts.Any(contract => contract.Destroyed), ct);
        var cancelled = await cancelling;

        var (endings, stories) = (new Dictionary<int, string>(), new List<string>());
        foreach (var number in numbers)
        {
            endings[number] = await api.EndsAsync(number, ct);
            stories.Add((await api.JobAsync(number, ct)).ToString());
        }

        await Evidence.KeepAsync("jobs.jsonl", string.Join('\n', [.. stories, .. new Books(world.Server.Database).Events()]));

        await Eventually.HoldsAsync(async () => (await Truth.OfAsync(world, ct)).Living == 0, "no machine lives", Patience, ct);

        var survivors = numbers.Except(cancelled).ToList();
        Assert.True(survivors.Count >= Jobs / 2, "fewer than half were left to run");
        Assert.All(survivors, number => Assert.Equal("Succeeded", endings[number]));
        Assert.All(cancelled, number => Assert.Equal("Cancelled", endings[number]));
        await AssertOneRentCallPerRowAsync(world, ct);
        await AssertAdaptersAreTheMachinesAsync(world, api, watch, survivors, ct);
    }

    /// <summary>Stops five jobs, each at its own moment of the first half minute. Returns those whose cancellation was accepted.</summary>
    private static async Task<IReadOnlyList<int>> CancelHalfAsync(Api api, IReadOnlyList<int> numbers, CancellationToken ct)
    {
#pragma warning disable CA5394 // reproducible moments, not secrets
        var random = new Random(Seed);
        var chosen = numbers.OrderBy(_ => random.Next()).Take(Jobs / 2).Select(number => (number, After: TimeSpan.FromSeconds(random.NextDouble() * 30), Mode: random.Next(2) == 0 ? "SaveThenDestroy" : "DestroyNow")).ToList();
#pragma warning restore CA5394
        var accepted = await Task.WhenAll(chosen.Select(async job =>
        {
            await Task.Delay(job.After, TimeProvider.System, ct);
            return (job.number, Accepted: await Api.OnceServedAsync(() => api.CancelAsync(job.number, job.Mode, ct), ct));
        }));
        return [.. accepted.Where(job => job.Accepted).Select(job => job.number)];
    }

    private static async Task KillWhenAsync(World world, Func<Truth, bool> when, CancellationToken ct)
    {
        await Eventually.HoldsAsync(async () => when(await Truth.OfAsync(world, ct)), "the moment of the kill", Patience, ct);
        await world.Server.KillAsync();
        await world.Server.StartAsync(ct);
    }

    private static async Task AssertOneRentCallPerRowAsync(World world, CancellationToken ct)
    {
        var truth = await Truth.OfAsync(world, ct);
        var rows = new Books(world.Server.Database).Instances();
        Assert.Equal(rows.Count, rows.Select(row => row.Label).Distinct().Count());
        Assert.Equal(truth.Contracts.Count, truth.Contracts.Select(contract => contract.Label).Distinct().Count());
        Assert.All(truth.Contracts, contract => Assert.Contains(rows, row => row.Label == contract.Label));
        Assert.True(truth.RentCalls <= rows.Count, $"{truth.RentCalls} rent calls for {rows.Count} rows");
        Assert.All(rows, row => Assert.True(row.Status is "Gone" or "Rejected", $"{row.Label} is {row.Status}"));
    }

    private static async Task AssertAdaptersAreTheMachinesAsync(World world, Api api, MachineWatch watch, IReadOnlyList<int> numbers, CancellationToken ct)
    {
        var rows = new Books(world.Server.Database).Instances();
        foreach (var number in numbers)
        {
            var onMachines = rows.Where(row => row.JobNumber == number && row.ContractId is not null).Select(row => watch.AdapterOf(row.ContractId!)).OfType<string>().ToList();
            var listed = Assert.Single(await api.FilesAsync(number, ct), file => file.Path == Adapter);
            Assert.Contains(listed.Sha256, onMachines);
            Assert.Equal(listed.Sha256, Convert.ToHexStringLower(SHA256.HashData(await api.DownloadAsync(number, Adapter, ct))));
        }
    }
}
