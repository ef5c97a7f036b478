using System.Text.Json;
using Bunit;
using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Logs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Scheduling;
using Dashboard.Web.Api;
using Dashboard.Web.Features.Inbox;
using Dashboard.Web.Features.Jobs;
using Dashboard.Web.Features.Machines;
using Dashboard.Web.Layout;
using Dashboard.Web.Startup;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor.Services;

namespace Dashboard.Web.Tests.Jobs;

/// <summary>A viewer reads what happened to a job and is told no amount, wherever it is read; a member is told.</summary>
public sealed class MoneyOfAJobTests : PageTest
{
    private const string Ended = "support-bot";
    private const string Refused = "legal-summaries";
    private const string Outbid = "eval-bot";
    private const string Odd = "ner-de";

    public MoneyOfAJobTests()
    {
        Services.AddSingleton<IMarketplaces>(new NoMarket()).AddSingleton<INudgeProvisioning>(new NoNudge()).AddSingleton<OutbidMachines>().AddSingleton<ILogFeed>(new ScriptedLogFeed());
        Services.AddJobFeatures();
        Services.AddJobPages();
        Services.AddMudServices();
    }

    public static TheoryData<string, string> Views()
    {
        var views = new TheoryData<string, string>();
        foreach (var job in new[] { Ended, Refused, Outbid, Odd })
        {
            foreach (var tab in new[] { "overview", "console", "metrics", "cost", "files", "events" })
            {
                views.Add(job, tab);
            }
        }

        return views;
    }

    [Theory]
    [MemberData(nameof(Views))]
    public async Task No_view_of_a_job_tells_a_viewer_an_amount(string job, string tab)
    {
        var numbers = await SeedAsync();
        ReadAs(Role.Viewer);

        var page = Show<JobPage>($"/t/halden/jobs/{numbers[job]}?tab={tab}", (nameof(JobPage.Number), numbers[job]));

        page.WaitForAssertion(() => Assert.Contains(job, page.Find("h1").TextContent, StringComparison.Ordinal));
        NoAmount(page.Markup);
    }

