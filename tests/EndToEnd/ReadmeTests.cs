using System.Diagnostics;
using System.Text.RegularExpressions;
using Dashboard.EndToEnd.Harness;
using Dashboard.Tests.Shared;

namespace Dashboard.EndToEnd;

/// <summary>The README's commands, run as they are printed.</summary>
[Collection(OneWorldAtATime.Name)]
public sealed partial class ReadmeTests
{
    [Fact]
    public async Task The_walk_through_with_curl_submits_follows_stops_and_downloads()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await World.StartAsync(new WorldSettings { Slot = 5 }, ct);
        using (var api = new Api(world))
        {
            await api.SandboxConnectionAsync(ct);
        }

        var commands = WalkThrough().Matches(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "README.md"), ct)).Select(match => match.Groups[1].Value).ToList();
        Assert.True(commands.Count >= 4, "The README has lost its walk-through.");
        var folder = Directory.CreateTempSubdirectory("dashboard-readme-");
        try
        {
            var start = new ProcessStartInfo("bash", ["-euo", "pipefail", "-c", string.Join('\n', commands)]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder.FullName };
            start.Environment["DASHBOARD"] = world.Server.BaseUrl;
            start.Environment["DASHBOARD_TOKEN"] = world.Token;
            using var shell = Process.Start(start)!;
            var (said, wrong) = (shell.StandardOutput.ReadToEndAsync(ct), shell.StandardError.ReadToEndAsync(ct));
            await shell.WaitForExitAsync(ct);
            Assert.True(shell.ExitCode == 0, $"{await said}\n{await wrong}");
            Assert.Contains("Succeeded", await said, StringComparison.Ordinal);
            Assert.Contains("adapter_model.safetensors: OK", await said, StringComparison.Ordinal);
            Assert.Contains("Cancelled", await said, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [GeneratedRegex("```sh walk-through\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex WalkThrough();
}
