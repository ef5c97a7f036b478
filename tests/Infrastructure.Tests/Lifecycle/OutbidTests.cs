using System.Globalization;
using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Logs;
using Dashboard.Tests.Shared;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using static Microsoft.Extensions.Options.Options;

namespace Dashboard.Infrastructure.Tests.Lifecycle;

/// <summary>Machines rented with a bid: what happens when somebody bids more.</summary>
public sealed class OutbidTests : IAsyncLifetime
{
    private static readonly JobLimits WithABid = new(null, null, null) { Bid = new BidPlan() };

    private static readonly OfferQuery Bids = new() { Rental = RentalType.Interruptible, GpuCount = 1, DiskGb = 10, MinContract = TimeSpan.FromHours(1) };

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    /// <summary>A market for each test: rivals stay.</summary>
    private SandboxProcess Sandbox { get; set; } = null!;

    public async ValueTask InitializeAsync() => Sandbox = await SandboxProcess.StartAsync(
        new SandboxSettings { Port = 18680, InstancePorts = (44000, 44099), BootSeconds = 0.5, ListLagSeconds = 1, Credit = 1000, BillingFactor = 1000 }, Now);

    public ValueTask DisposeAsync() => Sandbox.DisposeAsync();

    [Fact]
    public async Task The_machine_is_rented_at_the_bid_a_quarter_above_the_floor_and_billed_at_it()
    {
        await using var host = await StartAsync(waitMinutes: 10);
        var offers = (await host.Get<IMarketplaces>().For(host.Connection).SearchAsync(Bids, Now)).ToDictionary(o => o.Id);

        var job = await host.SubmitAsync(Smoke(steps: 20), WithABid);
        await host.EndsAsync(job, JobStatus.Succeeded);

        var machine = Assert.Single(await RentedAsync(host, job));
        var offer = offers[machine.OfferId];
        Assert.Equal((RentalType.Interruptible, BidPlan.Usual(offer.GpuRate)), (machine.Rental, machine.GpuRate));
        Assert.True(machine.GpuRate.MicrosPerHour >= offer.GpuRate.MicrosPerHour * 1.25m, $"{machine.GpuRate} for a floor of {offer.GpuRate}");
        Assert.All((await host.LedgerAsync(job)).Where(e => e.Kind == ChargeKind.Gpu), e => Assert.Equal(machine.GpuRate, e.Rate));
    }

    [Fact]
    public async Task A_bid_that_is_too_low_rents_nothing_and_the_next_offer_is_tried()
    {
        await using var host = await StartAsync(waitMinutes: 10);
        var offer = await OfferAsync(host, o => o);
        await RivalAsync($"/asks/{offer.Id}", 9);

        var job = await host.SubmitAsync(Smoke(steps: 20), WithABid, offer.Id);
        await host.EndsAsync(job, JobStatus.Succeeded);

        var rows = await host.InstancesAsync(job);
        Assert.Equal((InstanceStatus.Rejected, offer.Id, StopReason.NoCapacity), (rows[0].Status, rows[0].OfferId, rows[0].EndReason));
        Assert.Contains("was too low", rows[0].EndMessage?.Full, StringComparison.Ordinal);
        Assert.NotEqual(offer.MachineId, rows[^1].MachineId);
        Assert.Equal(1, (await host.JobAsync(job)).AttemptCount);
    }

    [Fact]
    public async Task An_outbid_machine_that_comes_back_goes_on_with_the_same_attempt_and_only_its_disk_was_billed_meanwhile()
    {
        await using var host = await StartAsync(waitMinutes: 10);
        var job = await host.SubmitAsync(Smoke(steps: 250, pace: 0.04m), WithABid);
        var machine = await TrainsAsync(host, job);

        await OutbidAsync(host, job, machine);
        var waiting = await host.JobAsync(job);
        Assert.Contains("Another renter bid more", waiting.Message?.Full, StringComparison.Ordinal);
        Assert.Contains("It is kept stopped for 10 min", waiting.Message?.Full, StringComparison.Ordinal);
        await RivalAsync($"/instances/{machine.ContractId}/rivals", 0);
        var ended = await host.EndsAsync(job, JobStatus.Succeeded);

        var row = Assert.Single(await RentedAsync(host, job));
        Assert.Equal((1, 1), (ended.AttemptCount, ended.Interruptions));
        var truth = (await Sandbox.TruthWithoutLogAsync(Now)).GetProperty("instances").EnumerateArray().Single(i => i.GetProperty("id").GetRawText().Trim('"') == row.ContractId);
        Assert.Equal(2, truth.GetProperty("running").GetArrayLength());
        Close(truth.GetProperty("bill"), await host.LedgerAsync(job), row.GpuRate);
        Assert.Equal(Enumerable.Range(0, 25).Select(i => 10L + (10 * i)).Prepend(1), (await host.Get<MetricsStore>().LossSeriesAsync(job, 1000, Now)).Train.Select(p => p.Step).Where(s => s % 10 == 0 || s == 1));
    }

