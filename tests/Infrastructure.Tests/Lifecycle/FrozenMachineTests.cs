using System.Diagnostics;
using System.Globalization;
using System.Text;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Logs;
using Dashboard.Tests.Shared;

namespace Dashboard.Infrastructure.Tests.Lifecycle;

/// <summary>A machine that stands still: its connections stay open and say nothing.</summary>
[Collection(nameof(TroubledServerSandbox))]
public sealed class FrozenMachineTests(TroubledServerSandbox fixture)
{
    private const int Lines = 60;
    private static readonly TimeSpan Noticed = TimeSpan.FromSeconds(25);
    private static readonly TrainingSpec Counting = new() { Preset = Presets.Command, Backend = "command", Command = new CommandSpec($"for i in $(seq 1 {Lines}); do echo \"line $i\"; sleep 0.2; done; echo done > out.txt", ["out.txt"]) };

    [Fact]
    public async Task Is_noticed_within_25_seconds_and_followed_on_without_a_line_lost_or_doubled_when_it_goes_on()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs the processes of the machine.");
        await using var host = await LifecycleHost.StartAsync(fixture.Sandbox);
        var job = await host.SubmitAsync(Counting);
        await host.ReachesAsync(job, JobStatus.Running);
        var instance = Assert.Single(await host.InstancesAsync(job));
        await Eventually.HoldsAsync(async () => await host.Get<LogStore>().LengthAsync(job, 1, default) > 50, "it says something");

        var machine = await ProcessesAsync(instance.ContractId!);
        Assert.True(machine.Count >= 3, "sshd, supervisor and program");
        await SignalAsync("STOP", machine);
        var clock = Stopwatch.StartNew();
        await Eventually.HoldsAsync(async () => (await host.InstancesAsync(job))[0].SshMessage is not null, "the silence is noticed");
        var took = clock.Elapsed;
        await SignalAsync("CONT", machine);

        await host.EndsAsync(job, JobStatus.Succeeded);
        var log = Encoding.UTF8.GetString(await host.Get<LogStore>().ReadBytesAsync(job, 1, 0, 64 * 1024, default));
        Assert.Equal(string.Concat(Enumerable.Range(1, Lines).Select(i => $"line {i}\n")), log);
        Assert.Single(await host.InstancesAsync(job));
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"noticed after {took.TotalSeconds:0.0} s"));
        Assert.True(took <= Noticed, $"It took {took.TotalSeconds:0.0} s.");
    }

    /// <summary>The first process of the machine and all below it.</summary>
    private async Task<IReadOnlyList<int>> ProcessesAsync(string contract)
    {
        var folder = Path.GetDirectoryName(await fixture.Sandbox.RootOfAsync(contract))!;
        var first = int.Parse(File.ReadAllText(Path.Combine(folder, "process")).Split(' ')[0], CultureInfo.InvariantCulture);
        var parents = Directory.GetDirectories("/proc").Select(path => Path.GetFileName(path)).Where(name => int.TryParse(name, out _)).Select(ParentOf).OfType<(int Id, int Parent)>().ToLookup(p => p.Parent, p => p.Id);
        var all = new List<int> { first };
        for (var next = 0; next < all.Count; next++)
        {
            all.AddRange(parents[all[next]]);
        }

        return all;
    }

    private static (int Id, int Parent)? ParentOf(string id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            return (int.Parse(id, CultureInfo.InvariantCulture), int.Parse(stat[(stat.LastIndexOf(')') + 4)..].Split(' ')[0], CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            return null; // it has just ended
        }
    }

    private static async Task SignalAsync(string signal, IReadOnlyList<int> processes)
    {
        using var kill = Process.Start("kill", [$"-{signal}", .. processes.Select(id => id.ToString(CultureInfo.InvariantCulture))]);
        await kill.WaitForExitAsync();
    }
}
