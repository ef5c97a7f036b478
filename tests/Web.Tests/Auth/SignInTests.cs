using System.Net;
using System.Text.RegularExpressions;
using Dashboard.Web.Features.SignIn;
using Dashboard.Web.Tests.Startup;

namespace Dashboard.Web.Tests.Auth;

[Collection(OneServerAtATime.Name)]
public sealed partial class SignInTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_wrong_password_and_an_unknown_address_are_answered_alike()
    {
        await using var dashboard = await RunningDashboard.OwnedAsync();

        var wrong = await RefusalAsync(dashboard, RunningDashboard.Email, "not the password");
        var unknown = await RefusalAsync(dashboard, "nobody@example.org", "not the password");

        Assert.Equal("E-mail and password do not belong together.", wrong);
        Assert.Equal(wrong, unknown);
    }

    [Fact]
    public async Task A_locked_account_tells_until_when_only_to_who_knows_the_password()
    {
        await using var dashboard = await RunningDashboard.OwnedAsync();
        for (var tries = 0; tries < 5; tries++)
        {
            Assert.Equal("E-mail and password do not belong together.", await RefusalAsync(dashboard, RunningDashboard.Email, "not the password"));
        }

        Assert.Equal("E-mail and password do not belong together.", await RefusalAsync(dashboard, RunningDashboard.Email, "still not it"));
        Assert.StartsWith("Too many wrong passwords. This account is locked until ", await RefusalAsync(dashboard, RunningDashboard.Email, RunningDashboard.Password), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_tries_too_often_is_asked_to_wait()
    {
        await using var dashboard = await RunningDashboard.OwnedAsync();
        var answers = new List<HttpStatusCode>();
        using var browser = dashboard.Browser();
        for (var tries = 0; tries < 11; tries++)
        {
            using var empty = new FormUrlEncodedContent([]);
            using var answer = await browser.PostAsync(new Uri("/sign-in", UriKind.Relative), empty, Ct);
            answers.Add(answer.StatusCode);
        }

        Assert.DoesNotContain(HttpStatusCode.TooManyRequests, answers[..10]);
        Assert.Equal(HttpStatusCode.TooManyRequests, answers[10]);
    }

    [Fact]
    public async Task A_session_over_leads_back_to_the_same_address()
    {
        await using var dashboard = await RunningDashboard.OwnedAsync();
        using var browser = dashboard.Browser();

        using var sent = await browser.GetAsync(new Uri($"/t/{RunningDashboard.Slug}/jobs?status=all", UriKind.Relative), Ct);
        using var back = await RunningDashboard.SubmitFormAsync(browser, sent.Headers.Location!.PathAndQuery, ("Who.Email", RunningDashboard.Email), ("Who.Password", RunningDashboard.Password));

        Assert.Equal($"/t/{RunningDashboard.Slug}/jobs?status=all", back.Headers.Location!.PathAndQuery);
    }

    [Theory]
    [InlineData("/t/halden-lab/jobs", "/t/halden-lab/jobs")]
    [InlineData("https://evil.example", "/")]
    [InlineData("//evil.example", "/")]
    [InlineData("/\\evil.example", "/")]
    [InlineData("", "/")]
    [InlineData(null, "/")]
    public void Signing_in_leads_to_addresses_of_this_server_only(string? wanted, string leads) => Assert.Equal(leads, LocalAddress.Or(wanted, "/"));

    [Fact]
    public async Task Another_site_cannot_sign_somebody_out()
    {
        await using var dashboard = await RunningDashboard.OwnedAsync();
        using var browser = await dashboard.SignedInAsync();

        using var forged = new FormUrlEncodedContent([]);
        using var refused = await browser.PostAsync(new Uri("/sign-out", UriKind.Relative), forged, Ct);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);

        using var account = await browser.GetAsync(new Uri("/account", UriKind.Relative), Ct);
        Assert.Equal(HttpStatusCode.OK, account.StatusCode);
    }

    [Fact]
    public async Task The_session_cookie_is_out_of_reach_for_scripts_and_other_sites()
    {
        await using var dashboard = await RunningDashboard.OwnedAsync();
        using var browser = dashboard.Browser();
        using var answer = await RunningDashboard.SubmitFormAsync(browser, "/sign-in", ("Who.Email", RunningDashboard.Email), ("Who.Password", RunningDashboard.Password));

        var cookie = answer.Headers.GetValues("Set-Cookie").Single(c => c.StartsWith("dashboard=", StringComparison.Ordinal));
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
    }

    private static async Task<string> RefusalAsync(RunningDashboard dashboard, string email, string password)
    {
        using var browser = dashboard.Browser();
        using var answer = await RunningDashboard.SubmitFormAsync(browser, "/sign-in", ("Who.Email", email), ("Who.Password", password));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return Alert().Match(await answer.Content.ReadAsStringAsync(Ct)).Groups[1].Value;
    }

    [GeneratedRegex("""role="alert"[^>]*>([^<]+)<""")]
    private static partial Regex Alert();
}