    [Fact]
    public async Task A_raised_bid_brings_the_machine_back_and_each_stretch_is_billed_at_its_own_bid()
    {
        await using var host = await StartAsync(waitMinutes: 10);
        var job = await host.SubmitAsync(Smoke(steps: 300, pace: 0.04m), WithABid);
        var machine = await TrainsAsync(host, job);
        await RivalAsync($"/instances/{machine.ContractId}/rivals", 1);
        await Eventually.HoldsAsync(async () => (await RentedAsync(host, job))[0].Status == InstanceStatus.Interrupted, "it is known to be outbid", Patience, Now);

        Assert.True(await host.Get<OutbidMachines>().RaiseAsync(job, new UserId(Guid.NewGuid()), HourlyRate.FromUsd(1.5m), Now));
        await host.EndsAsync(job, JobStatus.Succeeded);

        var row = Assert.Single(await RentedAsync(host, job));
        var gpu = (await host.LedgerAsync(job)).Where(e => e.Kind == ChargeKind.Gpu).ToList();
        Assert.Equal([machine.GpuRate, HourlyRate.FromUsd(1.5m)], gpu.Select(e => e.Rate).Distinct());
        var truth = (await Sandbox.TruthWithoutLogAsync(Now)).GetProperty("instances").EnumerateArray().Single(i => i.GetProperty("id").GetRawText().Trim('"') == row.ContractId);
        Close(truth.GetProperty("bill"), gpu, HourlyRate.FromUsd(1.5m));
        Assert.Equal(HourlyRate.FromUsd(1.5m), (await host.JobAsync(job)).Limits.Bid?.Bid); // for its next machines too
    }

    [Fact]
    public async Task A_cheaper_continuation_elsewhere_is_taken_while_the_machine_is_kept_and_there_are_never_two_that_work()
    {
        await using var host = await StartAsync(waitMinutes: 10);
        var dear = await OfferAsync(host, offers => offers.OrderByDescending(o => o.Rate));
        await RivalAsync($"/asks/{dear.Id}", 0);
        var job = await host.SubmitAsync(Smoke(steps: 60_000, pace: 0.04m), WithABid, dear.Id);
        var machine = await TrainsAsync(host, job);
        Assert.Equal(dear.MachineId, machine.MachineId);

        await RivalAsync($"/instances/{machine.ContractId}/rivals", 90);
        await Eventually.HoldsAsync(async () => (await host.JobAsync(job)).AttemptCount == 2, "it goes on elsewhere", Patience, Now);
        await Eventually.HoldsAsync(async () => (await AttemptsAsync(host, job)) is [_, { ResumedFrom: not null }], "the second attempt runs", Patience, Now);

        var attempts = await AttemptsAsync(host, job);
        Assert.Equal(StopReason.Interrupted, attempts[0].StopReason);
        Assert.Contains("Going on in", attempts[0].Message?.Full, StringComparison.Ordinal);
        Assert.Equal(attempts[0].CheckpointHome, attempts[1].ResumedFrom);
        await Eventually.HoldsAsync(async () => (await RentedAsync(host, job))[0].Status == InstanceStatus.Gone, "the kept machine is destroyed", Patience, Now);
        var next = (await RentedAsync(host, job))[^1];
        Assert.True(next.GpuRate < machine.GpuRate, $"{next.GpuRate} after {machine.GpuRate}");
        Assert.Equal(RentalType.Interruptible, next.Rental);
        await host.CancelAsync(job, CancelMode.DestroyNow);
        await host.EndsAsync(job, JobStatus.Cancelled);
        Assert.Equal(1, await LivingAtOnceAsync(job, host));
    }

