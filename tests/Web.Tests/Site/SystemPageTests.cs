using System.Security.Claims;
using Bunit;
using Bunit.TestDoubles;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Providers;
using Dashboard.Web.Features.Site;
using Microsoft.AspNetCore.Components;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Site;

public sealed class SystemPageTests : PageTest
{
    private readonly ProviderRequestLog _log = new();

    public SystemPageTests()
    {
        Services.AddSingleton(_log).AddSingleton<RentBan>().AddSingleton<LifecycleSignal>().AddSingleton<Quarantine>();
        this.AddAuthorization().SetAuthorized("mira").SetClaims(new Claim(ClaimTypes.NameIdentifier, Person.ToString()));
    }

    [Fact]
    public async Task The_site_administrator_sees_every_request_newest_first()
    {
        await BeAdministratorAsync();
        Answered("GET", "/api/v1/instances/", 200);
        Answered("PUT", "/api/v0/asks/{id}/", 502, id: "9c4f");

        var rows = Show<SystemPage>("/system").FindAll("tbody tr");

        Assert.Equal(2, rows.Count);
        Assert.Contains("PUT /api/v0/asks/{id}/", rows[0].TextContent);
        Assert.Contains("502", rows[0].TextContent);
        Assert.Contains("9c4f", rows[0].TextContent);
        Assert.Contains("120 ms", rows[0].TextContent);
    }

    [Fact]
    public async Task Failures_and_markets_are_filters_in_the_address()
    {
        await BeAdministratorAsync();
        Answered("GET", "/a/", 200);
        Answered("GET", "/b/", null, fault: "answer broken off");
        Answered("GET", "/c/", 500, market: "Sandbox");

        Assert.Equal(["/c/", "/b/"], Routes("/system?show=failed"));
        Assert.Equal(["/b/"], Routes("/system?show=failed&market=Vast.ai"));
    }

    [Fact]
    public async Task Rows_stay_put_until_they_are_asked_to_move()
    {
        await BeAdministratorAsync();
        Answered("GET", "/a/", 200);
        var page = Show<SystemPage>("/system");
        Answered("GET", "/b/", 200);

        Assert.Single(page.FindAll("tbody tr"));
        await page.Find("button").ClickAsync();

        Assert.Equal(2, page.FindAll("tbody tr").Count);
    }

    [Fact]
    public void Anybody_else_is_told_that_there_is_nothing()
    {
        Answered("GET", "/api/v1/instances/", 200);

        var page = Show<SystemPage>("/system");

        Assert.Contains("Not found", page.Markup);
        Assert.DoesNotContain("/api/v1/instances/", page.Markup);
    }

    private List<string> Routes(string address) => [.. Show<SystemPage>(address).FindAll("tbody td.mono:nth-child(3)").Select(cell => cell.TextContent.Split(' ')[1])];

    private void Answered(string method, string route, int? status, string? id = null, string? fault = null, string market = "Vast.ai") =>
        _log.Add(new ProviderRequest(0, Time.GetUtcNow(), market, method, route, 1, TimeSpan.Zero, TimeSpan.FromMilliseconds(120), status, id, fault));

    private async Task BeAdministratorAsync()
    {
        await using var db = await Database.ForSystemAsync(CancellationToken.None);
        await db.Users.ExecuteUpdateAsync(set => set.SetProperty(u => u.IsSiteAdministrator, true));
    }
}
