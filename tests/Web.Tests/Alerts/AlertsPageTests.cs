using Bunit;
using Dashboard.Domain;
using Dashboard.Domain.Alerts;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Alerts;
using Dashboard.Infrastructure.Notifications;
using Dashboard.Web.Features.Alerts;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dashboard.Web.Tests.Alerts;

public sealed class AlertsPageTests : PageTest
{
    private AlertDesk Desk => Services.GetRequiredService<AlertDesk>();

    private async Task LookAsync(int minutes = 1)
    {
        Time.Advance(TimeSpan.FromMinutes(minutes));
        await new EvaluateAlerts(Database, Feed, Time).RunAsync(default);
    }

    private async Task<IReadOnlyList<string>> NewsAsync()
    {
        await new OutboxDispatcher(Database, Feed, Time, NullLogger<OutboxDispatcher>.Instance).RunAsync(default);
        await using var db = await Database.ForSystemAsync(default);
        return await db.Notices.AsNoTracking().OrderBy(n => n.Id).Select(n => n.Title).ToListAsync();
    }

    private async Task StatusAsync(InstanceStatus status)
    {
        await using var db = await Database.ForSystemAsync(default);
        var machine = await db.Instances.SingleAsync();
        machine.MoveTo(status, Time.GetUtcNow());
        await db.SaveChangesAsync();
    }

    private Task RunningMachineAsync(decimal usd = 6) => SeedAsync(seed =>
    {
        var job = seed.Job(seed.Connection(TeamSeed.VastAi, credit: Money.FromUsd(30)), "support-bot", JobStatus.Running);
        seed.Instance(job, seed.Attempt(job), InstanceStatus.Running, gpuUsd: usd, diskUsd: 0);
    });

    [Fact]
    public async Task A_rule_made_on_the_page_fires_when_it_held_is_told_once_resolves_and_keeps_its_history()
    {
        var page = Show<AlertsPage>();
        await page.Find("select[aria-label=Metric]").ChangeAsync(new() { Value = "BurnRate" });
        page.WaitForAssertion(() => Assert.Contains("Burn rate now: $0.000/h.", page.Find("[role=status]").TextContent, StringComparison.Ordinal));
        await page.Find(".figure-box").ChangeAsync(new() { Value = "5" });
        await page.Find("form").SubmitAsync();
        page.WaitForAssertion(() => Assert.Contains("Burn rate at least $5.000/h for 10 min", page.Find(".rules .card-row").TextContent, StringComparison.Ordinal));

        await RunningMachineAsync();
        await LookAsync();
        await LookAsync(9);
        Assert.Empty(await NewsAsync());
        await LookAsync(1);
        await LookAsync(1);
        Assert.Equal(["Burn rate: $6.000/h"], await NewsAsync());
        await using (var db = await Database.ForSystemAsync(default))
        {
            Assert.Equal("Burn rate: $6.000/h", (await db.Inbox.SingleAsync(i => i.ResolvedAt == null)).Title);
        }

        await StatusAsync(InstanceStatus.Destroying);
        await StatusAsync(InstanceStatus.Gone);
        await LookAsync();
        Assert.Equal(["Burn rate: $6.000/h", "Burn rate: over, $0.000/h"], await NewsAsync());
        await LookAsync(15);

        var id = (await Desk.ListAsync(Member, default)).Rules.Single().Id;
        var history = Show<AlertPage>(null, ("Rule", id.Value));
        Assert.Equal(["Normal", "Resolved", "Firing", "Pending"], history.FindAll("tbody .chip").Select(c => c.TextContent.Trim()));
        await using var read = await Database.ForSystemAsync(default);
        Assert.False(await read.Inbox.AnyAsync(i => i.ResolvedAt == null));
    }

