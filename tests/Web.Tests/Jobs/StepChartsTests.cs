using System.Text;
using Bunit;
using Dashboard.Domain;
using Dashboard.Infrastructure.Logs;
using Dashboard.Web.Features.Jobs;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Jobs;

public sealed class StepChartsTests : PageTest
{
    private readonly JobId _job = new(Guid.NewGuid());

    [Fact]
    public async Task Each_number_of_a_step_has_a_chart_of_its_own_that_says_where_it_stands()
    {
        await WriteAsync("""
            {"t":1,"type":"train","step":10,"loss":2.1,"learning_rate":0.0001,"grad_norm":1.5,"tokens_per_s":900}
            {"t":2,"type":"train","step":20,"loss":1.9,"learning_rate":0.0002,"grad_norm":0.75,"tokens_per_s":1250.4}

            """);
        var charts = Charts(ended: false).FindAll("[role=img]").Select(c => c.GetAttribute("aria-label")).ToArray();

        Assert.Equal(["Learning rate is 0.000200 at step 20", "Gradient norm is 0.750 at step 20", "Speed is 1,250 tokens/s at step 20"], charts);
    }

    [Fact]
    public async Task A_number_that_no_step_reports_says_why_it_is_absent()
    {
        await WriteAsync("""
            {"t":1,"type":"train","step":10,"loss":2.1,"vram_peak_mb":null}

            """);
        Assert.Contains("the smoke test uses none", Charts(ended: false).Find("[aria-labelledby=metric-vram_peak_mb]").TextContent, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, "Metrics start with the first logged step.")]
    [InlineData(true, "This job logged no step.")]
    public void Without_any_step_it_depends_on_whether_one_may_come(bool ended, string words) =>
        Assert.All(Charts(ended).FindAll(".face"), face => Assert.Equal(words, face.TextContent.Trim()));

    private Task WriteAsync(string lines) => Services.GetRequiredService<MetricsStore>().AppendAsync(_job, 1, 0, Encoding.UTF8.GetBytes(lines), Xunit.TestContext.Current.CancellationToken);

    private IRenderedComponent<StepCharts> Charts(bool ended)
    {
        var page = Render<StepCharts>(p => p.AddCascadingValue(Member).Add(c => c.JobId, _job).Add(c => c.Ended, ended));
        page.WaitForAssertion(() => Assert.Empty(page.FindAll(".skeleton")));
        return page;
    }
}
