using System.Text.Json;
using Dashboard.Domain.Marketplaces;
using Dashboard.Tests.Shared;

namespace Dashboard.Infrastructure.Tests.Providers.VastAi;

public sealed partial class VastAiMarketplaceTests
{
    private const string Ask = "/api/v0/asks/45120077/";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Renting_sends_one_request_with_the_label_and_asks_for_no_leftovers()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("PUT", Ask, new Reply(200, """{"success":true,"new_contract":51880423,"instance_api_key":"9f0ce1"}"""));
        await using var harness = new VastAiHarness();

        var result = Assert.IsType<RentResult.Rented>(await harness.At(provider).RentAsync(Sample.AnOffer, Sample.Launch with { Environment = new Dictionary<string, string> { ["HF_HOME"] = "/w" } }, Ct));

        Assert.Equal("51880423", result.ContractId);
        Assert.Equal("9f0ce1", result.InstanceKey?.Reveal());
        var sent = JsonElement.Parse(Assert.Single(provider.Requests).Body);
        Assert.Equal(Sample.Label, sent.GetProperty("label").GetString());
        Assert.True(sent.GetProperty("cancel_unavail").GetBoolean());
        Assert.Equal(JsonValueKind.Null, sent.GetProperty("price").ValueKind);
        Assert.Equal("ssh_direct", sent.GetProperty("runtype").GetString());
        Assert.Equal("/w", sent.GetProperty("env").GetProperty("HF_HOME").GetString());
        Assert.Equal(40m, sent.GetProperty("disk").GetDecimal());
    }

    [Fact]
    public async Task A_bid_goes_as_the_price_of_the_whole_slice()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("PUT", Ask, new Reply(200, """{"success":true,"new_contract":"51880423"}"""));
        await using var harness = new VastAiHarness();

        var result = await harness.At(provider).RentAsync(ABidOffer, Sample.Launch with { BidUsdPerHour = 0.2135m }, Ct);

        Assert.Equal(new RentResult.Rented("51880423", null), result);
        Assert.Equal(0.2135m, JsonElement.Parse(provider.Requests.Single().Body).GetProperty("price").GetDecimal());
    }

    public static TheoryData<int, string, string> Refusals => new()
    {
        { 404, """{"success":false,"error":"invalid_args","msg":"error 404/3603: no_such_ask Instance type by id 1 is not available."}""", "OfferGone { }" },
        { 410, """{"success":false,"error":"no_such_ask","msg":"error 410/3907: no_such_ask Instance type 1 is no longer available."}""", "OfferGone { }" },
        { 400, """{"success":false,"error":"no_such_ask","msg":"Instance type 1 is no longer available."}""", "OfferGone { }" },
        { 200, """{"success":false,"error":"no_such_ask"}""", "OfferGone { }" },
        { 503, """{"success":false,"error":"no_such_ask"}""", "OfferGone { }" },
        { 400, """{"success":false,"error":"insufficient_credit","msg":"Your account lacks credit; see the billing page."}""", "CreditTooLow { Message = Your account lacks credit; see the billing page. }" },
        { 403, """{"success":false,"error":"invalid_args","msg":"error 403/3586: Offer 1 is not your own"}""", "Refused { Reason = Offer 1 is not your own, Leftover =  }" },
        { 400, """{"success":false,"error":"invalid_args","msg":"error 400/3467: Invalid args: disk"}""", "Refused { Reason = Invalid args: disk, Leftover =  }" },
        { 400, """{"success":false,"error":"spend_rate_limit","msg":"Spending too fast"}""", "SpendRateLimited { Message = Spending too fast }" },
        { 401, """{"success":false,"error":"auth_error","msg":"Invalid user key"}""", "KeyRefused { Reason = Invalid user key }" },
        { 403, """{"success":false,"error":"auth_error","msg":"This action requires login."}""", "KeyRefused { Reason = This action requires login. }" },
        { 404, """{"success":false,"error":"auth_error","msg":"Invalid user key"}""", "KeyRefused { Reason = Invalid user key }" },
        { 200, """{"success":false,"error":"something","msg":"No."}""", "Refused { Reason = No., Leftover =  }" },
        { 400, """{"success":false,"error":"invalid_price","msg":"No.","new_contract":77}""", "Refused { Reason = No., Leftover = 77 }" },
        { 500, """{"success":false,"msg":"boom","new_contract":77}""", "Refused { Reason = boom, Leftover = 77 }" },
        { 429, "API requests too frequent", "Unclear { Cause = HTTP 429: API requests too frequent, Light = True }" },
        { 429, """{"detail":"slow down"}""", "Unclear { Cause = HTTP 429: slow down, Light = True }" },
        { 502, "<html><body>502 Bad Gateway: service no longer available</body></html>", "Unclear { Cause = HTTP 502: HTTP 502 with a web page, Light = False }" },
        { 410, "<html>This page is no longer available</html>", "Unclear { Cause = HTTP 410: HTTP 410 with a web page, Light = False }" },
        { 503, "", "Unclear { Cause = HTTP 503: HTTP 503, Light = False }" },
        { 301, """{"success":true}""", "Unclear { Cause = HTTP 301: {\"success\":true}, Light = False }" },
        { 200, "not json", "Unclear { Cause = 200 without a contract id, Light = False }" },
        { 200, """{"success":true}""", "Unclear { Cause = 200 without a contract id, Light = False }" },
        { 408, """{"success":false}""", "Unclear { Cause = HTTP 408: {\"success\":false}, Light = False }" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Every_answer_to_a_rent_is_one_of_the_results_and_is_never_asked_for_twice(int status, string body, string expected)
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("PUT", Ask, new Reply(status, body) { ContentType = body.StartsWith('<') ? "text/html" : "application/json" });
        await using var harness = new VastAiHarness();

        var result = await harness.At(provider).RentAsync(Sample.AnOffer, Sample.Launch, Ct);

        Assert.Equal(expected, result.ToString());
        Assert.Equal(1, provider.Count("PUT", Ask));
    }

    [Theory]
    [InlineData(200, """{"success":false,"error":"bid_too_low","msg":"Bid lost","new_contract":77}""", "77")]
    [InlineData(400, """{"success":false,"msg":"whatever","new_contract":77}""", "77")]
    [InlineData(400, """{"success":false,"error":"invalid_price","msg":"Your bid is below the minimum."}""", null)]
    public async Task A_lost_bid_names_what_it_left_behind(int status, string body, string? leftover)
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("PUT", Ask, new Reply(status, body));
        await using var harness = new VastAiHarness();

        var result = await harness.At(provider).RentAsync(ABidOffer, Sample.Launch with { BidUsdPerHour = 0.1m }, Ct);

        Assert.Equal(new RentResult.BidTooLow(leftover), result);
    }

    [Fact]
    public async Task A_rent_whose_answer_is_lost_is_unclear_and_sent_once()
    {
        foreach (var lost in new[] { Reply.Reset, Reply.Silence, Reply.CutOff(200, """{"success":true,"new_con""") })
        {
            await using var provider = await ScriptedProvider.StartAsync();
            provider.On("PUT", Ask, lost);
            await using var harness = new VastAiHarness([new("Providers:VastAi:CallTimeout", "00:00:01")]);

            var result = await harness.At(provider).RentAsync(Sample.AnOffer, Sample.Launch, Ct);

            Assert.False(Assert.IsType<RentResult.Unclear>(result).Light);
            Assert.Equal(1, provider.Count("PUT", Ask));
        }
    }

    [Fact]
    public async Task A_rent_that_cannot_connect_is_unclear()
    {
        await using var harness = new VastAiHarness();
        var market = VastAiHarness.MarketAt($"http://127.0.0.1:{ClosedPort()}");

        var result = await harness.Marketplaces.For(market, new Secret(VastAiHarness.Key)).RentAsync(Sample.AnOffer, Sample.Launch, Ct);

        Assert.IsType<RentResult.Unclear>(result);
    }

    [Fact]
    public async Task Cancelling_a_rent_that_is_on_its_way_is_unclear()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("PUT", Ask, Reply.Silence);
        await using var harness = new VastAiHarness();
        using var cancelling = new CancellationTokenSource();

        var renting = harness.At(provider).RentAsync(Sample.AnOffer, Sample.Launch, cancelling.Token);
        await Eventually.HoldsAsync(() => provider.Count("PUT", Ask) == 1, "the request arrives", ct: Ct);
        await cancelling.CancelAsync();

        Assert.IsType<RentResult.Unclear>(await renting);
        Assert.Equal(1, provider.Count("PUT", Ask));
    }

    [Fact]
    public async Task Cancelling_a_rent_that_has_not_left_sends_nothing()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        await using var harness = new VastAiHarness();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => harness.At(provider).RentAsync(Sample.AnOffer, Sample.Launch, new CancellationToken(canceled: true)));

        Assert.Empty(provider.Requests);
    }

    private static int ClosedPort()
    {
        using var socket = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        socket.Start();
        return ((System.Net.IPEndPoint)socket.LocalEndpoint).Port;
    }
}
