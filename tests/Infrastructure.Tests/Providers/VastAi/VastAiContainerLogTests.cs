using Dashboard.Domain.Marketplaces;

namespace Dashboard.Infrastructure.Tests.Providers.VastAi;

public sealed class VastAiContainerLogTests
{
    private const string Request = "/api/v0/instances/request_logs/51880423/";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_log_is_asked_for_until_it_has_been_uploaded()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("PUT", Request, Promise(provider.BaseUrl + "/log")).On("GET", "/log", new Reply(403, ""), new Reply(404, ""), Reply.Reset, new Reply(200, "sshd is up\n"));
        await using var harness = new VastAiHarness();

        Assert.Equal("sshd is up\n", await harness.At(provider).ReadContainerLogAsync("51880423", 200, Ct));

        Assert.Equal("""{"tail":"200"}""", provider.Requests.First().Body);
        Assert.Equal(4, provider.Count("GET", "/log"));
    }

    [Fact]
    public async Task A_log_that_does_not_come_in_time_is_none_yet()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("PUT", Request, Promise(provider.BaseUrl + "/log")).On("GET", "/log", new Reply(404, ""));
        await using var harness = new VastAiHarness([new("Providers:VastAi:LogWait", "00:00:01")]);

        Assert.Null(await harness.At(provider).ReadContainerLogAsync("51880423", 200, Ct));
    }

    [Theory]
    [InlineData("http://127.0.0.2:{0}/log")]
    [InlineData("http://localhost:1/log")]
    [InlineData("https://169.254.169.254/latest/meta-data")]
    [InlineData("file:///etc/passwd")]
    public async Task A_log_at_an_address_inside_our_network_is_not_fetched(string address)
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("PUT", Request, Promise(address.Replace("{0}", new Uri(provider.BaseUrl).Port.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal)));
        await using var harness = new VastAiHarness();

        await Assert.ThrowsAsync<ProviderUnavailableException>(() => harness.At(provider).ReadContainerLogAsync("51880423", 200, Ct));

        Assert.Single(provider.Requests);
    }

    [Fact]
    public async Task A_redirect_of_the_log_is_not_followed()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("PUT", Request, Promise(provider.BaseUrl + "/log")).On("GET", "/log", new Reply(302, "") { Location = "/elsewhere" }).On("GET", "/elsewhere", new Reply(200, "no"));
        await using var harness = new VastAiHarness([new("Providers:VastAi:LogWait", "00:00:01")]);

        Assert.Null(await harness.At(provider).ReadContainerLogAsync("51880423", 200, Ct));
        Assert.Equal(0, provider.Count("GET", "/elsewhere"));
    }

    private static Reply Promise(string address) => new(200, $$"""{"success":true,"result_url":"{{address}}","msg":"soon"}""");
}
