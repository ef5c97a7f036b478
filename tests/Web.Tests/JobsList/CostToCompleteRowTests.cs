using Bunit;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Web.Components;
using Dashboard.Web.Features.Jobs;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.JobsList;

public sealed class CostToCompleteRowTests : PageTest
{
    [Fact]
    public async Task A_running_jobs_row_says_what_it_will_have_cost_by_its_own_steps()
    {
        await SeedRunAsync(step: 500);

        var row = Assert.Single(await Services.GetRequiredService<JobsListQueries>().ActiveAsync(Member, 20, CancellationToken.None));
        var forecast = row.Forecast!;
        Assert.Null(forecast.SettlesAtStep);

        // Half of 1,000 steps at ten seconds is to come, and evaluations nobody has seen yet besides.
        Assert.InRange(forecast.Left, TimeSpan.FromSeconds(5_000), TimeSpan.FromSeconds(7_500));
        Assert.True(forecast.Expected > row.Cost, "what has grown since the last posting counts");

        var table = Render<JobsTable>(p => p.AddCascadingValue(Member).Add(t => t.Rows, [row]).Add(t => t.Label, "Active jobs"));
        var cell = table.Find("td.to-come").TextContent;
        Assert.Contains($"→ {Numbers.About(forecast.Expected)}", cell, StringComparison.Ordinal);
        Assert.Contains($"{Numbers.Amount(forecast.Low)} to {Numbers.Amount(forecast.High)}", cell, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Before_its_steps_say_more_the_row_keeps_to_what_the_form_promised()
    {
        await SeedRunAsync(step: 40);

        var row = Assert.Single(await Services.GetRequiredService<JobsListQueries>().ActiveAsync(Member, 20, CancellationToken.None));
        Assert.Equal(100, row.Forecast!.SettlesAtStep);

        var table = Render<JobsTable>(p => p.AddCascadingValue(Member).Add(t => t.Rows, [row]).Add(t => t.Label, "Active jobs"));
        Assert.DoesNotContain(" to $", table.Find("td.to-come").TextContent, StringComparison.Ordinal);
    }

    private Task SeedRunAsync(int step) => SeedAsync(seed =>
    {
        var job = seed.Job(seed.Connection(TeamSeed.VastAi), "support-bot-v7", JobStatus.Running, estimateUsd: 2.40m);
        var attempt = seed.Attempt(job, step: step, total: 1_000, loss: 0.8);
        attempt.Pace = Enumerable.Range(1, step).Aggregate(StepPace.Unknown, (pace, made) => pace.With(new RunSign(made, Training: true, Clock: 1e9 + (made * 10))));
        seed.Charge(job, attempt, seed.Instance(job, attempt, InstanceStatus.Running), TeamSeed.VastAi, 0.5m, Time.GetUtcNow().AddHours(-1));
    });
}
