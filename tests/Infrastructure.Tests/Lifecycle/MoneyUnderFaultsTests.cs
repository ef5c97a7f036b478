using Dashboard.Domain;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Tests.Shared;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Tests.Lifecycle;

/// <summary>Whatever the provider does to the calls that cost money, no machine is left behind and none is rented twice.</summary>
[Collection(nameof(FaultySandbox))]
public sealed class MoneyUnderFaultsTests(FaultySandbox fixture) : IAsyncLifetime
{
    private static readonly TrainingSpec Endless = new() { Preset = Presets.Command, Backend = "command", Command = new CommandSpec("sleep 600", []) };

    private static readonly LifecycleOptions Quick = new()
    {
        QuietInterval = TimeSpan.FromSeconds(1),
        MovingInterval = TimeSpan.FromSeconds(0.5),
        BootingInterval = TimeSpan.FromSeconds(0.5),
        AbsenceProof = TimeSpan.FromSeconds(1),
        ListLag = TimeSpan.FromSeconds(3),
        LookEvery = TimeSpan.FromSeconds(0.3),
        LookClosely = TimeSpan.FromSeconds(1.5),
        LabelWatchInterval = TimeSpan.FromSeconds(0.5),
        IdleInterval = TimeSpan.FromSeconds(0.5),
        PacePause = TimeSpan.FromSeconds(0.2),
        DestroyRetry = TimeSpan.FromSeconds(0.3),
        ProofWait = TimeSpan.FromSeconds(1),
    };

    private SandboxProcess Sandbox => fixture.Sandbox;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync() => await Sandbox.SwitchAsync(HttpMethod.Delete, "/faults");

    [Theory]
    [InlineData("""{"method":"PUT","path":"/api/v0/asks/*","kind":"status","status":502,"after_effect":true,"count":1}""")]
    [InlineData("""{"method":"PUT","path":"/api/v0/asks/*","kind":"drop","after_effect":true,"count":1}""")]
    public async Task A_rent_whose_answer_is_lost_is_found_by_its_label(string fault)
    {
        await Sandbox.SwitchAsync(HttpMethod.Post, "/faults", fault);
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: new LifecycleOptions { LookEvery = Quick.LookEvery });

        var job = await host.SubmitAsync(Endless);
        await Eventually.HoldsAsync(async () => (await host.InstancesAsync(job)).Any(i => i.ContractId is not null), "it is found");

