using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Providers.VastAi;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Dashboard.Infrastructure.Tests.Providers.VastAi;

public sealed class EndpointGateTests
{
    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Calls_of_one_endpoint_queue_with_the_least_time_between_them()
    {
        var gate = GateOf(TimeSpan.FromSeconds(3));

        var (first, second, third) = (gate.PassAsync(Ct), gate.PassAsync(Ct), gate.PassAsync(Ct));

        Assert.Equal((true, false, false), (first.IsCompleted, second.IsCompleted, third.IsCompleted));
        _time.Advance(TimeSpan.FromSeconds(3));
        await second;
        Assert.False(third.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(3));
        await third;
    }

    [Fact]
    public async Task A_cancelled_wait_ends_at_once()
    {
        var gate = GateOf(TimeSpan.FromSeconds(3));
        await gate.PassAsync(Ct);
        using var cancelling = new CancellationTokenSource();

        var waiting = gate.PassAsync(cancelling.Token);
        await cancelling.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task A_queue_that_is_too_long_is_refused_with_the_wait()
    {
        var gate = GateOf(TimeSpan.FromSeconds(15));
        await gate.PassAsync(Ct);
        var waiting = gate.PassAsync(Ct);

        var error = await Assert.ThrowsAsync<RateLimitedException>(() => gate.PassAsync(Ct));

        Assert.Equal(TimeSpan.FromSeconds(30), error.RetryAfter);
        _time.Advance(TimeSpan.FromSeconds(15));
        await waiting;
    }

    [Fact]
    public async Task After_a_refusal_nobody_passes_for_the_penalty()
    {
        var gate = new EndpointGate(TimeSpan.FromSeconds(4.5), TimeSpan.FromSeconds(12), TimeSpan.FromSeconds(20), _time);
        await gate.PassAsync(Ct);
        gate.Close(null);

        var waiting = gate.PassAsync(Ct);
        _time.Advance(TimeSpan.FromSeconds(11.9));
        Assert.False(waiting.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        await waiting;
    }

    [Fact]
    public async Task Keys_and_endpoints_do_not_wait_for_each_other()
    {
        var gates = new VastAiGates(Options.Create(new VastAiOptions()), _time);
        var limits = new VastAiLimits();
        var market = VastAiHarness.MarketAt("https://example.org");
        var (one, other) = (VastAiGates.AccountOf(market, new Secret("a")), VastAiGates.AccountOf(market, new Secret("b")));

        Assert.True(gates.Of(one, VastAiEndpoint.Search, limits).PassAsync(Ct).IsCompletedSuccessfully);
        Assert.True(gates.Of(one, VastAiEndpoint.Destroy, limits).PassAsync(Ct).IsCompletedSuccessfully);
        Assert.True(gates.Of(other, VastAiEndpoint.Search, limits).PassAsync(Ct).IsCompletedSuccessfully);
        var again = gates.Of(one, VastAiEndpoint.Search, limits).PassAsync(Ct);
        Assert.False(again.IsCompleted);
        _time.Advance(limits.Search);
        await again;
    }

    [Fact]
    public async Task The_real_service_is_asked_no_faster_than_it_allows_and_the_sandbox_as_fast_as_it_answers()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        const string one = "/api/v0/instances/1/";
        provider.On("GET", one, new Reply(200, """{"instances":null}"""));
        await using var harness = new VastAiHarness(time: _time);
        var (real, sandbox) = (harness.At(provider, simulated: false), harness.Marketplaces.For(VastAiHarness.MarketAt(provider.BaseUrl), new Secret("another")));

        await sandbox.GetAsync("1", Ct);
        await sandbox.GetAsync("1", Ct);
        await real.GetAsync("1", Ct);
        var second = real.GetAsync("1", Ct);
        Assert.Equal(3, provider.Count("GET", one));
        _time.Advance(TimeSpan.FromSeconds(2));
        await second;

        Assert.Equal(4, provider.Count("GET", one));
    }

    private EndpointGate GateOf(TimeSpan between) => new(between, between, TimeSpan.FromSeconds(20), _time);
}
