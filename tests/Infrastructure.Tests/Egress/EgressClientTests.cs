using System.Text;
using Dashboard.Infrastructure.Egress;
using Dashboard.Infrastructure.Tests.Providers;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Tests.Egress;

public sealed class EgressClientTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("https://127.0.0.1:9/")]
    [InlineData("https://localhost:9/")]
    [InlineData("https://[::1]:9/")]
    [InlineData("https://[::ffff:10.0.0.1]/")]
    [InlineData("https://2130706433/")]
    [InlineData("http://1.1.1.1/")]
    [InlineData("ftp://1.1.1.1/")]
    [InlineData("https://user:secret@1.1.1.1/")]
    public async Task Only_public_https_addresses_without_credentials_are_fetched(string address) =>
        await Assert.ThrowsAsync<EgressRefusedException>(() => Client().GetAsync(new Uri(address), 1000, Patience, trusted: null, Ct));

    [Fact]
    public async Task A_host_allowed_by_the_site_is_fetched()
    {
        await using var server = await ScriptedProvider.StartAsync();
        server.On("GET", "/x", new Reply(200, "hello"));
        var address = new Uri(server.BaseUrl + "/x");

        Assert.Equal("hello", Encoding.UTF8.GetString((await Client(address.Authority).GetAsync(address, 1000, Patience, trusted: null, Ct)).Body));
        Assert.Equal("hello", Encoding.UTF8.GetString((await Client(address.Host).GetAsync(address, 1000, Patience, trusted: null, Ct)).Body));
        await Assert.ThrowsAsync<EgressRefusedException>(() => Client("127.0.0.1:1").GetAsync(address, 1000, Patience, trusted: null, Ct));
    }

    [Fact]
    public async Task A_trusted_origin_is_an_exception_for_its_own_port_only()
    {
        await using var server = await ScriptedProvider.StartAsync();
        await using var neighbour = await ScriptedProvider.StartAsync();
        server.On("GET", "/x", new Reply(200, "hello"));

        Assert.Equal(5, (await Client().GetAsync(new Uri(server.BaseUrl + "/x"), 5, Patience, new Uri(server.BaseUrl), Ct)).Body.Length);
        await Assert.ThrowsAsync<EgressRefusedException>(() => Client().GetAsync(new Uri(neighbour.BaseUrl + "/x"), 1000, Patience, new Uri(server.BaseUrl), Ct));
        Assert.Empty(neighbour.Requests);
    }

    [Fact]
    public async Task An_answer_longer_than_allowed_is_refused_and_a_late_or_broken_one_is_a_fault()
    {
        await using var server = await ScriptedProvider.StartAsync();
        server.On("GET", "/long", new Reply(200, "123456")).On("GET", "/late", Reply.Silence).On("GET", "/broken", Reply.CutOff(200, "12"));
        var trusted = new Uri(server.BaseUrl);

        await Assert.ThrowsAsync<EgressRefusedException>(() => Client().GetAsync(new Uri(trusted, "/long"), 5, Patience, trusted, Ct));
        await Assert.ThrowsAsync<HttpRequestException>(() => Client().GetAsync(new Uri(trusted, "/late"), 5, TimeSpan.FromMilliseconds(200), trusted, Ct));
        await Assert.ThrowsAsync<HttpRequestException>(() => Client().GetAsync(new Uri(trusted, "/broken"), 5, Patience, trusted, Ct));
    }

    private static EgressClient Client(params string[] allowed)
    {
        var options = new EgressOptions();
        foreach (var host in allowed)
        {
            options.AllowedPrivateHosts.Add(host);
        }

        return new EgressClient(Options.Create(options), TimeProvider.System);
    }
}
