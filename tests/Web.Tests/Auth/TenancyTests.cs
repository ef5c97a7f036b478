using System.Net;
using System.Text.RegularExpressions;
using Dashboard.Domain;
using Dashboard.Domain.Teams;
using Dashboard.Tests.Shared;
using Dashboard.Web.Tests.Startup;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Auth;

[Collection(OneServerAtATime.Name)]
public sealed partial class TenancyTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("")]
    [InlineData("/jobs")]
    [InlineData("/connections")]
    [InlineData("/costs/invoices/2026-11")]
    [InlineData("/costs/ledger.csv")]
    public async Task Another_team_s_page_answers_exactly_as_a_team_that_does_not_exist(string page)
    {
        await using var dashboard = await RunningDashboard.OwnedAsync();
        await using (var db = await dashboard.Database.ForSystemAsync(Ct))
        {
            db.Teams.Add(new Team { Id = new TeamId(Guid.NewGuid()), Name = "Rivals", Slug = "rivals", CreatedAt = DateTimeOffset.UnixEpoch });
            await db.SaveChangesAsync(Ct);
        }

        using var browser = await dashboard.SignedInAsync();
        var foreign = await VisitAsync(browser, $"/t/rivals{page}");
        var none = await VisitAsync(browser, $"/t/no-such{page}");

        Assert.Equal(HttpStatusCode.NotFound, foreign.Status);
        Assert.Equal(none, foreign);
        Assert.Equal(HttpStatusCode.OK, (await VisitAsync(browser, $"/t/{RunningDashboard.Slug}{page}")).Status);
    }

    [Fact]
    public async Task Nothing_is_open_to_strangers_that_does_not_say_so()
    {
        await using var dashboard = await RunningDashboard.OwnedAsync();

        var undecided = dashboard.App.Services.GetRequiredService<IEnumerable<EndpointDataSource>>().SelectMany(source => source.Endpoints)
            .Where(endpoint => endpoint.Metadata.GetMetadata<IAuthorizeData>() is null && endpoint.Metadata.GetMetadata<IAllowAnonymous>() is null && endpoint.DisplayName != "Fallback {**path:file}") // files beside the build, in Development alone
            .Select(endpoint => endpoint.DisplayName);

        Assert.Empty(undecided);
    }

    [Fact]
    public async Task Hangfire_shows_itself_to_site_administrators_alone()
    {
        await using var dashboard = await RunningDashboard.OwnedAsync();
        using var owner = await dashboard.SignedInAsync();
        Assert.Equal(HttpStatusCode.OK, (await VisitAsync(owner, "/system/hangfire")).Status);

        await using (var db = await dashboard.Database.ForSystemAsync(Ct))
        {
            db.Users.Single().IsSiteAdministrator = false;
            await db.SaveChangesAsync(Ct);
        }

        Assert.Equal(HttpStatusCode.Forbidden, (await VisitAsync(owner, "/system/hangfire")).Status);
        using var stranger = dashboard.Browser();
        Assert.Equal(HttpStatusCode.Redirect, (await VisitAsync(stranger, "/system/hangfire")).Status);
    }

    [Fact]
    public void Only_the_authorisation_service_makes_a_team_context()
    {
        var makers = Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*", SearchOption.AllDirectories)
            .Where(file => (file.EndsWith(".cs", StringComparison.Ordinal) || file.EndsWith(".razor", StringComparison.Ordinal)) && !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Where(file => MakesTeamContext().IsMatch(File.ReadAllText(file)))
            .Select(Path.GetFileName);

        Assert.Equal(["TeamAuthorization.cs"], makers);
    }

    [Fact]
    public async Task Every_page_forbids_frames_foreign_scripts_and_guessing_content_types()
    {
        await using var dashboard = await RunningDashboard.OwnedAsync();
        using var browser = dashboard.Browser();
        using var answer = await browser.GetAsync(new Uri("/sign-in", UriKind.Relative), Ct);

        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("script-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
    }

    // What differs from request to request by design: the circuit's descriptors.
    private static async Task<(HttpStatusCode Status, string Body)> VisitAsync(HttpClient browser, string address)
    {
        using var answer = await browser.GetAsync(new Uri(address, UriKind.Relative), Ct);
        return (answer.StatusCode, Comment().Replace(await answer.Content.ReadAsStringAsync(Ct), ""));
    }

    [GeneratedRegex(@"\bTeamContext\.Of\(")]
    private static partial Regex MakesTeamContext();

    [GeneratedRegex("<!--.*?-->", RegexOptions.Singleline)]
    private static partial Regex Comment();
}
