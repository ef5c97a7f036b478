using Bunit;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Teams;
using Dashboard.Web.Features.Inbox;
using Dashboard.Web.Layout;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Inbox;

public sealed class InboxPageTests : PageTest
{
    [Fact]
    public async Task What_is_critical_comes_first_then_what_costs_most_then_what_waits_longest()
    {
        await SeedAsync(seed =>
        {
            seed.Inbox(InboxKinds.JobEnded, "young", "x", ago: TimeSpan.FromMinutes(1));
            seed.Inbox(InboxKinds.JobEnded, "old", "x", ago: TimeSpan.FromHours(5));
            seed.Inbox(InboxKinds.DestroyUnconfirmed, "dear", "x", atRiskUsd: 2.1m);
            seed.Inbox(InboxKinds.ForeignMachine, "cheap", "x", atRiskUsd: 0.02m);
            seed.Inbox(InboxKinds.KeyRefused, "critical", "x", atRiskUsd: 0.6m, critical: true);
        });

        var page = Show<InboxPage>();

        Assert.Equal(["critical", "dear", "cheap", "old", "young"], page.FindAll(".words > .medium").Select(l => l.TextContent));
        Assert.Contains("critical", Assert.Single(page.FindAll("[role=alert]")).TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_is_put_off_shown_again_and_settled_with_a_reason()
    {
        await SeedAsync(seed => seed.Inbox(InboxKinds.ForeignMachine, "Machine 18301944 was not started here", "x"));

        var page = Show<InboxPage>();
        await page.Find("button[aria-label^='Snooze for a day']").ClickAsync(new());
        Assert.Contains("Nothing needs you.", page.Markup, StringComparison.Ordinal);

        Time.Advance(TimeSpan.FromHours(25));
        page = Show<InboxPage>();
        await page.Find("button[aria-label^='It is fine']").ClickAsync(new());
        await page.Find("form input").ChangeAsync(new() { Value = "Tomás runs an evaluation" });
        await page.Find("form").SubmitAsync();

        page = Show<InboxPage>("/t/halden/inbox?state=done");
        Assert.Contains("Mira Okafor: Tomás runs an evaluation", page.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_viewer_reads_and_settles_nothing()
    {
        await SeedAsync(seed => seed.Inbox(InboxKinds.JobEnded, "failed", "x"));
        ReadAs(Role.Viewer);

        Assert.Empty(Show<InboxPage>().FindAll("button"));
        await Assert.ThrowsAsync<PermissionDeniedException>(() => Services.GetRequiredService<SettleInboxItem>().ResolveAsync(Member, 1, null, default));
    }

    [Fact]
    public async Task A_viewer_is_not_told_what_the_team_has_and_spends()
    {
        await SeedNewsOfMoneyAsync();
        ReadAs(Role.Viewer);

        Assert.Equal("Needs attention, 1; 1 new", Show<InboxBell>().Find("a").GetAttribute("aria-label"));
        Assert.Equal(["support-bot failed"], Show<InboxPage>().FindAll(".words > .medium").Select(l => l.TextContent));
        var news = Show<InboxPage>("/t/halden/inbox?state=news").Markup;
        Assert.Contains("support-bot succeeded", news, StringComparison.Ordinal);
        Assert.DoesNotContain("$1,200", news, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_member_is_told_what_the_team_has_and_spends()
    {
        await SeedNewsOfMoneyAsync();

        Assert.Equal("Needs attention, 2; 2 new", Show<InboxBell>().Find("a").GetAttribute("aria-label"));
        Assert.Contains("$412.10", Show<InboxPage>().Markup, StringComparison.Ordinal);
        Assert.Contains("$1,200", Show<InboxPage>("/t/halden/inbox?state=news").Markup, StringComparison.Ordinal);
    }

    private async Task SeedNewsOfMoneyAsync()
    {
        await SeedAsync(seed =>
        {
            seed.Inbox(InboxKinds.JobEnded, "support-bot failed", "x");
            seed.Inbox(InboxKinds.SpendUnusual, "Today cost $412.10", "x");
        });
        await using var db = await Database.ForSystemAsync(default);
        db.Notices.Add(Notice(1, OutboxKinds.JobEnded, "support-bot succeeded", Permission.See));
        db.Notices.Add(Notice(2, OutboxKinds.BudgetStep, "Research has spent 75 % of $1,200", Permission.SeeMoney));
        await db.SaveChangesAsync();
    }

    private Notice Notice(long message, string kind, string title, Permission needs) =>
        new() { TeamId = Team.Id, MessageId = message, Kind = kind, Tone = "ok", Title = title, Detail = "x", Needs = needs, At = Time.GetUtcNow() };

    [Fact]
    public async Task The_bell_counts_what_needs_a_person_and_points_at_news_until_they_were_seen()
    {
        await using (var db = await Database.ForSystemAsync(default))
        {
            db.Notices.Add(new Notice { TeamId = Team.Id, MessageId = 1, Kind = OutboxKinds.JobEnded, Tone = "ok", Title = "support-bot #214 succeeded", Detail = "It cost $2.90.", Link = "/jobs/214", At = Time.GetUtcNow() });
            await db.SaveChangesAsync();
        }

        Assert.Equal("Needs attention, nothing; 1 new", Show<InboxBell>().Find("a").GetAttribute("aria-label"));

        var news = Show<InboxPage>("/t/halden/inbox?state=news");
        Assert.Contains("support-bot #214 succeeded", news.Markup, StringComparison.Ordinal);
        news.WaitForAssertion(() => Assert.Equal("Needs attention, nothing", Show<InboxBell>().Find("a").GetAttribute("aria-label")));
    }
}
