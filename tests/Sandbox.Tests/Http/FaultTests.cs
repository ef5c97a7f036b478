using System.Text.Json.Nodes;
using Dashboard.Sandbox.Tests.Harness;

namespace Dashboard.Sandbox.Tests.Http;

[Collection(OnTheSharedSandbox.Name)]
public sealed class FaultTests(SharedSandbox shared) : IAsyncDisposable
{
    private const string User = "/api/v0/users/current/";
    private readonly SandboxProcess _sandbox = shared.Sandbox;

    public async ValueTask DisposeAsync() => await _sandbox.DeleteAsync("/sandbox/control/faults");

    [Theory]
    [InlineData("""{"status":429}""", 429, "text/plain", "API requests too frequent")]
    [InlineData("""{"status":500}""", 500, "application/json", "server_error")]
    [InlineData("""{"status":502}""", 502, "text/html", "<h1>502</h1>")]
    [InlineData("""{"status":483,"body":"{\"msg\":\"odd\"}"}""", 483, "application/json", "odd")]
    [InlineData("""{"status":200,"body":"not json","content_type":"application/json"}""", 200, "application/json", "not json")]
    public async Task A_route_answers_with_the_status_and_body_it_was_told(string fault, int status, string type, string text)
    {
        await FaultAsync("status", User, fault);

        var answer = await _sandbox.GetAsync(User);

        Assert.Equal((status, type), (answer.Status, answer.ContentType));
        Assert.Contains(text, answer.Text, StringComparison.Ordinal);
        Assert.Equal(404, (await _sandbox.GetAsync("/api/v0/ssh/")).Status); // other routes are as ever
    }

    [Fact]
    public async Task A_rent_can_take_effect_and_lose_its_answer()
    {
        await FaultAsync("drop", "/api/v0/asks/*", """{"method":"PUT","after_effect":true,"count":1}""");
        await FaultAsync("drop", "/api/v0/asks/*", """{"method":"PUT","skip":1,"count":1}""");
        var asks = (await _sandbox.SearchAsync("""{"num_gpus":{"eq":1},"limit":2}""")).Select(row => (int)row!["id"]!).ToList();

        await Assert.ThrowsAsync<HttpRequestException>(() => RentAsync(asks[0], "lost"));
        await Assert.ThrowsAsync<HttpRequestException>(() => RentAsync(asks[1], "never"));

        var made = Assert.Single((await _sandbox.BooksAsync())["instances"]!.AsArray(), row => (string?)row!["label"] is "lost" or "never")!;
        Assert.Equal("lost", (string?)made["label"]);
        await _sandbox.DeleteAsync($"/api/v0/instances/{(int)made["id"]!}/");

        Task<Answer> RentAsync(int ask, string label) =>
            _sandbox.PutAsync($"/api/v0/asks/{ask}/", $$"""{"image":"debian:12","disk":16,"target_state":"stopped","label":"{{label}}"}""");
    }

