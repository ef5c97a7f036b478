using System.Diagnostics;
using Dashboard.EndToEnd.Harness;
using Dashboard.Tests.Shared;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Dashboard.EndToEnd;

/// <summary>The server's computer is lost while jobs run; what is left is a backup and another folder.</summary>
public sealed class RestoreDrillTests
{
    private const int Strangers = 3;
    private const string AMinute = "for i in $(seq 1 60); do echo \"step $i\"; sleep 1; done; echo done > out.txt";
    private static readonly TimeSpan RestoredWithin = TimeSpan.FromMinutes(2);
    private static readonly Dictionary<string, string> Often = new() { ["Lifecycle:QuietInterval"] = "00:00:02", ["Lifecycle:IdleInterval"] = "00:00:01" };

    [Fact]
    public async Task A_restored_copy_rents_and_sweeps_nothing_until_it_is_confirmed_and_the_jobs_it_knows_go_on()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await World.StartAsync(new WorldSettings { Slot = 8, Server = Often }, ct);
        using var lost = new Api(world);
        var strangers = await Harness.Strangers.PlantAsync(world.Sandbox, Strangers, new Books(world.Server.Database).Installation(), ct);
        var connection = await lost.SandboxConnectionAsync(ct);
        var known = await lost.SubmitScriptAsync(connection, "known", AMinute, ["out.txt"], ct);
        await lost.ReachesAsync(known, "Running", ct);
        var archive = Path.Combine(world.Folder, "backup.tar.gz");
        var backup = await world.Server.CommandAsync(["backup", "--to", archive], ct);
        Assert.True(backup.Code == 0, backup.Said);
        var forgotten = await lost.SubmitScriptAsync(connection, "rented-after-the-backup", AMinute, ["out.txt"], ct);
        await lost.ReachesAsync(forgotten, "Running", ct);
        await world.Server.KillAsync();
        var unknown = Assert.Single(new Books(world.Server.Database).Instances(), row => row.JobNumber == forgotten && row.ContractId is not null).ContractId!;

        var clock = Stopwatch.StartNew();
        await using var restored = world.AnotherServer(Path.Combine(world.Folder, "restored"), port: 19_040, Often);
        var restore = await restored.CommandAsync(["restore", archive], ct);
        Assert.True(restore.Code == 0, restore.Said);
        await restored.StartAsync(ct);
        var took = clock.Elapsed;
        using var api = new Api(restored, world.Token);
        var books = new Books(restored.Database);
        Assert.Contains("Restored from the backup", books.Quarantine(), StringComparison.Ordinal);

        var waiting = await api.SubmitScriptAsync(connection, "submitted-in-quarantine", "echo done > out.txt", ["out.txt"], ct);
        await Eventually.HoldsAsync(() => books.UnknownMachines().Any(machine => machine.ContractId == unknown), "the machine that the backup does not know is listed", ct: ct);
        await api.ReachesAsync(known, "Succeeded", ct); // it took a minute, with a listing every two seconds
        var during = await Truth.OfAsync(world, ct);
        Assert.False(during.Contracts.Single(contract => contract.Id == unknown).Destroyed);
        Assert.Contains("confirmed this installation", books.Jobs().Single(job => job.Number == waiting).Message, StringComparison.Ordinal);
        Assert.DoesNotContain(books.Instances(), row => row.JobNumber == waiting && row.ContractId is not null);

        await ConfirmAsync(restored, destroyUnknown: true);
        await api.ReachesAsync(waiting, "Succeeded", ct);
        await Eventually.HoldsAsync(async () => (await Truth.OfAsync(world, ct)).Living == Strangers, "of the machines only the strangers' live", ct: ct);
        await Eventually.HoldsAsync(() => books.UnknownMachines().Count == 0, "the unknown machine is off the list", ct: ct);
        Assert.Null(books.Quarantine());
        Assert.DoesNotContain((await Truth.OfAsync(world, ct)).Contracts, contract => contract.Destroyed && strangers.Ids.Contains(contract.Id));

        var figures = new Figures();
        figures.Add($"restore of {new FileInfo(archive).Length} bytes and start in quarantine: {took.TotalSeconds:0.0} s");
        await figures.KeepAsync();
        Assert.True(took <= RestoredWithin, $"The restore took {took.TotalSeconds:0} s.");
    }

    private static async Task ConfirmAsync(ServerProcess server, bool destroyUnknown)
    {
        await using var browser = await BrowserSession.OpenAsync();
        var page = browser.Page;
        await page.GotoAsync($"{server.BaseUrl}/sign-in");
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("In quarantine"); // on every page, this one as well
        await browser.SignInAsync(server, TestContext.Current.CancellationToken);
        await page.GotoAsync($"{server.BaseUrl}/system", new PageGotoOptions { WaitUntil = WaitUntilState.NetworkIdle });
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("In quarantine");
        await page.GetByRole(AriaRole.Button, new() { Name = destroyUnknown ? "destroy those machines" : "leave those machines" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToHaveCountAsync(0);
    }
}
