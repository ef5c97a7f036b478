using System.Text.Json;
using Bunit;
using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Web.Components;
using Dashboard.Web.Features.Costs;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Costs;

/// <summary>What the form said against what was paid. It is the evening of 23 November; jobs cost ninety to a hundred and ten percent of what was expected, says the form.</summary>
public sealed class EstimatesPageTests : PageTest
{
    [Fact]
    public async Task Each_job_says_what_was_expected_what_was_paid_and_whether_the_range_held()
    {
        await SeedAsync(seed =>
        {
            Paid(seed, "held", expected: 2m, paid: 2.1m);
            Paid(seed, "dearer", expected: 2m, paid: 3m, skip: 1);
            Paid(seed, "cheaper", expected: 2m, paid: 1m, skip: 2);
        });

        var page = Show<EstimatesPage>("/t/halden/costs/estimates");

        Assert.Equal(["held ≈ $2.00 $2.10 +5% held", "dearer ≈ $2.00 $3.00 +50% above it", "cheaper ≈ $2.00 $1.00 −50% below it"], Rows(page).OrderBy(r => r.Name[0] == 'h' ? 0 : r.Name[0] == 'd' ? 1 : 2).Select(r => $"{r.Name} {r.Expected} {r.Paid} {r.Off} {r.Range}"));
        Assert.Equal(["1 of 3", "+5%", "≈ $6.00", "$6.10"], page.FindAll(".tile-value").Select(v => v.TextContent.Trim()));
    }

    [Fact]
    public async Task Parts_stand_beside_what_was_foretold_of_each_and_what_nobody_noted_is_left_out()
    {
        await SeedAsync(seed =>
        {
            var (job, attempt, machine) = Paid(seed, "parts", expected: 2m, paid: 2m, new EstimatedTimes(TimeSpan.FromSeconds(100), TimeSpan.FromSeconds(8), TimeSpan.FromMinutes(50), TimeSpan.FromSeconds(4)));
            var sent = machine.SentAt!.Value;
            (machine.SeenRunningAt, attempt.StartedAt) = (sent.AddSeconds(95), sent.AddSeconds(107));
            seed.Add(new JobEvent { TeamId = Team.Id, JobId = job.Id, At = sent.AddSeconds(107).AddMinutes(55), Kind = "ending", Text = "The program ended with exit code 0." });
            Paid(seed, "unforetold", expected: 2m, paid: 2m, skip: 1);
        });

        var parts = Rows(Show<EstimatesPage>("/t/halden/costs/estimates")).ToDictionary(r => r.Name, r => r.Parts);

        Assert.Equal(("boot ≈ 1 min 40 s, 1 min 35 s · download ≈ 8 s, 12 s · training ≈ 50 min, 55 min", ""), (parts["parts"], parts["unforetold"]));
    }

