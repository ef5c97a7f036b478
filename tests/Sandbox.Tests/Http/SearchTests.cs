using System.Text.Json.Nodes;
using Dashboard.Sandbox.Tests.Harness;

namespace Dashboard.Sandbox.Tests.Http;

[Collection(OnTheSharedSandbox.Name)]
public sealed class SearchTests(SharedSandbox shared)
{
    private readonly SandboxProcess _sandbox = shared.Sandbox;

    [Fact]
    public async Task At_most_sixty_four_rows_come_back_whatever_is_asked()
    {
        Assert.Equal(64, (await _sandbox.SearchAsync("""{"limit":5000}""")).Count);
        Assert.Equal(7, (await _sandbox.SearchAsync("""{"limit":"7"}""")).Count);
        Assert.Empty(await _sandbox.SearchAsync("""{"gpu_name":{"eq":"RTX 9999"}}"""));
    }

    [Fact]
    public async Task Rows_are_priced_with_the_disk_that_was_asked_for()
    {
        var (small, large) = (await CheapestAsync(10), await CheapestAsync(500));

        Assert.Equal(small["dph_base"]!.ToString(), large["dph_base"]!.ToString());
        foreach (var (row, gb) in new[] { (small, 10m), (large, 500m) })
        {
            var disk = Math.Round(gb * (decimal)row["storage_cost"]! / 720m, 6, MidpointRounding.ToEven);
            Assert.Equal(disk, (decimal)row["storage_total_cost"]!);
            Assert.Equal((decimal)row["dph_base"]! + disk, (decimal)row["dph_total"]!);
            Assert.Equal((decimal)row["dph_total"]!, (decimal)row["search"]!["totalHour"]!);
            Assert.Equal((decimal)row["dph_base"]!, (decimal)row["search"]!["gpuCostPerHour"]!);
        }

        async Task<JsonNode> CheapestAsync(int gb) =>
            (await _sandbox.SearchAsync($$"""{"gpu_name":{"eq":"RTX 4090"},"order":[["dph_base","asc"]],"limit":1,"allocated_storage":{{gb}}}"""))[0]!;
    }

    [Fact]
    public async Task Rows_come_in_the_order_asked_for_and_by_score_otherwise()
    {
        var byPrice = (await _sandbox.SearchAsync("""{"order":[["dph_total","asc"]]}""")).Select(row => (decimal)row!["dph_total"]!).ToList();
        var byMemory = (await _sandbox.SearchAsync("""{"order":[["gpu_ram","desc"],["dph_total","asc"]]}""")).Select(row => ((int)row!["gpu_ram"]!, (decimal)row["dph_total"]!)).ToList();
        var byScore = (await _sandbox.SearchAsync("{}")).Select(row => (decimal)row!["score"]!).ToList();

        Assert.Equal(byPrice.Order(), byPrice);
        Assert.Equal(byMemory.OrderByDescending(row => row.Item1).ThenBy(row => row.Item2), byMemory);
        Assert.Equal(byScore.OrderDescending(), byScore);
    }

    [Theory]
    [InlineData("on-demand", false)]
    [InlineData("ondemand", false)]
    [InlineData("reserved", false)]
    [InlineData("bid", true)]
    public async Task The_type_is_spelled_in_four_ways(string type, bool isBid)
    {
        var row = (await _sandbox.SearchAsync($$"""{"type":"{{type}}","limit":1}"""))[0]!;

        Assert.Equal(isBid, (bool)row["is_bid"]!);
        Assert.Equal(isBid, (decimal)row["dph_base"]! == (decimal)row["min_bid"]!);
    }

