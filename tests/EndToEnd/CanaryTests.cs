using System.Text;
using Dashboard.EndToEnd.Harness;
using Dashboard.Tests.Shared;

namespace Dashboard.EndToEnd;

/// <summary>A provider's key is used for a whole job's life and looked for everywhere but in the header it belongs to.</summary>
[Collection(OneWorldAtATime.Name)]
public sealed class CanaryTests
{
    private static readonly Dictionary<string, string> EverythingIsLogged = new()
    {
        ["Logging:LogLevel:Default"] = "Trace",
        ["Logging:LogLevel:Microsoft.AspNetCore"] = "Trace",
        ["Logging:LogLevel:Microsoft.EntityFrameworkCore"] = "Trace",
        ["Logging:LogLevel:System.Net.Http"] = "Trace",
    };

    private static readonly string[] Pages = ["", "/connections", "/machines", "/market", "/jobs/1", "/jobs/1?tab=spec", "/jobs/1?tab=events", "/costs", "/inbox"];

    [Fact]
    public async Task A_key_is_in_no_database_file_no_log_no_address_no_page_and_on_no_machine()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await World.StartAsync(new WorldSettings { Slot = 4, Server = EverythingIsLogged }, ct);
        using var api = new Api(world);
        var canary = world.Sandbox.ApiKey;
        Assert.True(canary.Length >= 32);
        var connection = await api.SandboxConnectionAsync(ct);
        var script = await api.SubmitScriptAsync(connection, "looks-around", "env; cat /proc/*/environ | tr '\\0' '\\n'; sleep 3; echo done > out.txt", ["out.txt"], ct);

        var onMachines = new List<string>();
        await Eventually.HoldsAsync(
            async () =>
            {
                onMachines.AddRange(await FilesOfMachinesWithAsync(world, canary, ct));
                return await api.StatusAsync(script, ct) is "Succeeded" or "Failed" or "Cancelled";
            },
            "the job has ended",
            TimeSpan.FromMinutes(4),
            ct);
        Assert.Equal("Succeeded", await api.StatusAsync(script, ct));
        Assert.Empty(onMachines.Distinct());

        await using (var browser = await BrowserSession.OpenAsync())
        {
            await browser.SignInAsync(world, ct);
            foreach (var path in Pages)
            {
                await browser.Page.GotoAsync($"{world.Server.BaseUrl}/t/{World.Slug}{path}");
                Assert.DoesNotContain(canary, await browser.Page.ContentAsync(), StringComparison.Ordinal);
            }
        }

        Assert.DoesNotContain((await Truth.WithRequestsAsync(world, ct)).Requests, request => request.Path.Contains(canary, StringComparison.Ordinal));
        Assert.Contains(FilesWith(world.Server.DataDirectory, "looks-around"), file => file.StartsWith(world.Server.Database, StringComparison.Ordinal)); // the search finds what is there
        Assert.DoesNotContain(canary, world.Server.Log, StringComparison.Ordinal);
        Assert.Contains("/api/v0/asks/", world.Server.Log, StringComparison.Ordinal); // and the log says what was asked of the provider
        Assert.DoesNotContain(FilesWith(world.Server.DataDirectory, canary), file => !file.StartsWith(world.Sandbox.DataDirectory, StringComparison.Ordinal));
    }

    private static async Task<IReadOnlyList<string>> FilesOfMachinesWithAsync(World world, string canary, CancellationToken ct)
    {
        var found = new List<string>();
        foreach (var contract in (await Truth.OfAsync(world, ct)).Contracts.Where(contract => !contract.Destroyed))
        {
            if (await world.Sandbox.RootOfAsync(contract.Id, ct) is { } root)
            {
                found.AddRange(FilesWith(root, canary));
            }
        }

        return found;
    }

    private static IEnumerable<string> FilesWith(string folder, string canary)
    {
        var all = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint | FileAttributes.Device };
        if (!Directory.Exists(folder))
        {
            yield break;
        }

        foreach (var file in Directory.EnumerateFiles(folder, "*", all))
        {
            if (Contains(file, canary))
            {
                yield return file;
            }
        }
    }

    // A file may vanish while its machine is destroyed.
    private static bool Contains(string file, string canary)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(stream, Encoding.Latin1);
            return reader.ReadToEnd().Contains(canary, StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }
}
