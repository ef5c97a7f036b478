using System.Text.Json.Nodes;
using Dashboard.Sandbox.Tests.Harness;

namespace Dashboard.Sandbox.Tests.Http;

[Collection(OnTheSharedSandbox.Name)]
public sealed class InstanceTests(SharedSandbox shared)
{
    private readonly SandboxProcess _sandbox = shared.Sandbox;

    [Fact]
    public async Task The_old_list_is_gone_and_says_where_the_new_one_is()
    {
        var answer = await _sandbox.GetAsync("/api/v0/instances/");

        Assert.Equal(410, answer.Status);
        Assert.Equal("""{"success":false,"error":"deprecated_endpoint","msg":"/api/v0/instances/ is deprecated. Use /api/v1/instances/ instead."}""", answer.Text);
    }

    [Fact]
    public async Task The_list_is_paged_filtered_and_counted()
    {
        var rented = new List<Rented>();
        foreach (var label in new[] { "page-a", "page-a", "page-b" })
        {
            rented.Add(await _sandbox.RentAsync(extra: $$""","label":"{{label}}","target_state":"stopped" """));
        }

        var all = await ListAsync("""{"label":{"in":["page-a","page-b"]}}""", "limit=2&order_by=" + Uri.EscapeDataString("""[{"col":"id","dir":"desc"}]"""));
        Assert.Equal([rented[2].Id, rented[1].Id], Ids(all));
        Assert.Equal((3, 2, 1), ((int)all["total_instances"]!, (int)all["label_counts"]!["page-a"]!, (int)all["label_counts"]!["page-b"]!));

        // The row that the cursor stands on may go away between pages.
        await _sandbox.DeleteAsync($"/api/v0/instances/{rented[1].Id}/");
        var rest = await ListAsync(
            """{"label":{"in":["page-a","page-b"]}}""",
            "limit=2&order_by=" + Uri.EscapeDataString("""[{"col":"id","dir":"desc"}]""") + "&after_token=" + Uri.EscapeDataString((string)all["next_token"]!));
        Assert.Equal([rented[0].Id], Ids(rest));
        Assert.Null(rest["next_token"]);

        var one = await ListAsync("""{"label":{"eq":"page-b"}}""", "select_cols=" + Uri.EscapeDataString("""["id","label","nonsense"]"""));
        Assert.Equal($$"""{"id":{{rented[2].Id}},"label":"page-b","nonsense":null}""", Assert.Single(one["instances"]!.AsArray())!.ToJsonString());

        foreach (var instance in rented)
        {
            await _sandbox.DeleteAsync($"/api/v0/instances/{instance.Id}/");
        }

        Assert.Empty(Ids(await ListAsync("""{"label":{"in":["page-a","page-b"]}}""", "")));

        static int[] Ids(JsonNode page) => [.. page["instances"]!.AsArray().Select(row => (int)row!["id"]!)];
    }

    [Fact]
    public async Task Computed_columns_and_foreign_cursors_are_refused()
    {
        var computed = await _sandbox.GetAsync("/api/v1/instances/?select_filters=" + Uri.EscapeDataString("""{"dph_total":{"lte":1}}"""));
        var cursor = await _sandbox.GetAsync("/api/v1/instances/?after_token=abc");

        Assert.Equal((400, "invalid_request"), (computed.Status, computed.Error));
        Assert.Equal((400, "invalid_token"), (cursor.Status, cursor.Error));
    }

    [Fact]
    public async Task A_new_instance_is_missing_from_the_list_for_a_while_but_can_be_read_by_its_id()
    {
        await using var lagging = await Sandboxes.StartAsync([.. Sandboxes.Immediate, "--list-lag-seconds", "1.5"]);
        var rented = await lagging.RentAsync();

        Assert.NotNull(await lagging.InstanceAsync(rented.Id));
        Assert.Empty((await lagging.GetAsync("/api/v1/instances/")).Json["instances"]!.AsArray());
        await Soon.HoldsAsync(async () => (await lagging.GetAsync("/api/v1/instances/")).Json["instances"]!.AsArray().Count == 1, "the instance is listed");
    }

