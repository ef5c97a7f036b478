using System.Net;
using Dashboard.Domain.Teams;
using Dashboard.Web.Features.SetUp;
using Dashboard.Web.Tests.Startup;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Tests.Auth;

[Collection(OneServerAtATime.Name)]
public sealed class SetUpTests
{
    private static readonly (string, string)[] Owner =
        [("Owner.Name", "Mira Okafor"), ("Owner.Email", RunningDashboard.Email), ("Owner.Password", RunningDashboard.Password), ("Owner.Team", "Halden Lab")];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/setup")]
    [InlineData("/setup?code=guessed")]
    public async Task Without_the_printed_code_nobody_is_asked_for_an_account(string address)
    {
        await using var dashboard = await RunningDashboard.StartAsync();
        using var browser = dashboard.Browser();

        var page = await browser.GetStringAsync(new Uri(address, UriKind.Relative), Ct);
        Assert.DoesNotContain("Owner.Password", page, StringComparison.Ordinal);
        Assert.Contains("one-time code", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_form_sent_with_a_wrong_code_makes_nobody()
    {
        await using var dashboard = await RunningDashboard.StartAsync();
        using var browser = dashboard.Browser();
        var page = await browser.GetStringAsync(new Uri(dashboard.SetUpUrl), Ct);
        var token = page.Split("__RequestVerificationToken\" value=\"")[1].Split('"')[0];

        using var form = new FormUrlEncodedContent(Owner.Append(("_handler", "setup")).Append(("__RequestVerificationToken", token)).Select(f => KeyValuePair.Create(f.Item1, f.Item2)));
        using var answer = await browser.PostAsync(new Uri("/setup?code=guessed", UriKind.Relative), form, Ct);

        await using var db = await dashboard.Database.ForSystemAsync(Ct);
        Assert.Equal(0, await db.Users.CountAsync(Ct));
    }

    [Fact]
    public async Task The_first_person_owns_the_first_team_is_signed_in_and_closes_the_set_up()
    {
        await using var dashboard = await RunningDashboard.StartAsync();
        using var browser = dashboard.Browser();
        var address = dashboard.SetUpUrl;

        using var answer = await RunningDashboard.SubmitFormAsync(browser, address, Owner);
        Assert.Equal("/setup?step=ready", answer.Headers.Location!.PathAndQuery);
        Assert.Contains("<h1>Ready</h1>", await browser.GetStringAsync(answer.Headers.Location, Ct), StringComparison.Ordinal);

        await using var db = await dashboard.Database.ForSystemAsync(Ct);
        Assert.True((await db.Users.SingleAsync(Ct)).IsSiteAdministrator);
        Assert.Equal(RunningDashboard.Slug, (await db.Teams.SingleAsync(Ct)).Slug);
        Assert.Equal(Role.Owner, (await db.Memberships.SingleAsync(Ct)).Role);
        Assert.Equal("general", (await db.Projects.SingleAsync(Ct)).Name);

        using var stranger = dashboard.Browser();
        using var again = await stranger.GetAsync(new Uri(address), Ct);
        Assert.Equal(HttpStatusCode.NotFound, again.StatusCode);
        Assert.False(File.Exists(Path.Combine(dashboard.Data, "setup-url")));
    }

    [Fact]
    public async Task A_refused_field_says_why_and_the_others_keep_what_was_typed()
    {
        await using var dashboard = await RunningDashboard.StartAsync();
        using var browser = dashboard.Browser();

        using var answer = await RunningDashboard.SubmitFormAsync(browser, dashboard.SetUpUrl, [.. Owner.Where(f => f.Item1 != "Owner.Password"), ("Owner.Password", "short")]);
        var page = await answer.Content.ReadAsStringAsync(Ct);

        Assert.Contains("Use at least 12 characters.", page, StringComparison.Ordinal);
        Assert.Contains($"value=\"{RunningDashboard.Email}\"", page, StringComparison.Ordinal);
        Assert.DoesNotContain("value=\"short\"", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Halden Lab", "halden-lab")]
    [InlineData("  Ünï  &  Co. ", "uni-co")]
    [InlineData("北京", "team")]
    [InlineData("../../etc", "etc")]
    public void A_team_s_address_is_made_of_letters_digits_and_dashes(string name, string slug) => Assert.Equal(slug, TeamSlug.From(name));
}
