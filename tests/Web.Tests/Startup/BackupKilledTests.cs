using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Dashboard.Tests.Shared;
using Dashboard.Web.Startup;

namespace Dashboard.Web.Tests.Startup;

/// <summary>A backup that is killed while it is written leaves no archive, and the next one leaves nothing of it.</summary>
[Collection(OneServerAtATime.Name)]
public sealed class BackupKilledTests : IDisposable
{
    private const int AWhile = 192 * 1024 * 1024; // bytes that do not compress: it is being written for longer than a kill takes

    private readonly string _folder = Directory.CreateTempSubdirectory("dashboard-killed-").FullName;

    private string Data => Path.Combine(_folder, "data");

    private string Backups => Path.Combine(_folder, "backups");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_killed_backup_leaves_nothing_half_and_is_taken_anew()
    {
        await using (await RunningDashboard.StartAsync(("Data:Directory", Data)))
        {
        }

        var artifact = Path.Combine(Directory.CreateDirectory(Path.Combine(Data, "artifacts", "one")).FullName, "model.bin");
        await File.WriteAllBytesAsync(artifact, RandomNumberGenerator.GetBytes(AWhile), Ct);
        await KillWhileItWritesAsync(Path.Combine(Backups, "first.tar.gz"));
        Assert.NotEmpty(Directory.GetFiles(Backups));
        Assert.DoesNotContain(Directory.GetFiles(Backups), file => file.EndsWith(".tar.gz", StringComparison.Ordinal));

        await File.WriteAllTextAsync(artifact, "small", Ct);
        Assert.Equal(0, await RunAsync(Data, "backup", "--to", Path.Combine(Backups, "second.tar.gz")));

        Assert.Equal(["second.tar.gz"], Directory.GetFiles(Backups).Select(Path.GetFileName));
        Assert.Equal(0, await RunAsync(Path.Combine(_folder, "restored"), "restore", Path.Combine(Backups, "second.tar.gz")));
        Assert.Equal("small", await File.ReadAllTextAsync(Path.Combine(_folder, "restored", "artifacts", "one", "model.bin"), Ct));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task KillWhileItWritesAsync(string archive)
    {
        var start = new ProcessStartInfo("dotnet", [Repository.Built("Web", "Dashboard.Web.dll"), "backup", "--to", archive]) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Development";
        start.Environment["Data__Directory"] = Data;
        using var backup = Process.Start(start)!;
        try
        {
            await Eventually.HoldsAsync(() => backup.HasExited || new FileInfo(archive + ".part") is { Exists: true, Length: > 1_000_000 }, "it is being written", ct: Ct);
        }
        finally
        {
            backup.Kill();
        }

        await backup.WaitForExitAsync(Ct);
        Assert.Equal(137, backup.ExitCode); // killed, and not done
    }

    private static async Task<int> RunAsync(string data, params string[] arguments)
    {
        await using var said = new StringWriter(CultureInfo.InvariantCulture);
        return await DataCommands.RunAsync(arguments, new ServerSettings(data, $"Data Source={Path.Combine(data, "dashboard.db")}", new Uri("http://localhost:5080"), CertificatePath: null), said, said);
    }
}