    [Fact]
    public async Task Status_walks_from_nothing_over_loading_to_running_and_ports_appear_with_running()
    {
        await using var slow = await Sandboxes.StartAsync([.. Sandboxes.Immediate, "--boot-seconds", "1.5"]);
        var rented = await slow.RentAsync();
        var seen = new List<string>();
        JsonNode row;
        do
        {
            row = (await slow.InstanceAsync(rented.Id))!;
            var status = (string?)row["actual_status"] ?? "null";
            if (seen.LastOrDefault() != status)
            {
                seen.Add(status);
            }

            Assert.Equal(status == "running", row["ports"] is not null);
            Assert.Equal(status == "running", row["public_ipaddr"] is not null);
            Assert.Equal(System.Text.Json.JsonValueKind.Number, row["start_date"]!.GetValueKind());
            Assert.Equal(System.Text.Json.JsonValueKind.Array, row["extra_env"]!.GetValueKind());
        }
        while ((string?)row["actual_status"] != "running");

        Assert.Equal(["null", "loading", "running"], seen);
        Assert.Contains("success, running debian_12", (string)row["status_msg"]!, StringComparison.Ordinal);
        Assert.Equal("running", (string?)row["cur_state"]);
    }

    [Fact]
    public async Task Stop_and_start_change_the_states_and_the_label_can_change()
    {
        var rented = await _sandbox.RentAsync();
        await _sandbox.RunsAsync(rented.Id);

        Assert.Equal("""{"success":true}""", (await _sandbox.PutAsync($"/api/v0/instances/{rented.Id}/", """{"state":"stopped"}""")).Text);
        var stopped = (await _sandbox.InstanceAsync(rented.Id))!;
        Assert.Equal(("stopped", "stopped", "stopped", "exited"), ((string?)stopped["intended_status"], (string?)stopped["cur_state"], (string?)stopped["next_state"], (string?)stopped["actual_status"]));
        Assert.Null(stopped["ports"]);
        Assert.Equal((decimal)stopped["storage_total_cost"]!, (decimal)stopped["instance"]!["totalHour"]!);

        await _sandbox.PutAsync($"/api/v0/instances/{rented.Id}/", """{"state":"running"}""");
        await _sandbox.RunsAsync(rented.Id);
        await _sandbox.PutAsync($"/api/v0/instances/{rented.Id}/", """{"label":"new"}""");
        Assert.Equal("new", (string?)(await _sandbox.InstanceAsync(rented.Id))!["label"]);
        Assert.Equal((400, "label_too_long"), await LabelAsync(new string('x', 1025)));
        await _sandbox.DeleteAsync($"/api/v0/instances/{rented.Id}/");
        Assert.Equal((404, "no_such_instance"), await LabelAsync("x"));

        async Task<(int, string?)> LabelAsync(string label)
        {
            var answer = await _sandbox.PutAsync($"/api/v0/instances/{rented.Id}/", $$"""{"label":"{{label}}"}""");
            return (answer.Status, answer.Error);
        }
    }

    [Fact]
    public async Task A_start_without_a_free_gpu_is_queued()
    {
        const string oneGpu = """{"num_gpus":{"eq":1},"gpu_frac":{"eq":1},"order":[["dph_total","asc"]]}""";
        var first = await _sandbox.RentAsync(oneGpu);
        var machine = (int)(await _sandbox.InstanceAsync(first.Id))!["machine_id"]!;
        await _sandbox.PutAsync($"/api/v0/instances/{first.Id}/", """{"state":"stopped"}""");
        var second = await _sandbox.RentAsync($$$"""{"machine_id":{"eq":{{{machine}}}}}""");

        var answer = await _sandbox.PutAsync($"/api/v0/instances/{first.Id}/", """{"state":"running"}""");

        Assert.Equal((200, false), (answer.Status, (bool)answer.Json["success"]!));
        Assert.Equal("Required resources are currently unavailable, state change queued.", (string?)answer.Json["msg"]);
        await _sandbox.DeleteAsync($"/api/v0/instances/{second.Id}/");
        await _sandbox.RunsAsync(first.Id);
        await _sandbox.DeleteAsync($"/api/v0/instances/{first.Id}/");
    }

    [Fact]
    public async Task Charges_are_the_bill_rounded_to_a_tenth_of_a_cent()
    {
        var rented = await _sandbox.RentAsync(extra: ""","label":"charged" """);
        await _sandbox.RunsAsync(rented.Id);
        await Soon.HoldsAsync(async () => (decimal)(await _sandbox.TruthAsync(rented.Id))["bill"]!["gpu"]! > 0.01m, "it has cost a cent");
        await _sandbox.DeleteAsync($"/api/v0/instances/{rented.Id}/");
        var bill = (await _sandbox.TruthAsync(rented.Id))["bill"]!;

        var charges = (await _sandbox.GetAsync("/api/v0/charges/?limit=500&select_filters=" + Uri.EscapeDataString("""{"day":{"gte":0,"lte":9999999999},"type":{"in":["instance"]}}"""))).Json;
        var row = charges["results"]!.AsArray().Single(row => (string)row!["source"]! == $"instance-{rented.Id}")!;

        Assert.Equal("charged", (string?)row["metadata"]!["label"]);
        Assert.Equal(Math.Round((decimal)bill["total"]!, 3), (decimal)row["amount"]!);
        Assert.Equal(["gpu", "disk"], row["items"]!.AsArray().Select(item => (string)item!["type"]!));
        Assert.Equal(Math.Round((decimal)bill["gpu"]!, 3), (decimal)row["items"]![0]!["amount"]!);
        Assert.Matches(@"^\d+\.\d{3} hours at \$\d+\.\d{3}/hour$", (string)row["items"]![0]!["description"]!);
    }

