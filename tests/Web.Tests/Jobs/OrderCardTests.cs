using Bunit;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Web.Components;
using Dashboard.Web.Features.Jobs;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Jobs;

/// <summary>What the page says, and lets do, while a job waits for its price.</summary>
public sealed class OrderCardTests : PageTest
{
    private int _number;

    public OrderCardTests() => Services.AddSingleton<LifecycleSignal>().AddSingleton<OrderActions>().AddSingleton<JobQueries>();

    [Fact]
    public async Task It_says_what_it_waits_for_what_it_costs_now_until_when_and_what_then()
    {
        var text = Text((await CardAsync()).Find(".order-card"));

        Assert.Contains("Waits for $0.350/h or less", text, StringComparison.Ordinal);
        Assert.Contains("$0.412/h 3 min old", text, StringComparison.Ordinal);
        Assert.Contains("2 h more", text, StringComparison.Ordinal);
        Assert.Contains("it is cancelled, $0.00", text, StringComparison.Ordinal);
        Assert.Contains("nothing is billed", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_limit_counts_at_once_and_is_written_down()
    {
        var card = await CardAsync();

        card.Find("#order-limit").Input("0.42");
        card.FindAll("button").Single(b => b.TextContent == "Change to $0.420/h").Click();

        card.WaitForAssertion(() => Assert.Equal(HourlyRate.FromUsd(0.42m), Job().Order!.Limit));
        Assert.Equal(Time.GetUtcNow(), Job().NextStepAt);
        Assert.Contains("Waits for $0.420/h or less, before $0.350/h.", Events());
    }

    [Fact]
    public async Task What_is_no_price_says_so_and_changes_nothing()
    {
        var card = await CardAsync();

        card.Find("#order-limit").Input("a lot");
        card.FindAll("button").Single(b => b.TextContent == "Change limit").Click();

        Assert.Contains("Enter dollars an hour", card.Find("[role=alert]").TextContent, StringComparison.Ordinal);
        Assert.Equal(HourlyRate.FromUsd(0.35m), Job().Order!.Limit);
        Assert.Equal("a lot", card.Find("#order-limit").GetAttribute("value"));
    }

    [Fact]
    public async Task Started_now_it_has_no_limit_any_more_and_looks_for_a_machine()
    {
        var card = await CardAsync();

        card.FindAll("button").Single(b => b.TextContent == "Start now at any price · $0.412/h").Click();

        card.WaitForAssertion(() => Assert.Equal((JobStatus.Submitted, null), (Job().Status, Job().Order)));
        Assert.Contains("Started at whatever the price is.", Events());
    }

    [Fact]
    public async Task A_job_that_found_its_price_meanwhile_is_left_alone()
    {
        var card = await CardAsync();
        await using (var db = await Database.ForSystemAsync(default))
        {
            (await db.Jobs.SingleAsync(Xunit.TestContext.Current.CancellationToken)).MoveTo(JobStatus.Provisioning, Time.GetUtcNow());
            await db.SaveChangesAsync(Xunit.TestContext.Current.CancellationToken);
        }

        card.FindAll("button").Single(b => b.TextContent.StartsWith("Start now", StringComparison.Ordinal)).Click();

        card.WaitForAssertion(() => Assert.Contains("It does not wait for its price any more.", card.Find("[role=alert]").TextContent, StringComparison.Ordinal));
        Assert.NotNull(Job().Order);
    }

    [Fact]
    public async Task Whoever_may_not_start_jobs_only_reads_it()
    {
        ReadAs(Role.Viewer);
        Assert.Empty((await CardAsync()).FindAll("button, input"));
    }

    [Fact]
    public async Task The_list_says_the_limit_and_what_it_costs_now()
    {
        Services.AddSingleton<Infrastructure.Logs.MetricsStore>();
        await CardAsync();
        var rows = (await Services.GetRequiredService<JobsListQueries>().ActiveAsync(Member, 5, default));
        var table = Render<JobsTable>(p => p.Add(t => t.Rows, rows).Add(t => t.Label, "Jobs").AddCascadingValue(Member));
        var text = Text(table.Find("tbody tr"));
        Assert.Contains("Waiting for price", text, StringComparison.Ordinal);
        Assert.Contains("≤ $0.350/h, now $0.412/h", text, StringComparison.Ordinal);
        Assert.Contains("until", text, StringComparison.Ordinal);
    }

    private async Task<IRenderedComponent<OrderCard>> CardAsync()
    {
        await SeedAsync(seed =>
        {
            var job = seed.Job(seed.Connection(TeamSeed.VastAi), "legal-sum", JobStatus.WaitingForPrice);
            var now = Time.GetUtcNow();
            job.Order = new PriceOrder(HourlyRate.FromUsd(0.35m), now.AddHours(2), OrderEnding.Cancel) { LookedAt = now.AddMinutes(-1), Lowest = HourlyRate.FromUsd(0.412m), LowestAt = now.AddMinutes(-3) };
            _number = job.Number;
        });
        var view = await Services.GetRequiredService<JobQueries>().FindAsync(Member, _number, default);
        Assert.True(view!.Waits);
        return Render<OrderCard>(p => p.Add(c => c.Job, view).Add(c => c.StopHref, "/stop").AddCascadingValue(Member));
    }

    private Job Job()
    {
        using var db = Database.ForSystemAsync(default).GetAwaiter().GetResult();
        return db.Jobs.AsNoTracking().Single();
    }

    private List<string> Events()
    {
        using var db = Database.ForSystemAsync(default).GetAwaiter().GetResult();
        return [.. db.JobEvents.Select(e => e.Text.Full)];
    }

    private static string Text(AngleSharp.Dom.IElement element) => string.Join(' ', element.TextContent.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