    [Fact]
    public async Task A_silent_route_holds_its_caller_until_the_connection_ends()
    {
        await FaultAsync("timeout", User, """{"seconds":0.2}""");
        await Assert.ThrowsAsync<HttpRequestException>(() => _sandbox.GetAsync(User));

        await ClearAsync();
        await FaultAsync("timeout", User, "{}");
        using var impatient = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        using var request = new HttpRequestMessage(HttpMethod.Get, User);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _sandbox.Http.SendAsync(request, impatient.Token));
    }

    [Fact]
    public async Task A_late_answer_is_the_right_one()
    {
        await FaultAsync("delay", User, """{"seconds":0.3}""");
        var clock = System.Diagnostics.Stopwatch.StartNew();

        Assert.Equal(200, (await _sandbox.GetAsync(User)).Status);
        Assert.True(clock.Elapsed >= TimeSpan.FromSeconds(0.29), $"It took {clock.Elapsed}.");
    }

    [Fact]
    public async Task A_body_can_break_off_and_its_json_can_be_malformed()
    {
        await FaultAsync("cut", "/api/v0/bundles", "{}");
        await Assert.ThrowsAnyAsync<Exception>(() => _sandbox.SearchAsync("{}"));

        await ClearAsync();
        await FaultAsync("malformed", "/api/v0/bundles", "{}");
        var answer = await _sandbox.PostAsync("/api/v0/bundles/", """{"limit":3}""");
        Assert.Equal((200, "application/json"), (answer.Status, answer.ContentType));
        Assert.ThrowsAny<System.Text.Json.JsonException>(() => answer.Json);
    }

    [Fact]
    public async Task A_path_without_its_slash_is_redirected_in_a_body_that_parses()
    {
        await FaultAsync("redirect", "/api/v1/instances", "{}");

        var bare = await _sandbox.GetAsync("/api/v1/instances?limit=1");

        Assert.Equal((301, "{}"), (bare.Status, bare.Text));
        Assert.Equal(200, (await _sandbox.GetAsync("/api/v1/instances/?limit=1")).Status);
    }

    [Fact]
    public async Task Pages_of_the_list_can_be_stale_repeated_or_cut_and_young_instances_missing()
    {
        var rented = new List<Rented>();
        for (var nth = 0; nth < 3; nth++)
        {
            rented.Add(await _sandbox.RentAsync(extra: ""","label":"fault-page","target_state":"stopped" """));
        }

        var (all, firstPage) = (rented.Select(instance => instance.Id).ToArray(), rented.Take(2).Select(instance => instance.Id).ToArray());
        var list = "/api/v1/instances/?limit=2&select_filters=" + Uri.EscapeDataString("""{"label":{"eq":"fault-page"}}""");
        var page = (await _sandbox.GetAsync(list)).Json;
        var second = list + "&after_token=" + Uri.EscapeDataString((string)page["next_token"]!);

        await FaultAsync("repeat_page", "/api/v1/instances", "{}");
        Assert.Equal(firstPage, Ids((await _sandbox.GetAsync(second)).Json));

        await ClearAsync();
        await FaultAsync("cut_page", "/api/v1/instances", """{"keep":1}""");
        var cut = (await _sandbox.GetAsync(list)).Json;
        Assert.Equal(firstPage[..1], Ids(cut));
        Assert.Null(cut["next_token"]);
        Assert.Equal(3, (int)cut["total_instances"]!);

        await ClearAsync();
        await FaultAsync("list_lag", "/api/v1/instances", """{"seconds":3600}""");
        var young = (await _sandbox.GetAsync(list)).Json;
        Assert.Empty(Ids(young));
        Assert.NotNull(await _sandbox.InstanceAsync(all[0])); // by id it is there

        await ClearAsync();
        await FaultAsync("stale", "/api/v1/instances", "{}");
        Assert.Equal(firstPage, Ids((await _sandbox.GetAsync(list)).Json));
        foreach (var id in all)
        {
            await _sandbox.DeleteAsync($"/api/v0/instances/{id}/");
        }

        Assert.Equal(firstPage, Ids((await _sandbox.GetAsync(list)).Json));
        await ClearAsync();
        Assert.Empty(Ids((await _sandbox.GetAsync(list)).Json));

        static int[] Ids(JsonNode page) => [.. page["instances"]!.AsArray().Select(row => (int)row!["id"]!)];
    }

    [Theory]
    [InlineData("null", "\"gpu_ram\":null")]
    [InlineData("string", "\"gpu_ram\":\"")]
    [InlineData("empty", "\"gpu_ram\":\"\"")]
    public async Task Fields_take_odd_shapes(string shape, string seen)
    {
        await FaultAsync("shape", "/api/v0/bundles", $$"""{"shape":"{{shape}}","fields":["gpu_ram"]}""");

        Assert.Contains(seen, (await _sandbox.PostAsync("/api/v0/bundles/", """{"limit":1}""")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fields_can_be_missing_and_every_number_a_string()
    {
        await FaultAsync("shape", "/api/v0/bundles", """{"shape":"missing","fields":["gpu_ram","reliability"]}""");
        await FaultAsync("shape", "/api/v0/bundles", """{"shape":"string","fields":["*"]}""");

        var row = (await _sandbox.SearchAsync("""{"limit":1}"""))[0]!.AsObject();

        Assert.False(row.ContainsKey("gpu_ram") || row.ContainsKey("reliability"));
        Assert.All(["id", "dph_total", "num_gpus"], field => Assert.Equal(System.Text.Json.JsonValueKind.String, row[field]!.GetValueKind()));
        Assert.Equal(System.Text.Json.JsonValueKind.String, row["search"]!["totalHour"]!.GetValueKind());
    }

    [Fact]
    public async Task The_price_jumps_between_quote_and_rent()
    {
        await FaultAsync("price", "/api/v0/bundles", """{"factor":0.5}""");
        var quotes = await _sandbox.SearchAsync("""{"num_gpus":{"eq":1}}""");
        var rented = await _sandbox.RentAsync("""{"num_gpus":{"eq":1}}""", ""","target_state":"stopped" """);
        var quoted = (decimal)quotes.Single(offer => (int)offer!["id"]! == rented.AskId)!["dph_base"]!;

        var charged = (decimal)(await _sandbox.InstanceAsync(rented.Id))!["dph_base"]!;

        Assert.Equal(charged / 2, quoted, 4);
        Assert.Equal(charged, (decimal)(await _sandbox.TruthAsync(rented.Id))["rates"]!["gpu_per_hour"]!);
        await _sandbox.DeleteAsync($"/api/v0/instances/{rented.Id}/");
    }

    [Fact]
    public async Task A_numeric_filter_can_be_ignored()
    {
        const string dear = """{"dph_total":{"gte":3},"order":[["dph_total","asc"]],"limit":1}""";
        await FaultAsync("ignore_filter", "/api/v0/bundles", """{"fields":["dph_total"]}""");

        Assert.True((decimal)(await _sandbox.SearchAsync(dear))[0]!["dph_total"]! < 3);
        var get = (await _sandbox.GetAsync("/api/v0/bundles/?q=" + Uri.EscapeDataString(dear))).Json["offers"]!;
        Assert.True((decimal)get[0]!["dph_total"]! < 3);
    }

    [Fact]
    public async Task Chance_is_drawn_from_the_seed_and_a_fault_strikes_as_often_as_it_was_told()
    {
        async Task<string> RunAsync(int seed)
        {
            await ClearAsync();
            await FaultAsync("status", User, $$"""{"status":503,"probability":0.5,"seed":{{seed}}}""");
            var run = "";
            for (var call = 0; call < 12; call++)
            {
                run += (await _sandbox.GetAsync(User)).Status == 503 ? "x" : ".";
            }

            return run;
        }

        var (first, again, other) = (await RunAsync(7), await RunAsync(7), await RunAsync(8));
        Assert.Equal(first, again);
        Assert.NotEqual(first, other);
        Assert.Contains('x', first);
        Assert.Contains('.', first);

        await ClearAsync();
        await FaultAsync("status", User, """{"count":2,"skip":1}""");
        var statuses = new List<int>();
        for (var call = 0; call < 4; call++)
        {
            statuses.Add((await _sandbox.GetAsync(User)).Status);
        }

        Assert.Equal([200, 500, 500, 200], statuses);
        var listed = Assert.Single((await _sandbox.GetAsync("/sandbox/control/faults")).Json["faults"]!.AsArray())!;
        Assert.Equal((4, 2), ((int)listed["matched"]!, (int)listed["struck"]!));
    }

    [Fact]
    public async Task One_fault_can_be_taken_away_and_what_is_no_fault_is_refused()
    {
        var id = await FaultAsync("status", User, "{}");
        Assert.Equal(200, (await _sandbox.DeleteAsync($"/sandbox/control/faults/{id}")).Status);
        Assert.Equal(404, (await _sandbox.DeleteAsync($"/sandbox/control/faults/{id}")).Status);
        Assert.Equal(200, (await _sandbox.GetAsync(User)).Status);

        foreach (var body in new[]
                 {
                     """{"kind":"status"}""", """{"path":"/x","kind":"gremlin"}""", """{"path":"/x","kind":"status","probability":2}""",
                     """{"path":"/x","kind":"shape","shape":"null"}""", """{"path":"/x","kind":"status","propability":1}""",
                 })
        {
            var answer = await _sandbox.PostAsync("/sandbox/control/faults", body);
            Assert.Equal((400, "invalid_switch"), (answer.Status, answer.Error));
        }
    }

    private async Task<int> FaultAsync(string kind, string path, string more)
    {
        var fault = JsonNode.Parse(more)!.AsObject();
        (fault["kind"], fault["path"]) = (kind, path);
        var answer = await _sandbox.PostAsync("/sandbox/control/faults", fault.ToJsonString());
        Assert.True(answer.Status == 200, answer.Text);
        return (int)answer.Json["id"]!;
    }

    private Task<Answer> ClearAsync() => _sandbox.DeleteAsync("/sandbox/control/faults");
}
