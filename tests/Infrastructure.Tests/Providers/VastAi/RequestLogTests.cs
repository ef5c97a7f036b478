using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Providers;
using Dashboard.Tests.Shared;

namespace Dashboard.Infrastructure.Tests.Providers.VastAi;

public sealed class RequestLogTests
{
    private const string User = "/api/v0/users/current/";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_try_is_written_down_with_its_status_and_the_providers_own_id()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("GET", User, new Reply(502, "<html/>"), Reply.Reset, new Reply(200, """{"id":7,"username":"lab"}""") { RequestId = "9c4f-02" });
        await using var harness = new VastAiHarness();

        await harness.At(provider).GetAccountAsync(Ct);

        var tries = harness.Requests.Latest().Reverse().ToList();
        Assert.Equal([(1, 502, null), (2, null, null), (3, (int?)200, "9c4f-02")], tries.Select(t => (t.Try, t.Status, t.RequestId)));
        Assert.All(tries, t => Assert.Equal(("Sandbox", "GET", User), (t.Market, t.Method, t.Route)));
        Assert.Equal([true, true, false], tries.Select(t => t.Failed));
        Assert.Equal("answer broken off", tries[1].Fault);
    }

    [Fact]
    public async Task A_route_names_no_machine_and_no_query()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("GET", "/api/v0/instances/51880423/", new Reply(200, """{"instances":null}"""))
            .On("GET", "/api/v1/instances/", Sample.Page([]));
        await using var harness = new VastAiHarness();

        await harness.At(provider).GetAsync("51880423", Ct);
        await harness.At(provider).FindByLabelAsync(Sample.Label, Ct);

        Assert.Equal(["/api/v1/instances/", "/api/v0/instances/{id}/"], harness.Requests.Latest().Select(r => r.Route));
    }

    [Fact]
    public async Task What_our_limiter_holds_back_says_so()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("PUT", "/api/v0/asks/45120077/", new Reply(429, "API requests too frequent"));
        await using var harness = new VastAiHarness([new("Providers:VastAi:SandboxLimits:RentPenalty", "00:05:00")]);

        await harness.At(provider).RentAsync(Sample.AnOffer, Sample.Launch, Ct);
        await harness.At(provider).RentAsync(Sample.AnOffer, Sample.Launch, Ct);

        Assert.Equal([(null, "not sent, our limiter"), ((int?)429, null)], harness.Requests.Latest().Select(r => (r.Status, r.Fault)));
    }

    [Fact]
    public async Task A_strangers_text_is_no_request_id()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("GET", User, new Reply(200, """{"id":7}""") { RequestId = "<script>" });
        await using var harness = new VastAiHarness();

        await harness.At(provider).GetAccountAsync(Ct);

        Assert.Null(Assert.Single(harness.Requests.Latest()).RequestId);
    }

    [Fact]
    public void The_oldest_make_room()
    {
        var log = new ProviderRequestLog();
        for (var i = 0; i < ProviderRequestLog.Capacity + 5; i++)
        {
            log.Add(new ProviderRequest(0, DateTimeOffset.UnixEpoch, "Vast.ai", "GET", "/", 1, TimeSpan.Zero, TimeSpan.Zero, 200, null, null));
        }

        var kept = log.Latest(int.MaxValue);
        Assert.Equal((ProviderRequestLog.Capacity, ProviderRequestLog.Capacity + 5L, 6L), (kept.Count, kept[0].Number, kept[^1].Number));
        Assert.Equal(3, log.Latest(3).Count);
    }
}