    [Fact]
    public async Task A_machine_that_does_not_come_back_in_time_is_destroyed_and_the_job_goes_on_from_its_checkpoint()
    {
        await using var host = await StartAsync(waitMinutes: 0.05);
        var job = await host.SubmitAsync(Smoke(steps: 500, pace: 0.04m), WithABid);
        var machine = await TrainsAsync(host, job);

        await RivalAsync($"/instances/{machine.ContractId}/rivals", 90);
        await host.EndsAsync(job, JobStatus.Succeeded);

        var (rows, attempts) = (await RentedAsync(host, job), await AttemptsAsync(host, job));
        Assert.Equal((InstanceStatus.Gone, StopReason.Interrupted), (rows[0].Status, rows[0].EndReason));
        Assert.NotEqual(rows[0].MachineId, rows[^1].MachineId);
        Assert.Equal((2, attempts[0].CheckpointHome), (attempts.Count, attempts[1].ResumedFrom));
    }

    [Fact]
    public async Task After_as_many_interruptions_as_the_job_allows_it_goes_on_on_demand_at_once()
    {
        await using var host = await StartAsync(waitMinutes: 10);
        var job = await host.SubmitAsync(Smoke(steps: 500, pace: 0.04m), WithABid with { Bid = new BidPlan(OnDemandAfter: 1) });
        var machine = await TrainsAsync(host, job);

        await RivalAsync($"/instances/{machine.ContractId}/rivals", 90);
        await host.EndsAsync(job, JobStatus.Succeeded);

        Assert.Equal([RentalType.Interruptible, RentalType.OnDemand], (await RentedAsync(host, job)).Select(i => i.Rental));
        await using var db = await host.Database.ForSystemAsync(default);
        Assert.Contains(" on demand, ≈ ", (await db.JobEvents.Where(e => e.JobId == job && e.Kind == "continued").SingleAsync(Now)).Text.Full, StringComparison.Ordinal);
        Assert.Equal(2, await db.Ledger.Where(e => e.JobId == job).Select(e => e.AttemptId).Distinct().CountAsync(Now));
    }

    [Fact]
    public async Task Stopped_by_a_person_while_it_is_kept_it_is_destroyed_and_nothing_new_is_rented()
    {
        await using var host = await StartAsync(waitMinutes: 10);
        var job = await host.SubmitAsync(Smoke(steps: 60_000, pace: 0.04m), WithABid);
        var machine = await TrainsAsync(host, job);
        await OutbidAsync(host, job, machine);

        await host.CancelAsync(job, CancelMode.SaveThenDestroy);
        await host.EndsAsync(job, JobStatus.Cancelled);

        Assert.Equal(InstanceStatus.Gone, Assert.Single(await RentedAsync(host, job)).Status);
    }

    [Fact]
    public async Task A_server_that_was_away_while_the_machine_was_outbid_takes_it_up_where_it_was()
    {
        await using var host = await StartAsync(waitMinutes: 10);
        var job = await host.SubmitAsync(Smoke(steps: 250, pace: 0.04m), WithABid);
        var machine = await TrainsAsync(host, job);
        await OutbidAsync(host, job, machine);

        await host.RestartAsync();
        await RivalAsync($"/instances/{machine.ContractId}/rivals", 0);
        await host.EndsAsync(job, JobStatus.Succeeded);

        Assert.Single(await RentedAsync(host, job));
    }

    private Task<LifecycleHost> StartAsync(double waitMinutes) => LifecycleHost.StartAsync(
        Sandbox,
        more: services => services.AddSingleton(Create(new InterruptionOptions { CheckpointMinutes = 0.02, WaitMinutes = waitMinutes })),
        pace: new LifecycleOptions
        {
            QuietInterval = TimeSpan.FromSeconds(0.5),
            MovingInterval = TimeSpan.FromSeconds(0.5),
            BootingInterval = TimeSpan.FromSeconds(0.5),
            WatchInterval = TimeSpan.FromSeconds(0.5),
            ExitedGrace = TimeSpan.FromSeconds(2),
            CapacityPause = TimeSpan.FromSeconds(1), // rivals may hold the five cheapest
            AbsenceProof = TimeSpan.FromSeconds(1),
        });