    [Fact]
    public async Task Groups_are_by_gpu_model_and_by_machine()
    {
        await SeedAsync(seed =>
        {
            Paid(seed, "a", 2m, 2m, machine: "m-1");
            Paid(seed, "b", 2m, 4m, machine: "m-1", skip: 1);
            Paid(seed, "c", 2m, 2m, gpu: "H100", machine: "m-2", skip: 2);
        });

        var groups = Show<EstimatesPage>("/t/halden/costs/estimates").FindComponents<EstimateGroups>();

        Assert.Equal(["RTX 4090 2 50% +50% $6.00", "H100 1 100% 0% $2.00"], Lines(groups[0]));
        Assert.StartsWith("m-1 RTX 4090, Norway, Vast.ai 2 50%", Lines(groups[1])[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_address_is_the_view_period_project_and_endings()
    {
        ProjectId legal = default;
        await SeedAsync(seed =>
        {
            var project = seed.Project("legal-summaries");
            legal = project.Id;
            Paid(seed, "other-project", 2m, 2m);
            Paid(seed, "mine", 2m, 2m, skip: 1, project: project);
            Paid(seed, "failed", 2m, 1m, skip: 2, status: JobStatus.Failed);
            Paid(seed, "october", 2m, 2m, skip: 3, ago: TimeSpan.FromDays(40));
        });

        Assert.Equal(["mine", "other-project"], Names("/t/halden/costs/estimates"));
        Assert.Equal(["mine"], Names($"/t/halden/costs/estimates?project={legal.Value:N}"));
        Assert.Equal(["failed", "mine", "other-project"], Names("/t/halden/costs/estimates?ended=all"));
        Assert.Equal(["october"], Names("/t/halden/costs/estimates?month=2026-10"));
    }

    [Fact]
    public async Task Without_a_job_it_says_what_will_be_listed_and_offers_the_smoke_test()
    {
        await SeedAsync(seed => seed.Job(seed.Connection(TeamSeed.VastAi), "never-estimated", JobStatus.Succeeded));

        var page = Show<EstimatesPage>("/t/halden/costs/estimates");

        Assert.Contains("No job that succeeded in November 2026 had both an estimate and a machine. A job is listed once it has ended", page.Markup, StringComparison.Ordinal);
        Assert.Contains("Run the smoke test", page.Markup, StringComparison.Ordinal);
        Assert.Empty(page.FindAll(".tile-value"));
    }

    [Fact]
    public async Task Files_have_exact_dollars_and_leave_empty_what_is_not_known()
    {
        await SeedAsync(seed => Paid(seed, "=danger", expected: 2m, paid: 2.1m));
        var rows = (await Services.GetRequiredService<EstimateQueries>().ReadAsync(Member, new EstimatesQuestion(CostPeriod.Month(new DateOnly(2026, 11, 23), ReaderZone.Utc), CostScope.All, All: false), default)).Rows;

        var csv = EstimateFiles.Csv(rows).Split("\r\n");
        var json = JsonDocument.Parse(EstimateFiles.Json(rows)).RootElement[0];

        Assert.StartsWith("JobNumber,JobName,Project,EndedAt,Status,Gpu", csv[0], StringComparison.Ordinal);
        Assert.StartsWith("201,'=danger,support-bot,", csv[1], StringComparison.Ordinal);
        Assert.Contains(",2.000000,1.800000,2.200000,2.100000,1.05,true,21600,", csv[1], StringComparison.Ordinal);
        Assert.EndsWith(",,,,,,", csv[1], StringComparison.Ordinal);
        Assert.Equal((2.1m, JsonValueKind.Null), (json.GetProperty("PaidCost").GetDecimal(), json.GetProperty("BootExpectedSeconds").ValueKind));
    }

    [Fact]
    public async Task A_viewer_is_refused()
    {
        ReadAs(Role.Viewer);
        await Assert.ThrowsAsync<PermissionDeniedException>(() => Services.GetRequiredService<EstimateQueries>().ReadAsync(Member, new EstimatesQuestion(CostPeriod.Month(new DateOnly(2026, 11, 23), ReaderZone.Utc), CostScope.All, All: false), default));
    }

    private (Job Job, Attempt Attempt, Instance Machine) Paid(
        TeamSeed seed, string name, decimal expected, decimal paid, EstimatedTimes? times = null, int skip = 0, string gpu = "RTX 4090", string machine = "31415", Project? project = null, JobStatus status = JobStatus.Succeeded, TimeSpan? ago = null)
    {
        var connection = seed.Connection(TeamSeed.VastAi, name: $"Vast.ai {skip}");
        var job = seed.Job(connection, name, status, estimateUsd: expected, skip: skip, project: project, ago: ago, reason: StopReason.Finished, times: times);
        var attempt = seed.Attempt(job);
        var instance = seed.Instance(job, attempt, InstanceStatus.Gone, gpu: gpu, machine: machine);
        seed.Charge(job, attempt, instance, TeamSeed.VastAi, paid, job.CreatedAt.AddMinutes(5));
        return (job, attempt, instance);
    }

    private string[] Names(string address) => [.. Rows(Show<EstimatesPage>(address)).Select(r => r.Name).Order(StringComparer.Ordinal)];

    private static List<(string Name, string Expected, string Paid, string Off, string Range, string Parts)> Rows(IRenderedComponent<EstimatesPage> page)
    {
        page.WaitForAssertion(() => Assert.NotEmpty(page.FindAll(".jobs tbody tr")));
        return [.. page.FindAll(".jobs tbody tr").Select(row =>
        {
            var cells = row.QuerySelectorAll("td");
            return (row.QuerySelector("a")!.TextContent, cells[3].TextContent.Trim(), cells[5].TextContent.Trim(), cells[6].TextContent.Trim(), cells[7].TextContent.Trim(), cells[8].TextContent.Trim());
        })];
    }

    private static List<string> Lines(IRenderedComponent<EstimateGroups> group) =>
        [.. group.FindAll("tbody tr").Select(row => string.Join(' ', row.Children.SelectMany(c => c.ChildNodes.Select(n => n.TextContent.Trim())).Where(t => t.Length > 0)))];
}
