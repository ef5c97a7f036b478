using System.Globalization;
using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Tests.Shared;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Tests.Lifecycle;

/// <summary>Jobs that wait for a price, on the real market of the sandbox.</summary>
public sealed class PriceOrderTests : IAsyncLifetime
{
    private static readonly OfferQuery Cheapest = new() { GpuCount = 1, DiskGb = 10, MinContract = TimeSpan.FromHours(1) };

    private static readonly LifecycleOptions Pace = new() { OrderLook = TimeSpan.FromSeconds(1), WatchInterval = TimeSpan.FromSeconds(0.5), AbsenceProof = TimeSpan.FromSeconds(2) };

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    /// <summary>A market for each test: prices that were moved stay.</summary>
    private SandboxProcess Sandbox { get; set; } = null!;

    public async ValueTask InitializeAsync() => Sandbox = await SandboxProcess.StartAsync(
        new SandboxSettings { Port = 18640, InstancePorts = (44200, 44299), BootSeconds = 0.5, ListLagSeconds = 1, Credit = 1000, BillingFactor = 1000 }, Now);

    public ValueTask DisposeAsync() => Sandbox.DisposeAsync();

    [Fact]
    public async Task It_rents_nothing_until_the_price_is_there_and_starts_once_also_after_a_restart()
    {
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Pace);
        var offers = await host.Get<IMarketplaces>().For(host.Connection).SearchAsync(Cheapest, Now);
        var limit = new HourlyRate(offers.Min(o => o.Rate.MicrosPerHour) * 8 / 10);
        var job = await SubmitAsync(host, new PriceOrder(limit, null, OrderEnding.Cancel));

        await Eventually.HoldsAsync(async () => (await host.JobAsync(job)).Order is { Lowest: not null }, "it has looked", Patience, Now);
        var waiting = await host.JobAsync(job);
        Assert.Equal((JobStatus.WaitingForPrice, null), (waiting.Status, waiting.Message?.Full));
        Assert.True(waiting.Order!.Lowest > limit, $"{waiting.Order.Lowest} is not above {limit}");
        Assert.Empty(await host.InstancesAsync(job));
        await host.RestartAsync();

        foreach (var offer in offers.DistinctBy(o => o.MachineId).Take(3))
        {
            await PriceAsync(offer, 0.4m);
        }

        await host.EndsAsync(job, JobStatus.Succeeded);

        var machines = (await host.InstancesAsync(job)).Where(i => i.ContractId is not null).ToList();
        Assert.All(machines, machine => Assert.True(machine.GpuRate + machine.DiskRate <= limit, $"{machine.GpuRate} and {machine.DiskRate} are above {limit}"));
        Assert.NotNull((await host.JobAsync(job)).Order!.FiredAt);
        await using var db = await host.Database.ForSystemAsync(Now);
        Assert.Equal(1, await db.Attempts.CountAsync(a => a.JobId == job && a.StartedAt != null, Now));
        Assert.Equal(await db.JobEvents.CountAsync(e => e.JobId == job && e.Kind == "price-reached", Now), await db.Outbox.CountAsync(m => m.Kind == OutboxKinds.OrderFired, Now));
        await Eventually.HoldsAsync(async () => await db.Notices.AnyAsync(n => n.Kind == OutboxKinds.OrderFired && n.Title.Contains("has found its price"), Now), "the bell says so", Patience, Now);
    }

    [Fact]
    public async Task After_its_time_it_is_cancelled_for_nothing_or_waits_on_or_takes_the_best_as_was_chosen()
    {
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Pace);
        var limit = HourlyRate.FromUsd(0.001m);
        var soon = TimeProvider.System.GetUtcNow() + TimeSpan.FromSeconds(3);
        var cancelled = await SubmitAsync(host, new PriceOrder(limit, soon, OrderEnding.Cancel));
        var waits = await SubmitAsync(host, new PriceOrder(limit, soon, OrderEnding.Wait));
        var best = await SubmitAsync(host, new PriceOrder(limit, soon, OrderEnding.TakeBest));

        var ended = await host.EndsAsync(cancelled, JobStatus.Cancelled);
        Assert.Equal(StopReason.PriceNotReached, ended.StopReason);
        Assert.True(ended.EndedAt >= soon);
        Assert.Contains("It cost $0.00.", ended.Message?.Full, StringComparison.Ordinal);
        await host.EndsAsync(best, JobStatus.Succeeded);
        Assert.NotNull((await host.JobAsync(best)).Order!.LiftedAt);
        Assert.Equal((JobStatus.WaitingForPrice, null), ((await host.JobAsync(waits)).Status, (await host.JobAsync(waits)).Order!.Until));

        Assert.Empty(await host.InstancesAsync(cancelled));
        Assert.Empty(await host.InstancesAsync(waits));
        Assert.All(await host.InstancesAsync(best), i => Assert.True(i.CreatedAt >= soon));
        await using var db = await host.Database.ForSystemAsync(Now);
        Assert.Equal(2, await db.Outbox.CountAsync(m => m.Kind == OutboxKinds.OrderOver, Now));
        await host.CancelAsync(waits, CancelMode.DestroyNow);
        await host.EndsAsync(waits, JobStatus.Cancelled);
    }

    private Task PriceAsync(Offer offer, decimal factor) => Sandbox.SwitchAsync(HttpMethod.Put, $"/asks/{offer.Id}", string.Create(CultureInfo.InvariantCulture, $$"""{"price_factor":{{factor}}}"""), Now);

    private static Task<JobId> SubmitAsync(LifecycleHost host, PriceOrder order) => host.SubmitAsync(new TrainingSpec { Preset = Presets.Smoke, Train = new TrainSpec(MaxSteps: 20, Batch: 8) }, order: order);
}
