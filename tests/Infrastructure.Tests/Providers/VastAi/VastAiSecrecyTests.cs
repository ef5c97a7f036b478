using Dashboard.Domain.Marketplaces;

namespace Dashboard.Infrastructure.Tests.Providers.VastAi;

public sealed class VastAiSecrecyTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_key_goes_out_in_one_header_and_nowhere_else()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        const string one = "/api/v0/instances/51880423/";
        var ok = new Reply(200, """{"success":true}""");
        var echo = new Reply(400, $$"""{"success":false,"error":"invalid_args","msg":"bad key {{VastAiHarness.Key}}","api_key":"{{VastAiHarness.Key}}"}""");
        provider.On("GET", "/api/v0/users/current/", new Reply(502, $"<html>Authorization: Bearer {VastAiHarness.Key}</html>"), echo)
            .On("POST", "/api/v0/bundles/", Sample.Offers(Sample.Offer), echo)
            .On("PUT", "/api/v0/asks/45120077/", echo, Reply.Reset)
            .On("GET", "/api/v1/instances/", Sample.Page([Sample.Instance]), echo)
            .On("GET", one, echo)
            .On("PUT", one, ok, echo)
            .On("POST", one + "ssh/", ok, echo)
            .On("DELETE", one, ok, echo)
            .On("GET", "/api/v0/charges/", echo)
            .On("PUT", "/api/v0/instances/request_logs/51880423/", new Reply(200, $$"""{"success":true,"result_url":"{{provider.BaseUrl}}/log"}"""))
            .On("GET", "/log", new Reply(200, "text") { ContentType = "text/plain" });
        await using var harness = new VastAiHarness();
        var market = harness.At(provider);
        var seen = new List<string>();
        for (var round = 0; round < 2; round++)
        {
            foreach (var call in new Func<Task<object?>>[]
            {
                async () => await market.GetAccountAsync(Ct), async () => await market.SearchAsync(Sample.Query, Ct), async () => await market.RentAsync(Sample.AnOffer, Sample.Launch, Ct),
                async () => await market.ListAsync(Ct), async () => await market.GetAsync("51880423", Ct), async () => { await market.StopAsync("51880423", Ct); return null; },
                async () => { await market.AttachSshKeyAsync("51880423", "ssh-ed25519 AAAA", Ct); return null; }, async () => { await market.DestroyAsync("51880423", Ct); return null; },
                async () => await market.GetChargesAsync(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, Ct), async () => await market.ReadContainerLogAsync("51880423", 10, Ct),
            })
            {
                try
                {
                    seen.Add($"{await call()}");
                }
                catch (MarketplaceException error)
                {
                    seen.Add(error.ToString());
                }
            }
        }

        Assert.True(provider.Requests.Count > 20);
        Assert.Contains(seen, text => text.Contains("bad key ***", StringComparison.Ordinal)); // the echo did come back
        foreach (var request in provider.Requests)
        {
            Assert.DoesNotContain(VastAiHarness.Key, request.Target, StringComparison.Ordinal);
            Assert.DoesNotContain(VastAiHarness.Key, request.Body, StringComparison.Ordinal);
            Assert.Equal(request.Path == "/log" ? "" : $"Bearer {VastAiHarness.Key}", request.Headers.Authorization.ToString());
            Assert.All(request.Headers.Where(header => header.Key != "Authorization"), header => Assert.DoesNotContain(VastAiHarness.Key, header.Value.ToString(), StringComparison.Ordinal));
        }

        Assert.All(provider.Requests.Where(request => request.Path != "/log"), request => Assert.StartsWith("Dashboard/", request.Headers.UserAgent.ToString(), StringComparison.Ordinal));
        Assert.All(provider.Requests.Where(request => request.Path != "/log"), request => Assert.EndsWith("/", request.Path, StringComparison.Ordinal));
        Assert.Contains("/api/v0/asks/45120077/", harness.Log.Text, StringComparison.Ordinal); // it did log at Trace
        Assert.DoesNotContain(VastAiHarness.Key, harness.Log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(VastAiHarness.Key, string.Join('\n', seen), StringComparison.Ordinal);
    }
}
