using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Tests.Shared;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Tests.Lifecycle;

/// <summary>Whatever the provider answers to a question, a job that can be done is done, on one machine, which is destroyed.</summary>
[Collection(nameof(FaultyRoutesSandbox))]
public sealed class AnswersThatFailTests(FaultyRoutesSandbox fixture) : IAsyncLifetime
{
    private const string Listing = "\"method\":\"GET\",\"path\":\"/api/v1/instances\"";
    private const string Search = "\"method\":\"POST\",\"path\":\"/api/v0/bundles\"";
    private const string Rent = "\"method\":\"PUT\",\"path\":\"/api/v0/asks/*\"";

    private static readonly TrainingSpec Brief = Command("sleep 2");
    private static readonly TrainingSpec Endless = Command("sleep 600");

    private static readonly LifecycleOptions Quick = new()
    {
        QuietInterval = TimeSpan.FromSeconds(1),
        MovingInterval = TimeSpan.FromSeconds(0.5),
        BootingInterval = TimeSpan.FromSeconds(0.5),
        WatchInterval = TimeSpan.FromSeconds(0.5),
        AbsenceProof = TimeSpan.FromSeconds(1),
        ListLag = TimeSpan.FromSeconds(3),
        LookEvery = TimeSpan.FromSeconds(0.3),
        LookClosely = TimeSpan.FromSeconds(1.5),
        PacePause = TimeSpan.FromSeconds(0.2),
        ProofWait = TimeSpan.FromSeconds(2),
    };