    [Theory]
    [InlineData(Ended, "overview", "$2.90")]
    [InlineData(Ended, "events", "Succeeded: The program ended with exit code 0. It cost $2.90.")]
    [InlineData(Refused, "overview", "legal-summaries reached $300.00 this month. It cost $6.02.")]
    [InlineData(Outbid, "overview", "It cost $0.26.")]
    [InlineData(Odd, "overview", "for nothing so far")]
    public async Task A_member_is_told(string job, string tab, string said)
    {
        var numbers = await SeedAsync();
        ReadAs(Role.Member);

        var page = Show<JobPage>($"/t/halden/jobs/{numbers[job]}?tab={tab}", (nameof(JobPage.Number), numbers[job]));

        page.WaitForAssertion(() => Assert.Contains(said, page.Markup, StringComparison.Ordinal));
        Assert.Contains("$", page.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lists_of_jobs_and_machines_the_inbox_the_news_and_the_bar_tell_a_viewer_none()
    {
        await SeedAsync();
        ReadAs(Role.Viewer);

        IReadOnlyList<string> pages = [Markup<JobsPage>("jobs?status=all"), Markup<MachinesPage>("machines"), Markup<MachinesPage>("machines?state=all"), Markup<InboxPage>("inbox"), Markup<InboxPage>("inbox?state=news"), Markup<BurnChip>("")];

        Assert.All(pages, NoAmount);
        Assert.Contains("support-bot #201 succeeded", pages[4], StringComparison.Ordinal); // it is told of the ending itself
        Assert.Contains("2 machines", pages[5], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_api_tells_a_viewer_what_happened_and_a_member_what_it_cost_too()
    {
        var numbers = await SeedAsync();
        var member = await AnswersAsync(numbers);
        ReadAs(Role.Viewer);
        var viewer = await AnswersAsync(numbers);

        Assert.All(viewer, NoAmount);
        Assert.All(viewer, answer => Assert.DoesNotMatch("\"[A-Za-z]*Micros[A-Za-z]*\":[0-9]", answer));
        Assert.Contains(viewer, answer => answer.Contains("The program ended with exit code 0. Its files are at home.", StringComparison.Ordinal));
        Assert.All(member[..3], answer => Assert.Contains("$", answer, StringComparison.Ordinal));
    }

    private static void NoAmount(string text) => Assert.DoesNotContain("$", text, StringComparison.Ordinal);

    private string Markup<TPage>(string path)
        where TPage : IComponent => Show<TPage>($"/t/halden/{path}").Markup;

    private async Task<List<string>> AnswersAsync(Dictionary<string, int> numbers)
    {
        var api = new ApiQueries(Database);
        var answers = new List<object?>();
        foreach (var number in numbers.Values)
        {
            answers.Add(await api.JobAsync(Member, number, default));
        }

        answers.Add(await api.JobsAsync(Member, activeOnly: false, before: null, 50, default));
        answers.Add(await api.MachinesAsync(Member, all: true, 50, default));
        return [.. answers.Select(answer => JsonSerializer.Serialize(answer, JsonSerializerOptions.Web))];
    }

    /// <summary>A job that ended with a cost, one that a budget refused, one that was outbid, one whose GPU is idle: with the product's own words.</summary>
    private async Task<Dictionary<string, int>> SeedAsync()
    {
        var numbers = new Dictionary<string, int>();
        await SeedAsync(seed =>
        {
            var connection = seed.Connection(TeamSeed.VastAi);
            var now = Time.GetUtcNow();

            var ended = seed.Job(connection, Ended, JobStatus.Succeeded, estimateUsd: 2.9m, reason: StopReason.Finished);
            var first = seed.Attempt(ended, step: 2_700, total: 2_700, loss: 0.842);
            var gone = seed.Instance(ended, first, InstanceStatus.Gone);
            Said finished = "The program ended with exit code 0.";
            (ended.Message, first.Message, gone.EndMessage, ended.AttemptCount) = (Endings.Message(StopReason.Finished, finished, Money.FromUsd(2.9m)), finished, finished, 1);
            seed.Charge(ended, first, gone, TeamSeed.VastAi, 2.9m, now.AddHours(-1));
            seed.Add(Event(ended, "chosen", "Renting RTX 4090 in Norway" + Said.Money(" at $0.412/h") + "."));
            seed.Add(Event(ended, "ended", "Succeeded: " + finished + Endings.ItCost(Money.FromUsd(2.9m))));
            seed.Add(new Notice { TeamId = Team.Id, MessageId = 1, Kind = OutboxKinds.JobEnded, Tone = "ok", Title = $"{Ended} #{ended.Number} succeeded", Detail = ended.Message, Link = $"/jobs/{ended.Number}", At = now });

            var refused = seed.Job(connection, Refused, JobStatus.Paused, estimateUsd: 9m, reason: StopReason.BudgetExhausted);
            refused.Message = Endings.Message(StopReason.BudgetExhausted, Said.Money("legal-summaries reached $300.00 this month.", "The budget of legal-summaries is used up."), Money.FromUsd(6.02m));
            seed.Add(Event(refused, "ended", refused.Message));
            seed.Add(new InboxItem { TeamId = Team.Id, Kind = InboxKinds.JobEnded, Key = $"job/{refused.Id}", Title = $"{Refused} #{refused.Number} is paused", Detail = refused.Message, Since = now, At = now });

            var outbid = seed.Job(connection, Outbid, JobStatus.Running, estimateUsd: 3m);
            var second = seed.Attempt(outbid, step: 300, total: 2_700);
            var kept = seed.Instance(outbid, second, InstanceStatus.Interrupted, rental: RentalType.Interruptible);
            (kept.InterruptedAt, kept.KeptUntil, outbid.AttemptCount) = (now.AddMinutes(-2), now.AddMinutes(8), 1);
            outbid.Message = "Another renter bid more on the machine in Norway." + Endings.ItCost(Money.FromUsd(0.26m));
            seed.Add(Event(outbid, "interrupted", outbid.Message));

            var odd = seed.Job(connection, Odd, JobStatus.Running, estimateUsd: 3m);
            var third = seed.Attempt(odd, step: 300, total: 2_700, phase: "train");
            var idle = seed.Instance(odd, third, InstanceStatus.Running);
            (idle.IdleSince, odd.AttemptCount) = (now.AddMinutes(-40), 1);
            foreach (var anomaly in AnomalyRules.Of(idle, odd, third, now))
            {
                seed.Add(new InboxItem { TeamId = Team.Id, Kind = InboxKinds.IdleGpu, Key = $"{InboxKinds.IdleGpu}/{idle.Id}", Title = $"{odd.Name} {anomaly.What}", Detail = anomaly.Detail, AtRisk = anomaly.AtRisk, Since = now, At = now });
            }

            foreach (var job in new[] { ended, refused, outbid, odd })
            {
                numbers[job.Name] = job.Number;
            }
        });
        return numbers;
    }

    private JobEvent Event(Job job, string kind, Said text) => new() { TeamId = Team.Id, JobId = job.Id, AttemptNumber = 1, At = Time.GetUtcNow(), Kind = kind, Text = text };

    private sealed class NoMarket : IMarketplaces
    {
        public IMarketplace For(Connection connection) => throw new NotSupportedException();

        public IMarketplace For(Market market, Secret key) => throw new NotSupportedException();
    }

    private sealed class NoNudge : INudgeProvisioning
    {
        public void Provision(JobId job) { }
    }
}
