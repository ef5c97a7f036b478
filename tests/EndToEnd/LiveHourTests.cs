using Dashboard.EndToEnd.Harness;
using Microsoft.Playwright;

namespace Dashboard.EndToEnd;

/// <summary>
/// Every live page open for an hour, while jobs come and go and the market runs a hundred times as fast. Only in the published size;
/// in CI's, <see cref="PagesTests"/> holds one page to the same for a moment.
/// </summary>
[Collection(OneWorldAtATime.Name)]
public sealed class LiveHourTests
{
    private const int MarketSpeed = 100;
    private const string TwoHours = "for i in $(seq 7200); do echo \"{'loss': 0.$((i % 900 + 100)), 'epoch': $i}\"; sleep 1; done; echo done > out.txt"; // a smoke test may not last so long
    private const long HeapSlack = 8_000_000; // bytes: charts keep what they draw, up to their limit
    private const double NodeSlack = 1.25;
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan WarmUp = TimeSpan.FromMinutes(10); // charts, pools and the console's tail have their full size
    private static readonly string[] Live = ["", "/jobs", "/jobs/1", "/jobs/1?tab=console", "/jobs/1?tab=metrics", "/machines", "/market", "/costs", "/inbox"];

    [Fact]
    public async Task For_an_hour_of_live_updates_nothing_jumps_and_the_browsers_memory_stays_flat()
    {
        Assert.SkipUnless(TestSize.IsFull, "An hour long; the published size runs it.");
        var ct = TestContext.Current.CancellationToken;
        await using var world = await World.StartAsync(new WorldSettings { Slot = 6, BillingFactor = 100, Speed = MarketSpeed }, ct);
        using var api = new Api(world);
        var connection = await api.SandboxConnectionAsync(ct);
        await api.ReachesAsync(await api.SubmitScriptAsync(connection, "all-evening", TwoHours, ["out.txt"], ct), "Running", ct);

        await using var browser = await BrowserSession.OpenAsync();
        await browser.SignInAsync(world, ct);
        var pages = new List<(IPage Page, string Name, Stillness Still)>();
        foreach (var path in Live)
        {
            var page = await browser.Page.Context.NewPageAsync();
            await page.GotoAsync($"{world.Server.BaseUrl}/t/{World.Slug}{path}", new PageGotoOptions { WaitUntil = WaitUntilState.NetworkIdle });
            await page.WaitForFunctionAsync("() => document.activeElement?.tagName === 'H1'", null, new PageWaitForFunctionOptions { Timeout = 120_000 }); // the page lives, and has put the focus where navigation puts it
            pages.Add((page, path, await Stillness.OfAsync(page, path.Length == 0 ? "home" : path)));
        }

        var (broken, memory) = (new HashSet<string>(), new List<(TimeSpan At, string Name, Memory Used)>());
        var begun = TimeProvider.System.GetTimestamp();
        using var timer = new PeriodicTimer(LookEvery, TimeProvider.System);
        for (var look = 0; TimeProvider.System.GetElapsedTime(begun) is var passed && passed < Hour; look++)
        {
            if (look % 4 == 0)
            {
                await api.SubmitSmokeAsync(connection, $"short-{look}", 100, ct);
            }

            foreach (var (page, name, still) in pages)
            {
                broken.UnionWith(await still.BrokenAsync());
                if (look % 8 == 0)
                {
                    memory.Add((passed, name, await Memory.OfAsync(page)));
                }
            }

            await timer.WaitForNextTickAsync(ct);
        }

        await Evidence.KeepAsync("memory.txt", string.Join('\n', memory.Select(m => $"{m.At.TotalMinutes:0} min {m.Name}: {m.Used.Heap / 1e6:0.0} MB, {m.Used.Nodes} nodes")));
        Assert.True(broken.Count == 0, string.Join('\n', broken));
        foreach (var page in memory.GroupBy(m => m.Name))
        {
            var settled = page.Where(m => m.At >= WarmUp).ToList();
            var (early, late) = (settled.Take(settled.Count / 3).ToList(), settled.TakeLast(settled.Count / 3).ToList());
            Assert.True(late.Min(m => m.Used.Heap) <= early.Max(m => m.Used.Heap) + HeapSlack, $"{page.Key} grew from {early.Max(m => m.Used.Heap)} to {late.Min(m => m.Used.Heap)} bytes.");
            Assert.True(late.Min(m => m.Used.Nodes) <= early.Max(m => m.Used.Nodes) * NodeSlack, $"{page.Key} grew from {early.Max(m => m.Used.Nodes)} to {late.Min(m => m.Used.Nodes)} nodes.");
        }

        Assert.Empty(browser.Complaints);
    }

    /// <summary>What a page holds after everything that may be collected was.</summary>
    private sealed record Memory(double Heap, double Nodes)
    {
        public static async Task<Memory> OfAsync(IPage page)
        {
            var tools = await page.Context.NewCDPSessionAsync(page);
            await tools.SendAsync("HeapProfiler.collectGarbage");
            await tools.SendAsync("Performance.enable");
            var metrics = (await tools.SendAsync("Performance.getMetrics"))!.Value.GetProperty("metrics").EnumerateArray()
                .ToDictionary(m => m.GetProperty("name").GetString()!, m => m.GetProperty("value").GetDouble());
            await tools.DetachAsync();
            return new Memory(metrics["JSHeapUsedSize"], metrics["Nodes"]);
        }
    }
}