    [Fact]
    public async Task Charges_need_both_ends_of_the_time_asked_for()
    {
        var answer = await _sandbox.GetAsync("/api/v0/charges/?select_filters=" + Uri.EscapeDataString("""{"day":{"gte":0}}"""));

        Assert.Equal(400, answer.Status);
        Assert.Equal("Must provide both 'day' gte and lte filters for instance charges", (string?)answer.Json["msg"]);
    }

    [Fact]
    public async Task Credit_falls_by_what_the_instances_cost()
    {
        var before = (decimal)(await _sandbox.GetAsync("/api/v0/users/current")).Json["credit"]!;
        var rented = await _sandbox.RentAsync();
        await _sandbox.RunsAsync(rented.Id);
        await Soon.HoldsAsync(async () => (decimal)(await _sandbox.GetAsync("/api/v0/users/current")).Json["credit"]! < before - 0.01m, "credit falls");
        await _sandbox.DeleteAsync($"/api/v0/instances/{rented.Id}/");

        var truth = await _sandbox.BooksAsync();
        Assert.Equal(1_000_000m, (decimal)truth["credit"]! + truth["instances"]!.AsArray().Where(instance => (int)instance!["account_id"]! == 314159).Sum(instance => (decimal)instance!["bill"]!["total"]!));
    }

    [Fact]
    public async Task Account_keys_are_a_bare_list_and_404_when_there_are_none()
    {
        const string key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK3q9m0bq1mZ0Q0mJmYb0m0q9m0bq1mZ0Q0mJmYb0m0q someone";
        Assert.Equal(404, (await _sandbox.GetAsync("/api/v0/ssh/")).Status);

        var made = (await _sandbox.PostAsync("/api/v0/ssh/", $$"""{"ssh_key":"{{key}}"}""")).Json;
        Assert.Equal(key, (string?)made["key"]!["public_key"]);
        Assert.Equal(key, (string?)Assert.Single((await _sandbox.GetAsync("/api/v0/ssh/")).Json.AsArray())!["key"]);
        Assert.Equal(200, (await _sandbox.DeleteAsync($"/api/v0/ssh/{(int)made["key"]!["id"]!}/")).Status);
        Assert.Equal(404, (await _sandbox.GetAsync("/api/v0/ssh/")).Status);
        Assert.Equal("no_ssh_key", (await _sandbox.PostAsync("/api/v0/ssh/", """{"ssh_key":"rubbish"}""")).Error);
    }

    [Fact]
    public async Task Keys_of_an_instance_are_json_within_json_and_can_be_detached()
    {
        const string key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK3q9m0bq1mZ0Q0mJmYb0m0q9m0bq1mZ0Q0mJmYb0m0q someone";
        var rented = await _sandbox.RentAsync(extra: ""","target_state":"stopped" """);
        var path = $"/api/v0/instances/{rented.Id}/ssh/";
        await _sandbox.PostAsync(path, $$"""{"ssh_key":"{{key}}"}""");
        await _sandbox.PostAsync(path, $$"""{"ssh_key":"{{key}}"}""");

        var attached = Assert.Single(JsonNode.Parse((string)(await _sandbox.GetAsync(path)).Json["ssh_keys"]!)!.AsArray())!;
        Assert.Equal(key, (string?)attached["public_key"]);
        Assert.Equal(200, (await _sandbox.DeleteAsync($"{path}{(int)attached["id"]!}/")).Status);
        Assert.Equal("no_such_ssh_key", (await _sandbox.DeleteAsync($"{path}{(int)attached["id"]!}/")).Error);
        await _sandbox.DeleteAsync($"/api/v0/instances/{rented.Id}/");
        Assert.Equal("no_such_instance", (await _sandbox.PostAsync(path, $$"""{"ssh_key":"{{key}}"}""")).Error);
    }

    private async Task<JsonNode> ListAsync(string filters, string query) =>
        (await _sandbox.GetAsync("/api/v1/instances/?select_filters=" + Uri.EscapeDataString(filters) + "&" + query)).Json;
}