    [Fact]
    public async Task Two_servers_that_look_at_the_same_time_say_it_once()
    {
        await RunningMachineAsync();
        await Desk.CreateAsync(Member, new WantedRule(AlertMetric.BurnRate, 5, TimeSpan.Zero, NoData.Keep), default);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => new EvaluateAlerts(Database, Feed, Time).RunAsync(default))));

        Assert.Single(await NewsAsync());
        await using var db = await Database.ForSystemAsync(default);
        Assert.Single(await db.AlertMoves.ToListAsync());
    }

    [Fact]
    public async Task Each_metric_is_read_from_the_rows()
    {
        await RunningMachineAsync();
        await SeedAsync(seed =>
        {
            var connection = seed.Connection(TeamSeed.VastAi, credit: Money.FromUsd(1), foreign: 1);
            var job = seed.Job(connection, "waits", JobStatus.Submitted, skip: 5);
            var old = seed.Job(connection, "paid", JobStatus.Succeeded, skip: 6);
            var attempt = seed.Attempt(old);
            var machine = seed.Instance(old, attempt, InstanceStatus.Gone);
            seed.Charge(old, attempt, machine, TeamSeed.VastAi, 2.5m, Time.GetUtcNow().AddHours(-1));
            seed.Charge(old, attempt, machine, TeamSeed.VastAi, 7m, Time.GetUtcNow().AddDays(-1));
        });

        var figures = new List<decimal?>();
        foreach (var metric in Enum.GetValues<AlertMetric>())
        {
            figures.Add(await Desk.NowAsync(Member, metric, default));
        }

        Assert.Equal([2.5m, 6m, 5m, 1m, 1m, null, null], figures); // one day foretells nothing, and no budget is asked for
        Time.Advance(TimeSpan.FromMinutes(20)); // nobody has asked for the balance since
        Assert.Null(await Desk.NowAsync(Member, AlertMetric.BalanceHours, default));
    }

    [Fact]
    public async Task A_muted_rule_moves_and_says_nothing_until_that_is_over()
    {
        await RunningMachineAsync();
        await Desk.CreateAsync(Member, new WantedRule(AlertMetric.BurnRate, 5, TimeSpan.Zero, NoData.Keep), default);
        var page = Show<AlertsPage>();
        await page.Find("button[aria-label^='Mute:']").ClickAsync(new());
        await LookAsync();

        Assert.Empty(await NewsAsync());
        page = Show<AlertsPage>();
        Assert.Contains("Firing", page.Find(".rules .chip").TextContent, StringComparison.Ordinal);

        await LookAsync(24 * 60);
        await LookAsync();
        Assert.Equal(["Burn rate: $6.000/h"], await NewsAsync());
        await using (var db = await Database.ForSystemAsync(default))
        {
            Assert.Single(await db.Inbox.Where(i => i.ResolvedAt == null && i.Title == "Burn rate: $6.000/h").ToListAsync());
        }

        await Desk.MuteAsync(Member, (await Desk.ListAsync(Member, default)).Rules.Single().Id, TimeSpan.Zero, default); // what was told is not told again
        await LookAsync();
        Assert.Single(await NewsAsync());
        page = Show<AlertsPage>();
        await page.Find("button[aria-label^='Delete:']").ClickAsync(new());
        page.WaitForAssertion(() => Assert.Empty(page.FindAll(".rules .card-row")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("much")]
    public async Task A_threshold_that_is_none_is_refused_in_words_and_stays(string typed)
    {
        var page = Show<AlertsPage>();
        await page.Find(".figure-box").ChangeAsync(new() { Value = typed });
        await page.Find("form").SubmitAsync();

        page.WaitForAssertion(() => Assert.Equal("Enter a number above zero, for example 5.", page.Find("[role=alert]").TextContent));
        Assert.Equal(typed, page.Find(".figure-box").GetAttribute("value") ?? "");
    }

    [Fact]
    public async Task A_viewer_sees_no_rule_on_money_and_changes_none()
    {
        await Desk.CreateAsync(Member, new WantedRule(AlertMetric.BurnRate, 5, TimeSpan.Zero, NoData.Keep), default);
        await Desk.CreateAsync(Member, new WantedRule(AlertMetric.JobsWaiting, 5, TimeSpan.Zero, NoData.Keep), default);
        var money = (await Desk.ListAsync(Member, default)).Rules.Single(r => r.Metric == AlertMetric.BurnRate).Id;
        ReadAs(Role.Viewer);
        var page = Show<AlertsPage>();

        Assert.Contains("Jobs waiting", Assert.Single(page.FindAll(".rules .card-row")).TextContent, StringComparison.Ordinal);
        Assert.Empty(page.FindAll("button"));
        Assert.Contains("There is no such alert rule.", Show<AlertPage>(null, ("Rule", money.Value)).Markup, StringComparison.Ordinal);
        await Assert.ThrowsAsync<PermissionDeniedException>(() => Desk.DeleteAsync(Member, money, default));
        await Assert.ThrowsAsync<PermissionDeniedException>(() => Desk.NowAsync(Member, AlertMetric.BurnRate, default));
    }
}