    private SandboxProcess Sandbox => fixture.Sandbox;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await Sandbox.SwitchAsync(HttpMethod.Delete, "/faults");
        await Sandbox.SwitchAsync(HttpMethod.Put, "/limits", """{"mode":"off","rows_a_day":null}""");
        await Sandbox.SwitchAsync(HttpMethod.Put, "/market", """{"spend_limit":null}""");
    }

    [Theory]
    [InlineData(Listing, """{"kind":"status","status":502,"count":2}""", """{"kind":"drop","count":2}""", """{"kind":"timeout","seconds":1,"count":1}""")]
    [InlineData(Listing, """{"kind":"cut","count":2}""", """{"kind":"malformed","count":2}""", """{"kind":"delay","seconds":1,"count":2}""")]
    [InlineData(Listing, """{"kind":"stale","count":4}""", """{"kind":"cut_page","keep":0,"count":3}""", """{"kind":"repeat_page","count":3}""")]
    [InlineData(Listing, """{"kind":"shape","shape":"null","fields":["actual_status","ssh_port","dph_total"],"count":3}""", """{"kind":"shape","shape":"missing","fields":["ports","public_ipaddr","gpu_util"]}""")]
    [InlineData(Listing, """{"kind":"shape","shape":"string","fields":["*"]}""")]
    [InlineData(Search, """{"kind":"status","status":503,"count":1}""", """{"kind":"malformed","count":1}""", """{"kind":"shape","shape":"empty","fields":["geolocation","cpu_name"]}""")]
    [InlineData(Search, """{"kind":"shape","shape":"string","fields":["*"]}""")]
    [InlineData(Rent, """{"kind":"malformed","count":1}""")]
    [InlineData(Rent, """{"kind":"cut","count":1}""")]
    public async Task A_job_is_done_all_the_same(string route, params string[] faults)
    {
        foreach (var fault in faults)
        {
            await Sandbox.SwitchAsync(HttpMethod.Post, "/faults", $"{{{route},{fault[1..]}");
        }

        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);

        var job = await host.EndsAsync(await host.SubmitAsync(Brief), JobStatus.Succeeded);

        var truth = await Sandbox.TruthAsync();
        Assert.All(truth.GetProperty("faults").EnumerateArray(), fault => Assert.True(fault.GetProperty("struck").GetInt32() > 0, $"never struck: {fault}"));
        var instance = Assert.Single(await host.InstancesAsync(job.Id));
        Assert.Equal(1, truth.GetProperty("rent_calls").GetProperty(instance.Label).GetInt32());
        Assert.Equal("Destroyed", Assert.Single(truth.GetProperty("instances").EnumerateArray(), i => i.GetProperty("label").GetString() == instance.Label).GetProperty("phase").GetString());
    }

    [Fact]
    public async Task Every_path_is_asked_with_its_slash_so_no_redirect_eats_a_body()
    {
        await Sandbox.SwitchAsync(HttpMethod.Post, "/faults", """{"path":"/api/**","kind":"redirect"}""");
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);

        await host.EndsAsync(await host.SubmitAsync(Brief), JobStatus.Succeeded);

        var truth = await Sandbox.TruthAsync();
        Assert.True(Assert.Single(truth.GetProperty("faults").EnumerateArray()).GetProperty("matched").GetInt32() > 5);
        Assert.DoesNotContain(truth.GetProperty("requests").EnumerateArray(), r => r.GetProperty("status").GetInt32() == 301);
    }

    [Fact]
    public async Task A_machine_that_costs_more_than_quoted_is_destroyed_and_the_next_one_is_tried()
    {
        await Sandbox.SwitchAsync(HttpMethod.Post, "/faults", $$"""{{{Search}},"kind":"price","factor":0.5,"count":1}""");
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);

        var job = await host.EndsAsync(await host.SubmitAsync(Brief, new JobLimits(null, null, null, MaxAttempts: 2)), JobStatus.Succeeded);

        var instances = await host.InstancesAsync(job.Id);
        Assert.Equal([StopReason.StartFailed, StopReason.Finished], instances.Select(i => i.EndReason));
        Assert.StartsWith("We asked for an on-demand machine at ", instances[0].EndMessage?.Full, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_offer_that_somebody_else_took_meanwhile_is_left_for_the_next()
    {
        await Sandbox.SwitchAsync(HttpMethod.Post, "/faults", $$"""{{{Search}},"kind":"stale"}""");
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);
        var first = await host.SubmitAsync(Endless);
        await host.ReachesAsync(first, JobStatus.Starting);

        var second = await host.SubmitAsync(Endless);
        await host.ReachesAsync(second, JobStatus.Starting);

        var rows = await host.InstancesAsync(second);
        Assert.Equal(InstanceStatus.Rejected, rows[0].Status);
        Assert.Null(rows[0].ContractId);
        Assert.NotNull(rows[^1].ContractId);
        await EndAsync(host, first, second);
    }

    [Fact]
    public async Task A_price_limit_holds_although_the_provider_does_not_apply_it()
    {
        await Sandbox.SwitchAsync(HttpMethod.Post, "/faults", $$"""{{{Search}},"kind":"ignore_filter","fields":["dph_total","verified","gpu_ram"]}""");
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);

        var job = await host.EndsAsync(await host.SubmitAsync(Brief, new JobLimits(null, HourlyRate.FromUsd(0.001m), null) { Retry = new RetryPolicy(0, 0, 0, 0) }), JobStatus.Failed);

        Assert.Equal(StopReason.NoCapacity, job.StopReason);
        Assert.Empty(await host.InstancesAsync(job.Id));
        Assert.True(Assert.Single((await Sandbox.TruthAsync()).GetProperty("faults").EnumerateArray()).GetProperty("struck").GetInt32() > 0);
    }

    [Fact]
    public async Task A_machine_that_outlives_its_destroy_for_a_while_is_watched_until_it_is_gone()
    {
        await Sandbox.SwitchAsync(HttpMethod.Put, "/next-instance/faults/destroy_lags", """{"seconds":8}""");
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);

        var job = await host.EndsAsync(await host.SubmitAsync(Brief), JobStatus.Succeeded);

        var instance = Assert.Single(await host.InstancesAsync(job.Id));
        Assert.True((await host.LedgerAsync(job.Id)).Max(e => e.PeriodEnd) - instance.DestroyAskedAt >= TimeSpan.FromSeconds(3), "what stayed was billed until it went");
    }

    [Fact]
    public async Task A_job_is_done_under_the_providers_harshest_limits()
    {
        await Sandbox.SwitchAsync(HttpMethod.Put, "/limits", """{"mode":"harsh"}""");
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);

        var job = await host.EndsAsync(await host.SubmitAsync(Brief), JobStatus.Succeeded);

        Assert.Equal(InstanceStatus.Gone, (await host.InstancesAsync(job.Id))[^1].Status);
    }

    [Fact]
    public async Task A_used_up_quota_of_offer_rows_delays_a_job_until_the_provider_said_to_come_back()
    {
        await Sandbox.SwitchAsync(HttpMethod.Put, "/limits", """{"mode":"off","rows_a_day":1}""");
        await using var host = await LifecycleHost.StartAsync(Sandbox, pace: Quick);
        await host.EndsAsync(await host.SubmitAsync(Brief), JobStatus.Succeeded); // the search that uses it up
        var midnight = new DateTimeOffset(TimeProvider.System.GetUtcNow().UtcDateTime.Date.AddDays(1), TimeSpan.Zero);

        var job = await host.SubmitAsync(Brief);
        await Eventually.HoldsAsync(async () => (await host.JobAsync(job)).Message is not null, "the search is refused");

        var waiting = await host.JobAsync(job);
        Assert.False(JobRules.IsFinal(waiting.Status));
        Assert.Equal(midnight, waiting.NextStepAt!.Value, TimeSpan.FromMinutes(1));
        await EndAsync(host, job);
    }

    [Theory]
    [InlineData("deleted")]
    [InlineData("session_expired")]
    [InlineData("two_factor")]
    public async Task A_key_refused_in_the_middle_breaks_the_connection_and_forgets_no_machine(string standing)
    {
        var key = await Sandbox.ControlAsync(HttpMethod.Post, "/accounts/314159/keys", """{"name":"team","permissions":null}""");
        var keyPath = $"/keys/{key.GetProperty("id").GetInt32()}";
        await using var host = await LifecycleHost.StartAsync(Sandbox, key.GetProperty("api_key").GetString(), pace: Quick);
        var job = await host.SubmitAsync(Endless);
        await host.ReachesAsync(job, JobStatus.Running);

        await Sandbox.SwitchAsync(HttpMethod.Put, keyPath, $$"""{"standing":"{{standing}}"}""");
        await Eventually.HoldsAsync(async () => await BrokenAsync(host), "the connection is broken", TimeSpan.FromSeconds(30));
        Assert.NotEqual(InstanceStatus.Gone, Assert.Single(await host.InstancesAsync(job)).Status);

        await Sandbox.SwitchAsync(HttpMethod.Put, keyPath, """{"standing":"valid"}""");
        await EndAsync(host, job);
    }

    private static TrainingSpec Command(string line) => new() { Preset = Presets.Command, Backend = "command", Command = new CommandSpec(line, []) };

    private static async Task<bool> BrokenAsync(LifecycleHost host)
    {
        await using var db = await host.Database.ForSystemAsync(default);
        return await db.Connections.AnyAsync(c => c.Status == Domain.Teams.ConnectionStatus.Broken);
    }

    private static async Task EndAsync(LifecycleHost host, params JobId[] jobs)
    {
        foreach (var job in jobs)
        {
            await host.CancelAsync(job, CancelMode.DestroyNow);
        }

        foreach (var job in jobs)
        {
            await host.EndsAsync(job, JobStatus.Cancelled);
        }
    }
}