    [Fact]
    public async Task Scopes_that_are_no_row_fields_filter_all_the_same()
    {
        Assert.All(await _sandbox.SearchAsync("""{"verified":{"eq":true}}"""), row => Assert.Equal("verified", (string?)row!["verification"]));
        Assert.All(await _sandbox.SearchAsync("""{"verified":{"eq":"false"}}"""), row => Assert.Equal("unverified", (string?)row!["verification"]));
        Assert.All(await _sandbox.SearchAsync("""{"datacenter":{"eq":true}}"""), row => Assert.NotEqual(0, (int)row!["hosting_type"]!));
        var places = (await _sandbox.SearchAsync("""{"geolocation":{"in":["US","CA"]}}""")).Select(row => (string)row!["geolocation"]!).ToList();
        Assert.NotEmpty(places);
        Assert.All(places, place => Assert.True(place.EndsWith("US", StringComparison.Ordinal) || place.EndsWith("CA", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Only_ask_contract_id_finds_one_ask()
    {
        var ask = (int)(await _sandbox.SearchAsync("""{"limit":1}"""))[0]!["id"]!;

        Assert.Empty(await _sandbox.SearchAsync($$$"""{"id":{"eq":{{{ask}}}}}"""));
        Assert.Equal(ask, (int)Assert.Single(await _sandbox.SearchAsync($$$"""{"ask_contract_id":{"eq":{{{ask}}}}}"""))!["id"]!);
    }

    [Fact]
    public async Task What_cannot_be_rented_is_hidden_unless_asked_for()
    {
        Assert.All(await _sandbox.SearchAsync("{}"), row => Assert.True((bool)row!["rentable"]!));
        Assert.NotEmpty(await _sandbox.SearchAsync("""{"rentable":{"eq":false}}"""));
        Assert.All(await _sandbox.SearchAsync("""{"rentable":{"eq":false}}"""), row => Assert.False((bool)row!["rentable"]!));
    }

    [Fact]
    public async Task Get_with_q_post_and_put_find_the_same()
    {
        const string query = """{"gpu_name":{"eq":"RTX 4090"},"order":[["dph_total","asc"]],"limit":5}""";
        var post = await _sandbox.SearchAsync(query);
        var get = (await _sandbox.GetAsync("/api/v0/bundles?q=" + Uri.EscapeDataString(query))).Json["offers"]!.AsArray();
        var put = (await _sandbox.PutAsync("/api/v0/search/asks/", $$"""{"select_cols":["*"],"q":{{query}}}""")).Json["offers"]!.AsArray();

        Assert.Equal(post.Select(row => (int)row!["id"]!), get.Select(row => (int)row!["id"]!));
        Assert.Equal(post.Select(row => (int)row!["id"]!), put.Select(row => (int)row!["id"]!));
    }

    [Fact]
    public async Task The_search_over_asks_answers_with_the_columns_that_were_chosen()
    {
        var rows = (await _sandbox.PutAsync("/api/v0/search/asks/", """{"select_cols":["id","gpu_name","nobody_knows"],"q":{"limit":2}}""")).Json["offers"]!.AsArray();
        var all = (await _sandbox.PutAsync("/api/v0/search/asks/", """{"select_cols":["*"],"q":{"limit":2}}""")).Json["offers"]!.AsArray();

        Assert.Equal(2, rows.Count);
        Assert.All(rows, row => Assert.Equal(["id", "gpu_name", "nobody_knows"], row!.AsObject().Select(field => field.Key)));
        Assert.Equal(rows.Select(row => (int)row!["id"]!), all.Select(row => (int)row!["ask_contract_id"]!));
    }

    [Fact]
    public async Task Bad_queries_are_refused()
    {
        Assert.Equal((400, "invalid_request"), Refusal(await _sandbox.PostAsync("/api/v0/bundles/", "{not json")));
        Assert.Equal((400, "invalid_request"), Refusal(await _sandbox.PostAsync("/api/v0/bundles/", """{"num_gpus":{"like":1}}""")));
        Assert.Equal("Invalid json body", (string?)(await _sandbox.PostAsync("/api/v0/bundles/", "[1]")).Json["msg"]);

        static (int, string?) Refusal(Answer answer) => (answer.Status, answer.Error);
    }

    [Fact]
    public async Task Gpu_names_need_no_key_and_are_written_with_blanks()
    {
        var names = (await _sandbox.GetAsync("/api/v0/gpu_names/unique/", "")).Json["gpu_names"]!.AsArray().Select(name => (string)name!).ToList();

        Assert.Contains("RTX 4090", names);
        Assert.True(names.Count >= 25);
    }
}