    private static TrainingSpec Smoke(int steps, decimal pace = 0) =>
        new() { Preset = Presets.Smoke, Train = new TrainSpec(MaxSteps: steps, Batch: 8), Save = new SaveSpec(Steps: 10), PaceS = pace };

    private async Task<Offer> OfferAsync(LifecycleHost host, Func<IEnumerable<Offer>, IEnumerable<Offer>> order) =>
        order(await host.Get<IMarketplaces>().For(host.Connection).SearchAsync(Bids, Now)).First();

    /// <summary>Its machines, without the offers on which others bid more already.</summary>
    private static async Task<IReadOnlyList<Instance>> RentedAsync(LifecycleHost host, JobId job) => [.. (await host.InstancesAsync(job)).Where(i => i.ContractId is not null)];

    /// <summary>Its machine, once a checkpoint is at home.</summary>
    private static async Task<Instance> TrainsAsync(LifecycleHost host, JobId job)
    {
        await Eventually.HoldsAsync(async () => await AttemptsAsync(host, job) is [{ CheckpointHome: not null }], "a checkpoint is at home", Patience, Now);
        return (await RentedAsync(host, job)).Single(i => i.Status == InstanceStatus.Running);
    }

    private async Task OutbidAsync(LifecycleHost host, JobId job, Instance machine)
    {
        await RivalAsync($"/instances/{machine.ContractId}/rivals", 90);
        await Eventually.HoldsAsync(async () => (await RentedAsync(host, job))[0].Status == InstanceStatus.Interrupted, "it is known to be outbid", Patience, Now);
    }

    private Task RivalAsync(string path, decimal bid) => Sandbox.SwitchAsync(HttpMethod.Put, path, string.Create(CultureInfo.InvariantCulture, $$"""{"rival_bid":{{bid}}}"""), Now);

    private static async Task<IReadOnlyList<Attempt>> AttemptsAsync(LifecycleHost host, JobId job)
    {
        await using var db = await host.Database.ForSystemAsync(default);
        return await db.Attempts.AsNoTracking().Where(a => a.JobId == job).OrderBy(a => a.Number).ToListAsync(Now);
    }

    /// <summary>The most machines of the job that ran at one moment, by the sandbox's own books.</summary>
    private async Task<int> LivingAtOnceAsync(JobId job, LifecycleHost host)
    {
        var ours = (await RentedAsync(host, job)).Select(i => i.ContractId).ToHashSet();
        var edges = new List<(double At, int Change)>();
        foreach (var instance in (await Sandbox.TruthWithoutLogAsync(Now)).GetProperty("instances").EnumerateArray().Where(i => ours.Contains(i.GetProperty("id").GetRawText().Trim('"'))))
        {
            foreach (var interval in instance.GetProperty("running").EnumerateArray())
            {
                edges.Add((interval.GetProperty("start").GetDouble(), 1));
                edges.Add(((interval.GetProperty("end") is { ValueKind: System.Text.Json.JsonValueKind.Number } end ? end.GetDouble() : double.MaxValue), -1));
            }
        }

        var (most, now) = (0, 0);
        foreach (var edge in edges.OrderBy(e => e.At).ThenBy(e => e.Change))
        {
            most = Math.Max(most, now += edge.Change);
        }

        return most;
    }

    /// <summary>Our ledger and the sandbox's bill, within what two unseen moments can be off.</summary>
    private static void Close(System.Text.Json.JsonElement bill, IReadOnlyList<LedgerEntry> ledger, HourlyRate rate)
    {
        var billed = bill.GetProperty("gpu").GetDecimal() / 1000; // it bills a thousand times what it says
        var posted = ledger.Where(e => e.Kind == ChargeKind.Gpu).Sum(e => e.Amount.Usd);
        var slack = rate.For(TimeSpan.FromSeconds(4)).Usd;
        Assert.True(Math.Abs(billed - posted) <= slack, $"billed {billed}, posted {posted}, slack {slack}");
    }
}
