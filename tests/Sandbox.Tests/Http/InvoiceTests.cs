using System.Globalization;
using Dashboard.Sandbox.Tests.Harness;

namespace Dashboard.Sandbox.Tests.Http;

[Collection(OnTheSharedSandbox.Name)]
public sealed class InvoiceTests(SharedSandbox shared)
{
    private readonly SandboxProcess _sandbox = shared.Sandbox;

    [Fact]
    public async Task Without_a_range_invoices_are_an_error_with_status_200()
    {
        var answer = await _sandbox.GetAsync("/api/v1/invoices/");

        Assert.Equal(200, answer.Status);
        Assert.Equal("""{"success":false,"error":"Invalid date range","count":0,"total":0,"results":[],"next_token":null}""", answer.Text);
    }

    [Fact]
    public async Task Credit_that_came_in_is_listed_in_pages_and_adds_up_to_what_was_granted()
    {
        var account = (await _sandbox.PostAsync("/sandbox/control/accounts", """{"name":"payer","credit":10}""")).Json;
        var key = (string)account["api_key"]!;
        await _sandbox.PutAsync($"/sandbox/control/accounts/{(int)account["id"]!}/credit", """{"credit":35}""");
        var range = "/api/v1/invoices/?limit=1&select_filters=" + Uri.EscapeDataString("""{"when":{"gte":0,"lte":9999999999}}""");

        var first = (await _sandbox.GetAsync(range, key)).Json;
        var second = (await _sandbox.GetAsync(range + "&after_token=" + Uri.EscapeDataString((string)first["next_token"]!), key)).Json;

        Assert.Equal((1, 2), ((int)first["count"]!, (int)first["total"]!));
        Assert.Null(second["next_token"]);
        Assert.Equal([10m, 25m], new[] { first, second }.Select(page => (decimal)page["results"]![0]!["amount"]!));
        Assert.Equal("transfer", (string?)first["results"]![0]!["metadata"]!["service"]);
        Assert.Empty((await _sandbox.GetAsync("/api/v1/invoices/?select_filters=" + Uri.EscapeDataString("""{"when":{"gte":0,"lte":1}}"""), key)).Json["results"]!.AsArray());
    }

    [Fact]
    public async Task The_old_history_shows_payments_and_charges_as_text()
    {
        var rented = await _sandbox.RentAsync();
        await _sandbox.RunsAsync(rented.Id);
        await Soon.HoldsAsync(async () => (decimal)(await _sandbox.TruthAsync(rented.Id))["bill"]!["total"]! > 0.01m, "it has cost a cent");
        await _sandbox.DeleteAsync($"/api/v0/instances/{rented.Id}/");
        var bill = (decimal)(await _sandbox.TruthAsync(rented.Id))["bill"]!["total"]!;

        var history = (await _sandbox.GetAsync("/api/v0/users/me/invoices?owner=me&sdate=1&inc_charges=true")).Json;

        var rows = history["invoices"]!.AsArray();
        Assert.Equal("1000000.0000", (string?)rows.First(row => (string?)row!["type"] == "payment")!["amount"]);
        var charge = rows.Single(row => (int?)row!["instance_id"] == rented.Id)!;
        Assert.Equal(Math.Round(bill, 4).ToString("0.0000", CultureInfo.InvariantCulture), (string?)charge["amount"]);
        Assert.All(rows, row => Assert.Equal(System.Text.Json.JsonValueKind.Number, row!["timestamp"]!.GetValueKind()));
        Assert.True((decimal)history["current"]!["total"]! >= Math.Round(bill, 4));
        Assert.DoesNotContain((await _sandbox.GetAsync("/api/v0/users/me/invoices?sdate=1&inc_charges=false")).Json["invoices"]!.AsArray(), row => (string?)row!["type"] == "charge");
    }
}
