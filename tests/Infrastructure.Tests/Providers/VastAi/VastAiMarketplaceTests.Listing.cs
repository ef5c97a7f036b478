using Dashboard.Domain.Marketplaces;

namespace Dashboard.Infrastructure.Tests.Providers.VastAi;

public sealed partial class VastAiMarketplaceTests
{
    private static string Row(int id, string? label = null) => Sample.With(Sample.Instance, ("id", id), ("label", label));

    [Fact]
    public async Task A_listing_follows_every_page()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("GET", List, Sample.Page([Row(1), Row(2)], total: 3, next: "a+b/c="), Sample.Page([Row(3)], total: 3));
        await using var harness = new VastAiHarness();

        var listing = await harness.At(provider).ListAsync(Ct);

        Assert.Equal(["1", "2", "3"], listing.Instances.Select(instance => instance.ContractId));
        Assert.Equal(2, provider.Requests.Count);
        Assert.StartsWith(List + "?limit=25&", provider.Requests.First().Target, StringComparison.Ordinal);
        Assert.DoesNotContain("after_token", provider.Requests.First().Target, StringComparison.Ordinal);
        Assert.Contains("after_token=a%2Bb%2Fc%3D", provider.Requests.Last().Target, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    public async Task An_account_without_machines_lists_none(string rows)
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("GET", List, new Reply(200, $$"""{"success":true,"instances_found":0,"total_instances":0,"label_counts":{},"next_token":null,"instances":{{rows}}}"""));
        await using var harness = new VastAiHarness();

        Assert.Empty((await harness.At(provider).ListAsync(Ct)).Instances);
    }

    public static TheoryData<string, string> OddListings => new()
    {
        { "no key", """{"success":true,"total_instances":0,"next_token":null}""" },
        { "null, but there are some", """{"success":true,"total_instances":2,"next_token":null,"instances":null}""" },
        { "null without a total", """{"success":true,"next_token":null,"instances":null}""" },
        { "an object", """{"success":true,"total_instances":0,"next_token":null,"instances":{}}""" },
        { "fewer than the total", """{"success":true,"total_instances":2,"next_token":null,"instances":[{"id":1}]}""" },
        { "fewer than were found", """{"success":true,"instances_found":2,"total_instances":1,"next_token":null,"instances":[{"id":1}]}""" },
        { "a cut page whose total was cut with it", """{"success":true,"instances_found":1,"total_instances":1,"label_counts":{"gd1-a":1,"gd1-b":1},"next_token":null,"instances":[{"id":1,"label":"gd1-a"}]}""" },
        { "no total", """{"success":true,"next_token":null,"instances":[]}""" },
        { "no next token", """{"success":true,"total_instances":0,"instances":[]}""" },
        { "an odd next token", """{"success":true,"total_instances":0,"instances":[],"next_token":{"a":1}}""" },
        { "twice the same machine", """{"success":true,"total_instances":2,"next_token":null,"instances":[{"id":1},{"id":1}]}""" },
        { "a row without id", """{"success":true,"total_instances":1,"next_token":null,"instances":[{"label":"x"}]}""" },
        { "a row with an odd id", """{"success":true,"total_instances":1,"next_token":null,"instances":[{"id":[1]}]}""" },
        { "a row that is none", """{"success":true,"total_instances":1,"next_token":null,"instances":[7]}""" },
        { "not successful", """{"success":false,"total_instances":0,"next_token":null,"instances":[]}""" },
        { "empty", "" },
        { "a string", "\"ok\"" },
        { "a page", "<html>maintenance</html>" },
        { "cut short", """{"success":true,"total_instances":0,"next_token":null,"instances":[""" },
    };

    [Theory]
    [MemberData(nameof(OddListings))]
    public async Task An_odd_listing_is_never_read_as_empty(string what, string body)
    {
        Assert.NotEmpty(what);
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("GET", List, new Reply(200, body));
        await using var harness = new VastAiHarness();

        await Assert.ThrowsAsync<ProviderUnavailableException>(() => harness.At(provider).ListAsync(Ct));
        await Assert.ThrowsAsync<ProviderUnavailableException>(() => harness.At(provider).FindByLabelAsync("x", Ct));
    }

    [Fact]
    public async Task A_listing_that_loses_its_second_page_is_no_listing()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("GET", List, Sample.Page([Row(1)], total: 2, next: "p2"), new Reply(400, """{"success":false,"error":"invalid_token"}"""));
        await using var harness = new VastAiHarness();

        await Assert.ThrowsAsync<ProviderUnavailableException>(() => harness.At(provider).ListAsync(Ct));
    }

    [Fact]
    public async Task Pages_that_repeat_or_never_end_are_no_listing()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        await using var harness = new VastAiHarness();

        provider.On("GET", List, Sample.Page([Row(1)], total: 2, next: "p2"), Sample.Page([Row(1)], total: 2, next: "p3"));
        await Assert.ThrowsAsync<ProviderUnavailableException>(() => harness.At(provider).ListAsync(Ct));

        provider.On("GET", List, Sample.Page([], total: 0, next: "p2"));
        await Assert.ThrowsAsync<ProviderUnavailableException>(() => harness.At(provider).ListAsync(Ct));

        Assert.True(provider.Requests.Count <= 4);
    }

    [Fact]
    public async Task Looking_for_a_label_asks_for_it_and_believes_only_rows_that_carry_it()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("GET", List, Sample.Page([Row(1, "gd1-a"), Row(2, "other"), Row(3)]));
        await using var harness = new VastAiHarness();

        var listing = await harness.At(provider).FindByLabelAsync("gd1-a", Ct);

        Assert.Equal("1", Assert.Single(listing.Instances).ContractId);
        Assert.Contains("""select_filters={"label":{"eq":"gd1-a"}}""", Uri.UnescapeDataString(provider.Requests.Single().Target), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_label_search_that_contradicts_its_own_count_is_no_answer()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        provider.On("GET", List, new Reply(200, """{"success":true,"total_instances":0,"label_counts":{"gd1-a":1},"next_token":null,"instances":[]}"""));
        await using var harness = new VastAiHarness();

        await Assert.ThrowsAsync<ProviderUnavailableException>(() => harness.At(provider).FindByLabelAsync("gd1-a", Ct));
    }
}
