using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Teams;
using Dashboard.Web.Tests.Startup;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Tests.Api;

/// <summary>Approval for programs: an owner's token asks its own owner.</summary>
[Collection(OneServerAtATime.Name)]
public sealed class ApprovalApiTests : IAsyncLifetime
{
    private const string Key = "canary-9f2c1d7e-vast-key-41ab";
    private KeyDesk _provider = null!;
    private RunningDashboard _dashboard = null!;
    private HttpClient _api = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _provider = await KeyDesk.OpenAsync();
        _provider.Knows(Key);
        _dashboard = await RunningDashboard.OwnedAsync(("Providers:VastAi:BaseUrl", _provider.Address));
        _api = _dashboard.Api();
        using var connected = await _api.PostAsJsonAsync(At("connections"), new { provider = "VastAi", key = Key }, Ct);
        await using var db = await _dashboard.Database.ForSystemAsync(Ct);
        db.RoleLimits.Add(new RoleLimit { TeamId = (await db.Teams.SingleAsync(Ct)).Id, Role = Role.Owner, PerJob = Money.FromUsd(25) });
        await db.SaveChangesAsync(Ct);
    }

    public async ValueTask DisposeAsync()
    {
        _api.Dispose();
        await _dashboard.DisposeAsync();
        await _provider.DisposeAsync();
    }

    [Fact]
    public async Task A_job_above_the_limit_says_so_and_is_approved_once()
    {
        var submitted = await SubmitAsync();
        Assert.Equal(("Job", 60_000_000, 25_000_000), (submitted.GetProperty("approval").GetProperty("kind").GetString(), submitted.GetProperty("approval").GetProperty("askedMicros").GetInt64(), submitted.GetProperty("approval").GetProperty("limitMicros").GetInt64()));
        var number = submitted.GetProperty("number").GetInt32();
        Assert.Equal("AwaitingApproval", (await JobAsync(number)).GetProperty("status").GetString());

        using var yes = await _api.PostAsync(At($"jobs/{number}/approve"), null, Ct);
        using var again = await _api.PostAsync(At($"jobs/{number}/approve"), null, Ct);

        Assert.Equal((HttpStatusCode.Accepted, HttpStatusCode.Conflict), (yes.StatusCode, again.StatusCode));
        var job = await JobAsync(number);
        Assert.NotEqual("AwaitingApproval", job.GetProperty("status").GetString());
        Assert.Equal(JsonValueKind.Null, job.GetProperty("approval").ValueKind);
    }

    [Fact]
    public async Task Declined_it_is_cancelled_with_the_reason_and_a_number_that_is_none_is_not_found()
    {
        var number = (await SubmitAsync()).GetProperty("number").GetInt32();

        using var no = await _api.PostAsJsonAsync(At($"jobs/{number}/decline"), new { reason = "not this month" }, Ct);
        using var none = await _api.PostAsJsonAsync(At("jobs/99/decline"), new { }, Ct);

        Assert.Equal((HttpStatusCode.Accepted, HttpStatusCode.NotFound), (no.StatusCode, none.StatusCode));
        var job = await JobAsync(number);
        Assert.Equal(("Cancelled", "Declined"), (job.GetProperty("status").GetString(), job.GetProperty("stopReason").GetString()));
        Assert.Contains("declined ≈ $60.00: not this month. It cost $0.00.", job.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    private static Uri At(string address) => new($"/api/v1/{address}", UriKind.Relative);

    private async Task<JsonElement> SubmitAsync()
    {
        using var answer = await _api.PostAsJsonAsync(At("jobs"), new { name = "night run", limits = new { maxCostMicros = 60_000_000 } }, Ct);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return await answer.Content.ReadFromJsonAsync<JsonElement>(Ct);
    }

    private Task<JsonElement> JobAsync(int number) => _api.GetFromJsonAsync<JsonElement>(At($"jobs/{number}"), Ct);
}