        Assert.Equal(1, await RentCallsAsync(Assert.Single(await host.InstancesAsync(job)).Label));
        await EndsWithoutAMachineAsync(host, job);
    }

    [Fact]
    public async Task A_rent_refused_for_its_pace_is_tried_later_with_another_row()
    {
        await Sandbox.SwitchAsync(HttpMethod.Post, "/faults", """{"method":"PUT","path":"/api/v0/asks/*","kind":"status","status":429,"count":2}""");
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);

        var job = await host.SubmitAsync(Endless);
        await Eventually.HoldsAsync(async () => (await host.InstancesAsync(job)).Any(i => i.ContractId is not null), "it is rented");

        var rows = await host.InstancesAsync(job);
        Assert.Equal([InstanceStatus.Rejected, InstanceStatus.Rejected], rows.Take(2).Select(r => r.Status));
        Assert.Equal(3, rows.Select(r => r.Label).Distinct().Count());
        Assert.True(rows[2].CreatedAt - rows[1].SentAt >= Quick.PacePause * 2, "each pause is longer than the last");
        await EndsWithoutAMachineAsync(host, job);
    }

    [Fact]
    public async Task A_machine_that_shows_up_after_its_rent_was_given_up_is_destroyed()
    {
        await Sandbox.SwitchAsync(HttpMethod.Post, "/faults", """{"method":"PUT","path":"/api/v0/asks/*","kind":"drop","after_effect":true,"count":1}""");
        await Sandbox.SwitchAsync(HttpMethod.Post, "/faults", """{"method":"GET","path":"/api/v1/instances","kind":"list_lag","seconds":600}""");
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);
        var job = await host.SubmitAsync(Endless);
        await Eventually.HoldsAsync(async () => (await host.InstancesAsync(job)).Any(i => i.Status == InstanceStatus.Unknown), "the answer is unclear");
        await host.CancelAsync(job, CancelMode.DestroyNow);
        await host.EndsAsync(job, JobStatus.Cancelled);
        var lost = Assert.Single(await host.InstancesAsync(job));
        Assert.Equal(InstanceStatus.Rejected, lost.Status);
        Assert.Equal("Running", await PhaseAsync(lost.Label));

        await Sandbox.SwitchAsync(HttpMethod.Delete, "/faults");

        await Eventually.HoldsAsync(async () => await PhaseAsync(lost.Label) == "Destroyed", "it is swept", TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_machine_with_the_label_of_an_ended_row_is_swept_although_nothing_runs_and_a_strangers_is_left_alone()
    {
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);
        var job = await host.SubmitAsync(Endless);
        await host.ReachesAsync(job, JobStatus.Starting);
        await EndsWithoutAMachineAsync(host, job);
        var ended = (await host.InstancesAsync(job))[0];
        var market = host.Get<IMarketplaces>().For(host.Connection);
        var forged = ended.Label[..^1] + (ended.Label[^1] == '0' ? '1' : '0'); // ours but for its signature

        var planted = await PlantAsync(market, ended.Label);
        var strangers = await PlantAsync(market, forged);

        await Eventually.HoldsAsync(async () => await PhaseOfAsync(planted) == "Destroyed", "it is swept", TimeSpan.FromSeconds(60));
        await using var db = await host.Database.ForSystemAsync(default);
        await Eventually.HoldsAsync(async () => await db.Connections.AsNoTracking().Select(c => c.ForeignCount).SingleAsync() == 1, "the stranger's is counted");
        Assert.NotEqual("Destroyed", await PhaseOfAsync(strangers));
        await market.DestroyAsync(strangers, default);
    }

    [Fact]
    public async Task A_destroy_that_is_confirmed_and_does_not_happen_is_asked_for_again_and_billed()
    {
        await Sandbox.SwitchAsync(HttpMethod.Put, "/next-instance/faults/destroy_lies");
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);
        var job = await host.SubmitAsync(Endless);
        await host.ReachesAsync(job, JobStatus.Starting);
        await host.CancelAsync(job, CancelMode.DestroyNow);
        await Eventually.HoldsAsync(async () => (await host.InstancesAsync(job))[0].DestroyAsks >= 3, "it is asked for again", TimeSpan.FromSeconds(30));
        var instance = Assert.Single(await host.InstancesAsync(job));
        Assert.Equal(InstanceStatus.Destroying, instance.Status);

        await Sandbox.SwitchAsync(HttpMethod.Delete, $"/instances/{instance.ContractId}/faults/destroy_lies");

        await host.EndsAsync(job, JobStatus.Cancelled);
        Assert.Equal("Destroyed", await PhaseAsync(instance.Label));
        var paid = (await host.LedgerAsync(job)).Max(e => e.PeriodEnd);
        Assert.True(paid - instance.DestroyAskedAt >= TimeSpan.FromSeconds(1.5), "what stayed was billed until it went");
    }

    [Fact]
    public async Task A_destroy_that_fails_is_asked_for_until_it_works()
    {
        await Sandbox.SwitchAsync(HttpMethod.Post, "/faults", """{"method":"DELETE","path":"/api/v0/instances/*","kind":"status","status":503,"count":3}""");
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);
        var job = await host.SubmitAsync(Endless);
        await host.ReachesAsync(job, JobStatus.Starting);

        await EndsWithoutAMachineAsync(host, job);

        Assert.True((await host.InstancesAsync(job))[0].DestroyAsks >= 4);
    }

    [Fact]
    public async Task A_machine_missing_from_listings_is_not_believed_gone()
    {
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);
        var job = await host.SubmitAsync(Endless);
        await Eventually.HoldsAsync(async () => (await host.InstancesAsync(job)).Any(i => i.ObservedAt is not null), "it is listed");
        await Sandbox.SwitchAsync(HttpMethod.Post, "/faults", """{"method":"GET","path":"/api/v1/instances","kind":"list_lag","seconds":600}""");

        var asked = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        await Eventually.HoldsAsync(async () => (await RequestsAsync()).Any(r => r.At >= asked && r.Method == "GET" && r.Path.Contains("/api/v0/instances/", StringComparison.Ordinal)), "it is read by its id", TimeSpan.FromSeconds(60));

        Assert.Null(Assert.Single(await host.InstancesAsync(job)).EndReason);
        await Sandbox.SwitchAsync(HttpMethod.Delete, "/faults");
        await EndsWithoutAMachineAsync(host, job);
    }

    private async Task EndsWithoutAMachineAsync(LifecycleHost host, JobId job)
    {
        await host.CancelAsync(job, CancelMode.DestroyNow);
        await host.EndsAsync(job, JobStatus.Cancelled);
        foreach (var instance in (await host.InstancesAsync(job)).Where(i => i.ContractId is not null))
        {
            Assert.Equal("Destroyed", await PhaseAsync(instance.Label));
        }
    }

    private static async Task<string> PlantAsync(IMarketplace market, string label)
    {
        var offer = (await market.SearchAsync(new OfferQuery { DiskGb = 10 }, default))[0];
        var spec = new LaunchSpec { Label = label, Image = "python:3.12-slim", DiskGb = 10, OnStart = "true", Environment = new Dictionary<string, string>() };
        return Assert.IsType<RentResult.Rented>(await market.RentAsync(offer, spec, default)).ContractId;
    }

    private async Task<string?> PhaseOfAsync(string contractId) =>
        (await Sandbox.TruthWithoutLogAsync()).GetProperty("instances").EnumerateArray().Single(i => i.GetProperty("id").ToString() == contractId).GetProperty("phase").GetString();

    private async Task<int> RentCallsAsync(string label) => (await Sandbox.TruthWithoutLogAsync()).GetProperty("rent_calls").GetProperty(label).GetInt32();

    private async Task<string?> PhaseAsync(string label) =>
        (await Sandbox.TruthWithoutLogAsync()).GetProperty("instances").EnumerateArray().Where(i => i.GetProperty("label").GetString() == label).Select(i => i.GetProperty("phase").GetString()).SingleOrDefault();

    private async Task<IReadOnlyList<(double At, string Method, string Path)>> RequestsAsync() =>
        [.. (await Sandbox.TruthAsync()).GetProperty("requests").EnumerateArray().Select(r => (r.GetProperty("at").GetDouble(), r.GetProperty("method").GetString()!, r.GetProperty("path").GetString()!))];
}
