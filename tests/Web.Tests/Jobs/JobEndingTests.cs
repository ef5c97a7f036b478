using Bunit;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Logs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Live;
using Dashboard.Web.Features.Jobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Dashboard.Web.Tests.Jobs;

public sealed class JobEndingTests : BunitContext
{
    private readonly SeededTeam _team = new();

    public JobEndingTests()
    {
        Services.AddSingleton<TimeProvider>(new FakeTimeProvider(SeededTeam.Start)).AddSingleton(_team.Database).AddSingleton<ChangeFeed>().AddSingleton<JobQueries>();
        Services.AddSingleton<ILogFeed>(new ScriptedLogFeed());
    }

    [Theory]
    [InlineData(StopReason.NoCapacity, "Relax a requirement", "See the market")]
    [InlineData(StopReason.StartFailed, "Try another machine", "See attempt")]
    [InlineData(StopReason.ScriptFailed, "Log end", "Change and start again")]
    [InlineData(StopReason.ArtifactMissing, "Log end", "Use checkpoint · 2 files")]
    [InlineData(StopReason.ConnectionBroken, "Replace key", "Open provider")]
    [InlineData(StopReason.CreditExhausted, "Add funds", "Use what was saved · 2 files")]
    [InlineData(StopReason.BudgetExhausted, "Clone with another limit", "Use what was saved · 2 files")]
    [InlineData(StopReason.HostKeyChanged, "Start again elsewhere", "Compare keys")]
    [InlineData(StopReason.Diverged, "Change the learning rate", "See chart")]
    [InlineData(StopReason.Hung, "Start again elsewhere", "Log end")]
    public void Each_ending_offers_what_helps_in_its_case_first(StopReason reason, string first, string also)
    {
        var buttons = Buttons(Ended(reason), Role.Owner);
        Assert.StartsWith(first, buttons[0], StringComparison.Ordinal);
        Assert.Contains(buttons, b => b.StartsWith(also, StringComparison.Ordinal));
    }

    [Fact]
    public void What_it_cost_is_said_once()
    {
        var page = Page(Ended(StopReason.ScriptFailed) with { Message = Endings.Message(StopReason.ScriptFailed, "The script ended with 3.", Domain.Costs.Money.FromUsd(1.12m)).Full }, Role.Owner);
        Assert.Equal(1, page.Markup.Split("$1.12").Length - 1);
        Assert.Equal("Failed: script failed.", page.Find("h2").TextContent);
    }

    [Fact]
    public void A_viewer_is_offered_nothing_that_would_be_refused()
    {
        Assert.Equal(["Log end"], Buttons(Ended(StopReason.ScriptFailed), Role.Viewer));
        Assert.DoesNotContain("Replace key", Buttons(Ended(StopReason.ConnectionBroken), Role.Viewer));
    }

    [Fact]
    public void A_simulated_market_has_no_site_to_add_funds_at() =>
        Assert.DoesNotContain("Add funds", Buttons(Ended(StopReason.CreditExhausted) with { Simulated = true }, Role.Owner));

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _team.Dispose();
    }

    private static JobView Ended(StopReason reason) => Views.Running() with { Status = JobStatus.Failed, StopReason = reason, EndedAt = Views.Now };

    private string[] Buttons(JobView job, Role role) => [.. Page(job, role).FindAll(".message-actions .btn").Select(b => b.TextContent)];

    private IRenderedComponent<JobEnding> Page(JobView job, Role role) => Render<JobEnding>(p => p
        .AddCascadingValue(_team.As(role))
        .Add(e => e.Job, job)
        .Add(e => e.FilesHref, "/files")
        .Add(e => e.CloneHref, "/clone")
        .Add(e => e.ViewHref, view => "?tab=" + view)
        .Add(e => e.MayStart, _team.As(role).May(Permission.StartJobs)));
}
