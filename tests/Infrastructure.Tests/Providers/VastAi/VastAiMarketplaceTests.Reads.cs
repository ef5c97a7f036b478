using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Tests.Shared;

namespace Dashboard.Infrastructure.Tests.Providers.VastAi;

public sealed partial class VastAiMarketplaceTests
{
    private const string User = "/api/v0/users/current/";
    private const string List = "/api/v1/instances/";
    private const string One = "/api/v0/instances/51880423/";
    private const string ChargesPath = "/api/v0/charges/";

    private static readonly Reply Account = new(200, """{"id":314159,"username":"lab-team","email":"gpu@example.org","credit":42.173905,"balance":0.0,"api_key":"canary-7f3d90b2c41e4a58"}""");

    [Fact]
    public async Task The_account_shows_its_name_and_spendable_credit()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("GET", User, Account);
        await using var harness = new VastAiHarness();

        Assert.Equal(new ProviderAccount("314159", "lab-team", new Money(42_173_905)), await harness.At(provider).GetAccountAsync(Ct));
    }

    [Fact]
    public async Task An_account_named_by_a_mail_address_goes_by_its_number()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("GET", User, new Reply(200, """{"id":"314159","username":"gpu@example.org","credit":"1.5"}"""));
        await using var harness = new VastAiHarness();

        Assert.Equal(new ProviderAccount("314159", "account 314159", new Money(1_500_000)), await harness.At(provider).GetAccountAsync(Ct));
    }

    public static TheoryData<int, string> KeyRefusals => new()
    {
        { 401, """{"success":false,"error":"auth_error","msg":"Invalid user key"}""" },
        { 403, """{"success":false,"error":"auth_error","msg":"This action requires login."}""" },
        { 404, """{"success":false,"error":"auth_error","msg":"Invalid user key"}""" },
        { 404, """{"success":false,"msg":"Session expired. Please log in again."}""" },
        { 401, """{"msg":"This needs Two Factor Authentication"}""" },
        { 403, """{"success":false,"msg":"missing permission instance_read"}""" },
        { 401, "<html>Unauthorized</html>" },
    };

    [Theory]
    [MemberData(nameof(KeyRefusals))]
    public async Task Every_way_of_refusing_a_key_is_a_rejected_credential_on_every_call(int status, string body)
    {
        await using var provider = await ScriptedProvider.StartAsync();
        var refusal = new Reply(status, body);
        provider.On("GET", User, refusal).On("GET", List, refusal).On("GET", One, refusal).On("DELETE", One, refusal).On("POST", "/api/v0/bundles/", refusal)
            .On("GET", ChargesPath, refusal).On("PUT", One, refusal).On("PUT", Bid, refusal).On("POST", One + "ssh/", refusal).On("PUT", "/api/v0/instances/request_logs/51880423/", refusal);
        await using var harness = new VastAiHarness();
        var market = harness.At(provider);

        foreach (var call in new Func<Task>[]
        {
            () => market.GetAccountAsync(Ct), () => market.ListAsync(Ct), () => market.GetAsync("51880423", Ct), () => market.DestroyAsync("51880423", Ct),
            () => market.SearchAsync(Sample.Query, Ct), () => market.GetChargesAsync(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, Ct), () => market.StopAsync("51880423", Ct),
            () => market.AttachSshKeyAsync("51880423", "ssh-ed25519 AAAA", Ct), () => market.ReadContainerLogAsync("51880423", 10, Ct), () => market.ChangeBidAsync("51880423", Domain.Costs.HourlyRate.Zero, Ct),
        })
        {
            await Assert.ThrowsAsync<CredentialRejectedException>(call);
        }

        Assert.Equal(10, provider.Requests.Count);
    }

    [Fact]
    public async Task Reads_are_tried_again_after_faults_of_the_provider()
    {
        foreach (var fault in new[] { new Reply(502, "<html>Bad Gateway</html>"), new Reply(500, "{}"), Reply.Reset, Reply.CutOff(200, """{"id":3"""), Reply.Silence })
        {
            await using var provider = await ScriptedProvider.StartAsync();
            provider.On("GET", User, fault, fault, Account);
            await using var harness = new VastAiHarness([new("Providers:VastAi:CallTimeout", "00:00:01")]);

            Assert.Equal("314159", (await harness.At(provider).GetAccountAsync(Ct)).AccountId);
            Assert.Equal(3, provider.Count("GET", User));
        }
    }

    [Fact]
    public async Task Searches_and_repeatable_state_changes_are_tried_again_too()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        var fault = new Reply(503, "");
        provider.On("POST", "/api/v0/bundles/", fault, Sample.Offers()).On("PUT", One, fault, new Reply(200, """{"success":true}"""))
            .On("POST", One + "ssh/", fault, new Reply(200, """{"success":true,"msg":"SSH key attached"}"""));
        await using var harness = new VastAiHarness();

        Assert.Empty(await harness.At(provider).SearchAsync(Sample.Query, Ct));
        await harness.At(provider).StopAsync("51880423", Ct);
        await harness.At(provider).AttachSshKeyAsync("51880423", "ssh-ed25519 AAAA", Ct);

        Assert.Equal(6, provider.Requests.Count);
        Assert.Equal("""{"state":"stopped"}""", provider.Requests.Last(request => request.Path == One).Body);
        Assert.Equal("""{"ssh_key":"ssh-ed25519 AAAA"}""", provider.Requests.Last().Body);
    }

    [Fact]
    public async Task A_read_that_keeps_failing_ends_as_unavailable()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("GET", User, new Reply(502, "<html>Bad Gateway</html>"));
        await using var harness = new VastAiHarness([new("Providers:VastAi:Retries", "2")]);

        await Assert.ThrowsAsync<ProviderUnavailableException>(() => harness.At(provider).GetAccountAsync(Ct));

        Assert.Equal(3, provider.Count("GET", User));
    }

    public static TheoryData<int, string, string?> Unreadable => new()
    {
        { 301, """{"success":true}""", "/api/v0/users/current" },
        { 200, "<html>Welcome</html>", null },
        { 200, """{"id":31""", null },
        { 200, "[]", null },
        { 200, """{"username":"nobody"}""", null },
        { 200, """{"success":false,"msg":"No."}""", null },
        { 400, """{"error":"invalid_request","msg":"Invalid json body"}""", null },
        { 404, "<html>Not found</html>", null },
    };

    [Theory]
    [MemberData(nameof(Unreadable))]
    public async Task An_answer_that_cannot_be_read_is_unavailable_and_a_redirect_is_not_followed(int status, string body, string? location)
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("GET", User, new Reply(status, body) { Location = location }).On("GET", "/api/v0/users/current", Account);
        await using var harness = new VastAiHarness();

        var error = await Assert.ThrowsAsync<ProviderUnavailableException>(() => harness.At(provider).GetAccountAsync(Ct));

        Assert.False(error.Deprecated);
        Assert.Single(provider.Requests);
    }

    [Theory]
    [InlineData("API requests too frequent: endpoint threshold=4.5", 4.5)]
    [InlineData("""{"error":"search_quota_exceeded","limit":20000,"remaining":0,"retry_after":7200}""", 7200.0)]
    [InlineData("""{"detail":"too fast","retry_after":"3"}""", 3.0)]
    [InlineData("API requests too frequent", null)]
    public async Task Asking_too_often_says_how_long_to_wait_and_is_not_tried_again(string body, double? seconds)
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("POST", "/api/v0/bundles/", new Reply(429, body));
        await using var harness = new VastAiHarness();

        var error = await Assert.ThrowsAsync<RateLimitedException>(() => harness.At(provider).SearchAsync(Sample.Query, Ct));

        Assert.Equal(seconds is { } told ? TimeSpan.FromSeconds(told) : null, error.RetryAfter);
        Assert.Single(provider.Requests);
    }

    [Fact]
    public async Task A_used_up_quota_stops_further_searches_here_and_nothing_else()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("POST", "/api/v0/bundles/", new Reply(429, """{"error":"search_quota_exceeded","retry_after":7200}""")).On("GET", User, Account);
        await using var harness = new VastAiHarness();
        await Assert.ThrowsAsync<RateLimitedException>(() => harness.At(provider).SearchAsync(Sample.Query, Ct));

        var again = await Assert.ThrowsAsync<RateLimitedException>(() => harness.At(provider).SearchAsync(Sample.Query, Ct));

        Assert.InRange(again.RetryAfter!.Value, TimeSpan.FromSeconds(7000), TimeSpan.FromSeconds(7200));
        Assert.Equal(1, provider.Count("POST", "/api/v0/bundles/"));
        Assert.Equal("314159", (await harness.At(provider).GetAccountAsync(Ct)).AccountId);
    }

    [Theory]
    [InlineData(410, """{"success":false,"error":"deprecated_endpoint","msg":"/api/v0/instances/ is deprecated. Use /api/v1/instances/ instead."}""")]
    [InlineData(410, "Gone")]
    public async Task A_retired_call_says_that_this_program_is_outdated(int status, string body)
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("GET", List, new Reply(status, body));
        await using var harness = new VastAiHarness();

        var error = await Assert.ThrowsAsync<ProviderUnavailableException>(() => harness.At(provider).ListAsync(Ct));

        Assert.True(error.Deprecated);
    }

    [Theory]
    [InlineData(200, """{"instances":null}""")]
    [InlineData(404, """{"success":false,"error":"no_such_instance","msg":"Instance 51880423 not found"}""")]
    public async Task A_machine_is_gone_when_the_provider_says_so(int status, string body)
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("GET", One, new Reply(status, body));
        await using var harness = new VastAiHarness();

        Assert.Null(await harness.At(provider).GetAsync("51880423", Ct));
        Assert.Equal(One + "?owner=me", provider.Requests.Single().Target);
    }

    [Theory]
    [InlineData(200, "{}")]
    [InlineData(200, """{"instances":[]}""")]
    [InlineData(404, "<html>no_such_instance</html>")]
    [InlineData(404, """{"message":"no Route matched with those values"}""")]
    [InlineData(200, """{"instances":{"id":51880424,"actual_status":"running"}}""")]
    [InlineData(200, """{"instances":{"actual_status":"running"}}""")]
    public async Task A_machine_is_not_gone_because_an_answer_is_odd(int status, string body)
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("GET", One, new Reply(status, body));
        await using var harness = new VastAiHarness();

        await Assert.ThrowsAsync<ProviderUnavailableException>(() => harness.At(provider).GetAsync("51880423", Ct));
    }

    [Fact]
    public async Task Destroying_what_is_gone_is_success_and_a_refused_destroy_is_not()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("DELETE", One, new Reply(200, """{"success":true}"""), new Reply(404, """{"success":false,"error":"no_such_instance","msg":"gone"}"""),
            new Reply(404, """{"error":"not_found"}"""), new Reply(200, """{"success":false,"msg":"try later"}"""), new Reply(502, "<html/>"));
        await using var harness = new VastAiHarness();
        var market = harness.At(provider);

        await market.DestroyAsync("51880423", Ct);
        await market.DestroyAsync("51880423", Ct);
        await market.DestroyAsync("51880423", Ct);
        await Assert.ThrowsAsync<ProviderUnavailableException>(() => market.DestroyAsync("51880423", Ct));
        await Assert.ThrowsAsync<ProviderUnavailableException>(() => market.DestroyAsync("51880423", Ct));

        Assert.Equal(5, provider.Requests.Count); // each asked once: repeating is the reconciler's business
    }

    [Fact]
    public async Task Acting_on_a_machine_that_is_gone_says_so()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        var gone = new Reply(404, """{"success":false,"error":"no_such_instance"}""");
        provider.On("PUT", One, gone).On("POST", One + "ssh/", gone);
        await using var harness = new VastAiHarness();

        await Assert.ThrowsAsync<InstanceGoneException>(() => harness.At(provider).StopAsync("51880423", Ct));
        await Assert.ThrowsAsync<InstanceGoneException>(() => harness.At(provider).AttachSshKeyAsync("51880423", "ssh-ed25519 AAAA", Ct));
    }

    [Fact]
    public async Task Cancelling_a_read_is_a_cancellation_and_not_a_fault()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("GET", User, Reply.Silence);
        await using var harness = new VastAiHarness();
        using var cancelling = new CancellationTokenSource();

        var reading = harness.At(provider).GetAccountAsync(cancelling.Token);
        await Eventually.HoldsAsync(() => provider.Count("GET", User) == 1, "the request arrives", ct: Ct);
        await cancelling.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Fact]
    public async Task Charges_come_per_contract_and_kind_over_all_pages()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        const string row = """
            {"start":1790000012,"end":1790010812,"type":"instance","source":"instance-51880423","description":"1 day","amount":0.604,"metadata":{"label":"gd1-x"},"items":[
            {"start":1790000012,"end":1790010812,"type":"gpu","source":null,"amount":0.542,"metadata":{},"items":[]},
            {"start":1790000012,"end":1790010812,"type":"disk","source":null,"amount":0.025,"metadata":{},"items":[]},
            {"start":1790000012,"end":1790010812,"type":"bwd","source":null,"amount":"0.037","metadata":{},"items":[]}]}
            """;
        provider.On("GET", ChargesPath, new Reply(200, $$"""{"success":true,"count":1,"total":2,"next_token":"p2","results":[{{row}}]}"""),
            new Reply(200, """{"success":true,"count":1,"total":2,"next_token":null,"results":[{"start":1790000012,"end":1790010812,"type":"volume","source":"volume-1","amount":1}]}"""));
        await using var harness = new VastAiHarness();
        var (from, to) = (DateTimeOffset.FromUnixTimeSeconds(1_790_000_012), DateTimeOffset.FromUnixTimeSeconds(1_790_010_812));

        var charges = await harness.At(provider).GetChargesAsync(from, to, Ct);

        Assert.Equal(
            [
                new ProviderCharge("51880423", "gd1-x", ChargeKind.Gpu, new Money(542_000), from, to),
                new ProviderCharge("51880423", "gd1-x", ChargeKind.Disk, new Money(25_000), from, to),
                new ProviderCharge("51880423", "gd1-x", ChargeKind.Download, new Money(37_000), from, to),
            ],
            charges);
        Assert.Contains("after_token=p2", provider.Requests.Last().Target, StringComparison.Ordinal);
        Assert.Contains("""select_filters={"day":{"gte":1789948800,"lte":1790035199},"type":{"in":["instance"]}}""", Uri.UnescapeDataString(provider.Requests.First().Target), StringComparison.Ordinal);
    }
}
