using Bunit;
using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Web.Features.Budgets;
using Dashboard.Web.Features.Jobs;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Approvals;

/// <summary>What the pages say and let do about role limits.</summary>
public sealed class ApprovalPagesTests : BunitContext
{
    private readonly ApprovalTown _town = new();

    public ApprovalPagesTests()
    {
        _town.AddTo(Services);
        JSInterop.Mode = JSRuntimeMode.Loose;
    }

    [Fact]
    public async Task Whoever_decides_reads_what_is_asked_whose_limit_it_passes_and_says_yes_with_the_figure_on_the_button()
    {
        _town.Limit(Role.Member, perJob: 1);
        await _town.SubmitAsync(_town.Priya);

        var card = await CardAsync(_town.Tomas);

        Assert.Matches(@"Priya Nair asks for ≈ \$2\.\d\d", Text(card.Find("h2")));
        Assert.Contains("is above the $1.00 a job of members. Nothing is rented while Mira Okafor or Tomás Rey decide.", Text(card.Find("p")), StringComparison.Ordinal);
        card.FindAll("button").Single(b => b.TextContent.StartsWith("Approve · ≈ $2.", StringComparison.Ordinal)).Click();
        card.WaitForAssertion(() => Assert.Equal(JobStatus.Submitted, _town.Job(1).Status));
    }

    [Fact]
    public async Task A_reason_is_typed_before_it_is_declined()
    {
        _town.Limit(Role.Member, perJob: 1);
        await _town.SubmitAsync(_town.Priya);

        var card = await CardAsync(_town.Mira);
        card.FindAll("button").Single(b => b.TextContent == "Decline…").Click();
        card.Find("input").Input("too dear");
        card.Find("form").Submit();

        card.WaitForAssertion(() => Assert.Equal("too dear", Assert.Single(_town.Decisions()).Reason));
    }

    [Fact]
    public async Task Whoever_came_second_is_told_so()
    {
        _town.Limit(Role.Member, perJob: 1);
        await _town.SubmitAsync(_town.Priya);
        var card = await CardAsync(_town.Mira);
        await _town.Get<DecideJob>().DeclineAsync(_town.Tomas, 1, null, default);

        card.FindAll("button")[0].Click();

        card.WaitForAssertion(() => Assert.Equal("Tomás Rey has declined it already.", card.Find("[role=alert]").TextContent));
    }

    [Fact]
    public async Task Whoever_asked_reads_of_their_own_limit_and_may_cancel_and_others_only_read()
    {
        _town.Limit(Role.Member, perJob: 1);
        await _town.SubmitAsync(_town.Priya);

        var own = await CardAsync(_town.Priya);
        Assert.Contains("is above your $1.00 a job. Nothing is rented while Mira Okafor or Tomás Rey decide.", Text(own.Find("p")), StringComparison.Ordinal);
        Assert.Equal(["Remind", "Change job", "Cancel it"], own.FindAll("a, button").Select(b => b.TextContent));
        Assert.Empty((await CardAsync(_town.Jonas)).FindAll("a, button"));
    }

    [Fact]
    public async Task Whoever_may_not_see_money_reads_no_figure()
    {
        _town.Limit(Role.Member, perJob: 1);
        await _town.SubmitAsync(_town.Priya);
        var viewer = TeamContext.Of(_town.Team, new Membership { TeamId = _town.Team.Id, UserId = new UserId(Guid.NewGuid()), Role = Role.Viewer, Since = _town.Time.GetUtcNow() });

        var card = await CardAsync(viewer);

        Assert.DoesNotContain("$", card.Markup, StringComparison.Ordinal);
        Assert.Contains("Nothing is rented while Mira Okafor or Tomás Rey decide.", card.Markup, StringComparison.Ordinal);
        Assert.Empty(card.FindAll("a, button"));
    }

    [Fact]
    public void Above_the_limit_start_asks_and_says_who_decides()
    {
        _town.Limit(Role.Member, perHour: 0.1m);

        var page = Render<NewJobPage>(p => p.AddCascadingValue(_town.Priya));

        page.WaitForAssertion(() => Assert.StartsWith("Ask for approval · ≈ $0.", page.Find(".start").TextContent, StringComparison.Ordinal));
        Assert.Equal("$0.240/h is above your $0.100/h. Nothing is rented while Mira Okafor or Tomás Rey decide.", page.Find(".promise").TextContent);
        page.Find(".start").Click();
        page.WaitForAssertion(() => Assert.Equal(JobStatus.AwaitingApproval, _town.Job(1).Status));
    }

