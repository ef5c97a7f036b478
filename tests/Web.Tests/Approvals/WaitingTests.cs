using Bunit;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Web.Features.Inbox;
using Dashboard.Web.Features.Jobs;
using Microsoft.AspNetCore.Components;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Approvals;

/// <summary>What whoever asked can do while nobody has decided: remind, or ask for something else.</summary>
public sealed class WaitingTests : BunitContext
{
    private readonly ApprovalTown _town = new();

    public WaitingTests()
    {
        _town.AddTo(Services);
        JSInterop.Mode = JSRuntimeMode.Loose;
    }

    [Fact]
    public async Task A_reminder_tells_those_who_decide_again_and_brings_back_what_was_put_off()
    {
        await AskAsync();
        var line = Assert.Single((await InboxAsync()).Rows);
        await _town.Get<SettleInboxItem>().SnoozeAsync(_town.Tomas, line.Id, TimeSpan.FromHours(20), default);
        Assert.Empty((await InboxAsync()).Rows);

        Assert.Null(await Remind.RunAsync(_town.Priya, 1, default));

        Assert.Single((await InboxAsync()).Rows);
        using var db = _town.Open();
        Assert.Equal(2, db.Outbox.Count(m => m.Kind == OutboxKinds.ApprovalAsked));
        Assert.Equal("Asks for approval again.", _town.Events(1)[^1]);
    }

    [Fact]
    public async Task They_are_reminded_at_most_once_an_hour_however_often_it_is_pressed()
    {
        await AskAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Remind.RunAsync(_town.Priya, 1, default))));
        _town.Time.Advance(TimeSpan.FromMinutes(59));
        var early = await Remind.RunAsync(_town.Priya, 1, default);
        _town.Time.Advance(TimeSpan.FromMinutes(1));
        var later = await Remind.RunAsync(_town.Priya, 1, default);

        Assert.Single(answers, answer => answer is null);
        Assert.Equal(("They were reminded within the last hour.", null), (early, later));
    }

    [Fact]
    public async Task Only_whoever_asked_reminds_and_only_while_it_waits()
    {
        await AskAsync();
        Assert.Equal("Only whoever asked can remind.", await Remind.RunAsync(_town.Jonas, 1, default));
        Assert.Equal("It waits for no approval any more.", await Remind.RunAsync(_town.Priya, 2, default));
        await _town.Get<DecideJob>().ApproveAsync(_town.Mira, 1, default);
        Assert.Equal("It waits for no approval any more.", await Remind.RunAsync(_town.Priya, 1, default));
    }

    [Fact]
    public async Task The_button_says_how_often_and_after_a_press_when_again()
    {
        await AskAsync();
        var card = await CardAsync();
        Assert.Contains("Remind tells Mira Okafor or Tomás Rey again, at most once an hour.", card.Find("#remind-note").TextContent, StringComparison.Ordinal);
        await card.FindAll("button").Single(b => b.TextContent == "Remind").ClickAsync(new());

        _town.Time.Advance(TimeSpan.FromMinutes(18));
        card = await CardAsync();

        Assert.True(card.FindAll("button").Single(b => b.TextContent == "Remind").HasAttribute("disabled"));
        Assert.Contains("again in 42 min", card.Find("#remind-note").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Changing_it_fills_the_form_in_and_withdraws_the_waiting_one_with_the_new_one()
    {
        await AskAsync();

        var page = Change(1);
        page.WaitForAssertion(() => Assert.StartsWith("This changes #1, which waits for approval", page.Find(".notice").TextContent, StringComparison.Ordinal));
        Assert.Equal(("support-bot-v9", JobStatus.AwaitingApproval), (Input(page, "Name").GetAttribute("value"), _town.Job(1).Status)); // nothing is withdrawn by looking
        Input(page, "At most, in all").Input("0.90");
        page.WaitForAssertion(() => Assert.StartsWith("Start", page.Find(".start").TextContent, StringComparison.Ordinal));
        page.Find(".start").Click();

        page.WaitForAssertion(() => Assert.Equal(JobStatus.Submitted, _town.Job(2).Status)); // within the limit now
        var withdrawn = _town.Job(1);
        Assert.Equal((JobStatus.Cancelled, StopReason.CancelledByUser, "Changed before anybody decided: #2 is in its place. It cost $0.00."), (withdrawn.Status, withdrawn.StopReason, withdrawn.Message?.Full));
        Assert.Empty((await InboxAsync()).Rows);
        Assert.Equal("It was stopped meanwhile.", Assert.IsType<DecideResult.Refused>(await _town.Get<DecideJob>().ApproveAsync(_town.Mira, 1, default)).Message);
    }

    [Fact]
    public async Task One_that_was_approved_meanwhile_goes_on_and_no_second_one_starts_by_itself()
    {
        await AskAsync();
        var page = Change(1);
        page.WaitForAssertion(() => Assert.StartsWith("Ask for approval", page.Find(".start").TextContent, StringComparison.Ordinal));
        await _town.Get<DecideJob>().ApproveAsync(_town.Mira, 1, default);

        page.Find(".start").Click();

        page.WaitForAssertion(() => Assert.Contains("#1 waits for approval no more, so it cannot be changed. Nothing was started, $0.00.", page.Markup, StringComparison.Ordinal));
        using var db = _town.Open();
        Assert.Equal((1, JobStatus.Submitted), (db.Jobs.Count(), _town.Job(1).Status));
        Assert.Empty(page.FindAll(".notice.run")); // what is submitted now is a job beside it
    }

    [Fact]
    public async Task Another_person_s_waiting_job_is_only_copied()
    {
        await AskAsync();
        Assert.IsType<SubmitResult.Invalid>(await _town.Get<SubmitJob>().RunAsync(_town.Jonas, _town.TenHours with { Replaces = 1 }, default));

        var page = Change(1, _town.Jonas);

        page.WaitForAssertion(() => Assert.Contains("#1 does not wait for a yes to you, so it cannot be changed", page.Markup, StringComparison.Ordinal));
        Assert.Equal(JobStatus.AwaitingApproval, _town.Job(1).Status);
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _town.Dispose();
    }

    private RemindApprovers Remind => _town.Get<RemindApprovers>();

    private async Task AskAsync()
    {
        _town.Limit(Role.Member, perJob: 1);
        await _town.SubmitAsync(_town.Priya);
    }

    private Task<InboxView> InboxAsync() => _town.Get<InboxQueries>().ListAsync(_town.Tomas, InboxState.Open, 5, default);

    private async Task<IRenderedComponent<ApprovalCard>> CardAsync()
    {
        var view = await _town.Get<JobQueries>().FindAsync(_town.Priya, 1, default);
        return Render<ApprovalCard>(p => p.Add(c => c.Job, view!).Add(c => c.Approval, view!.Approval!).AddCascadingValue(_town.Priya));
    }

    private IRenderedComponent<NewJobPage> Change(int number, TeamContext? person = null)
    {
        Services.GetRequiredService<NavigationManager>().NavigateTo($"/t/halden/jobs/new?change={number}");
        return Render<NewJobPage>(p => p.AddCascadingValue(person ?? _town.Priya));
    }

    private static AngleSharp.Dom.IElement Input(IRenderedComponent<NewJobPage> page, string label) =>
        page.Find("#" + page.FindAll("label").Single(l => l.TextContent.Trim() == label).GetAttribute("for"));
}
