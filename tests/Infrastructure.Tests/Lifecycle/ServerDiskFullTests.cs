using System.Diagnostics;
using System.Text.Json;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Tests.Lifecycle;

/// <summary>The disk of the server itself has no room left, on a small file system of its own.</summary>
[Collection(nameof(TroubledServerSandbox))]
public sealed class ServerDiskFullTests(TroubledServerSandbox fixture) : IAsyncLifetime
{
    private const long Mebibyte = 1024 * 1024;
    private static readonly TrainingSpec Endless = new() { Preset = Presets.Command, Backend = "command", Command = new CommandSpec("sleep 600", []) };

    private static readonly LifecycleOptions Quick = new()
    {
        QuietInterval = TimeSpan.FromSeconds(1),
        MovingInterval = TimeSpan.FromSeconds(0.5),
        BootingInterval = TimeSpan.FromSeconds(0.5),
        AbsenceProof = TimeSpan.FromSeconds(1),
        DestroyRetry = TimeSpan.FromSeconds(0.3),
        ProofWait = TimeSpan.FromSeconds(1),
    };

    private readonly string _disk = Directory.CreateTempSubdirectory("small-disk-").FullName;
    private string? _missing;

    private SandboxProcess Sandbox => fixture.Sandbox;

    private string Ballast => Path.Combine(_disk, "ballast");

    public async ValueTask InitializeAsync() => _missing = await RunAsync("mount", "-t", "tmpfs", "-o", "size=160m,mode=700", "none", _disk);

    public async ValueTask DisposeAsync()
    {
        await Sandbox.SwitchAsync(HttpMethod.Delete, "/faults");
        if (_missing is null)
        {
            await RunAsync("umount", "-l", _disk);
        }

        Directory.Delete(_disk, recursive: true);
    }

    [Fact]
    public async Task Nothing_is_rented_what_is_doomed_is_destroyed_without_a_write_and_all_goes_on_when_there_is_room()
    {
        Assert.SkipWhen(_missing is not null, $"A small file system cannot be mounted here: {_missing}");
        await using var host = await LifecycleHost.StartAsync(Sandbox, more: services => services.AddSingleton(Options.Create(new DiskOptions { Reserve = 32 * Mebibyte, Least = 32 * Mebibyte, Look = TimeSpan.FromSeconds(0.2) })), pace: Quick, data: Path.Combine(_disk, "data"));
        var ban = host.Get<RentBan>();
        var reserve = Path.Combine(host.Data, "reserve");
        await Eventually.HoldsAsync(() => File.Exists(reserve), "the reserve is laid by");
        var doomed = await host.SubmitAsync(Endless);
        await host.ReachesAsync(doomed, JobStatus.Running);
        var contract = Assert.Single(await host.InstancesAsync(doomed)).ContractId!;
        await Sandbox.SwitchAsync(HttpMethod.Post, "/faults", """{"method":"DELETE","path":"/api/v0/instances/*","kind":"status","status":500}""");
        await host.CancelAsync(doomed, CancelMode.DestroyNow);
        await Eventually.HoldsAsync(async () => (await host.InstancesAsync(doomed))[0].Status == InstanceStatus.Destroying, "it is being destroyed");

        Fill(leave: 8 * Mebibyte);
        await Eventually.HoldsAsync(() => ban.DiskFull is not null, "the full disk is noticed");
        await Eventually.HoldsAsync(() => !File.Exists(reserve), "the reserve is given up");
        var waiting = await host.SubmitAsync(Endless); // there is room for bookkeeping again
        await Eventually.HoldsAsync(async () => (await host.JobAsync(waiting)).Message?.Full.Contains("disk is full", StringComparison.Ordinal) == true, "the job says what it waits for");

        Fill(leave: 0);
        Assert.ThrowsAny<IOException>(() => File.WriteAllBytes(Path.Combine(host.Data, "more"), new byte[64 * 1024]));
        await Sandbox.SwitchAsync(HttpMethod.Delete, "/faults");
        await Eventually.HoldsAsync(async () => await IsDestroyedAsync(contract), "the machine is destroyed although nothing can be written");
        Assert.Empty(await host.InstancesAsync(waiting));

        File.Delete(Ballast);
        await Eventually.HoldsAsync(() => ban.Why is null, "renting goes on");
        Assert.True(new FileInfo(reserve).Length == 32 * Mebibyte, "The reserve was not laid by again.");
        await host.EndsAsync(doomed, JobStatus.Cancelled);
        await host.ReachesAsync(waiting, JobStatus.Running);
        await host.CancelAsync(waiting, CancelMode.DestroyNow);
        await host.EndsAsync(waiting, JobStatus.Cancelled);
    }

    private void Fill(long leave)
    {
        using var file = new FileStream(Ballast, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        var block = new byte[4096];
        try
        {
            while (new DriveInfo(_disk).AvailableFreeSpace > leave)
            {
                file.Write(block);
            }
        }
        catch (IOException) when (leave == 0)
        {
            // full
        }
    }

    private async Task<bool> IsDestroyedAsync(string contract) =>
        (await Sandbox.TruthWithoutLogAsync()).GetProperty("instances").EnumerateArray().Single(i => i.GetProperty("id").ToString() == contract).GetProperty("destroyed").ValueKind != JsonValueKind.Null;

    /// <returns>What it said when it failed; null when it did not.</returns>
    private static async Task<string?> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var said = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? null : said.Trim();
    }
}