    [Fact]
    public void Within_the_limit_start_starts()
    {
        _town.Limit(Role.Member, perHour: 1m);
        var page = Render<NewJobPage>(p => p.AddCascadingValue(_town.Priya));
        page.WaitForAssertion(() => Assert.StartsWith("Start · ≈ $", page.Find(".start").TextContent, StringComparison.Ordinal));
    }

    [Fact]
    public void The_table_sets_limits_keeps_what_it_cannot_read_and_empties_them_again()
    {
        var card = Card(_town.Mira);
        Assert.Equal(["Members", "Admins", "Owners"], card.FindAll("tbody th").Select(r => r.TextContent));
        Change(card);
        Amount(card, "Members, per job, USD").Input("lots");
        Amount(card, "Members, per hour, USD").Input("$2");
        card.Find("form").Submit();
        card.WaitForAssertion(() => Assert.Equal("Enter dollars above $0.00, or leave it empty.", card.Find("[role=alert]").TextContent));
        Assert.Equal(("lots", "true"), (Amount(card, "Members, per job, USD").GetAttribute("value"), Amount(card, "Members, per job, USD").GetAttribute("aria-invalid")));

        Amount(card, "Members, per job, USD").Input("25");
        card.Find("form").Submit();
        card.WaitForAssertion(() => Assert.Equal(["Members", "$25.00", "$2.000/h", "none"], card.Find("tbody tr").Children.Select(Text)));

        Change(card);
        Amount(card, "Members, per job, USD").Input("");
        card.Find("form").Submit();
        card.WaitForAssertion(() => Assert.Equal(["Members", "none", "$2.000/h", "none"], card.Find("tbody tr").Children.Select(Text)));
    }

    [Fact]
    public async Task Members_read_the_table_and_nobody_but_an_owner_sets_their_own_role_s()
    {
        Assert.Empty(Card(_town.Priya).FindAll("button"));
        await Assert.ThrowsAsync<PermissionDeniedException>(() => _town.Get<RoleLimits>().SetAsync(_town.Priya, [], default));

        var admins = Card(_town.Tomas);
        Change(admins);
        Assert.Equal(6, admins.FindAll("input").Count); // members' and owners'
        var refused = await _town.Get<RoleLimits>().SetAsync(_town.Tomas, [new RoleLimitRow(Role.Admin, Money.FromUsd(1000), null, null)], default);
        Assert.Equal("The limits of your own role are set by an owner.", Assert.Single(refused).Message);
        Assert.Empty(await _town.Get<RoleLimits>().SetAsync(_town.Mira, [new RoleLimitRow(Role.Owner, Money.FromUsd(1000), null, null)], default));
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _town.Dispose();
    }

    private IRenderedComponent<RoleLimitsCard> Card(TeamContext person)
    {
        var card = Render<RoleLimitsCard>(p => p.AddCascadingValue(person));
        card.WaitForAssertion(() => Assert.NotEmpty(card.FindAll("tbody tr")));
        return card;
    }

    // The card reads anew at the same time, and a click waits for that.
    private static void Change(IRenderedComponent<RoleLimitsCard> card)
    {
        card.Find("button").Click();
        card.WaitForAssertion(() => Assert.NotEmpty(card.FindAll("input")));
    }

    private static AngleSharp.Dom.IElement Amount(IRenderedComponent<RoleLimitsCard> card, string label) => card.Find($"input[aria-label='{label}']");

    private async Task<IRenderedComponent<ApprovalCard>> CardAsync(TeamContext person)
    {
        var view = await _town.Get<JobQueries>().FindAsync(person, 1, default);
        return Render<ApprovalCard>(p => p.Add(c => c.Job, view!).Add(c => c.Approval, view!.Approval!).Add(c => c.StopHref, "/stop").Add(c => c.ChangeHref, "/change").AddCascadingValue(person));
    }

    private static string Text(AngleSharp.Dom.IElement element) => string.Join(' ', element.TextContent.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
