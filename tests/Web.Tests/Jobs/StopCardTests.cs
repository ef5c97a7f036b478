using Bunit;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Web.Features.Jobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Dashboard.Web.Tests.Jobs;

public sealed class StopCardTests : BunitContext
{
    private readonly List<StopWish> _asked = [];
    private int _closed;

    public StopCardTests()
    {
        Services.AddSingleton<TimeProvider>(new FakeTimeProvider(Views.Now));
        JSInterop.Mode = JSRuntimeMode.Loose;
        JSInterop.SetupModule("./Features/Jobs/StopCard.razor.js");
    }

    [Fact]
    public void It_says_what_the_job_does_what_it_has_cost_and_what_finishing_would_cost()
    {
        var truth = Card(Views.Running()).Find("#stop-truth").TextContent;
        Assert.Contains("It is at step 1,820 of 2,700 and has cost $1.94.", Squeezed(truth), StringComparison.Ordinal);
        Assert.Contains("Finishing would cost about $0.88 more.", Squeezed(truth), StringComparison.Ordinal); // 880 steps of 9 s at $0.40/h
    }

    [Fact]
    public void The_safe_way_comes_first_and_destroying_says_what_is_lost()
    {
        var ways = Card(Views.Running()).FindAll(".choice");
        Assert.Equal(3, ways.Count);
        Assert.Contains("Save, then destroy", ways[0].TextContent, StringComparison.Ordinal);
        Assert.Contains("$0.00/day", ways[0].TextContent, StringComparison.Ordinal);
        Assert.Contains("Loses 20 steps, ≈ $0.02 of work.", Squeezed(ways[1].TextContent), StringComparison.Ordinal);
        Assert.Contains("checkpoint-1800 is at home", ways[1].TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_chosen_way_is_asked_for_once_however_often_the_button_is_pressed()
    {
        var card = Card(Views.Running());
        await card.FindAll(".choice input")[1].ChangeAsync(true);
        await card.Find(".btn-destroy").ClickAsync();
        Assert.True(card.Find(".btn-destroy").HasAttribute("disabled"));
        await card.Instance.Dismissed();
        Assert.Equal([new StopWish(CancelMode.DestroyNow, null)], _asked);
        Assert.Equal(1, _closed);
    }

    [Fact]
    public async Task Keeping_the_machine_says_what_that_costs_a_day_and_a_month_and_asks_until_when()
    {
        var card = Card(Views.Running() with { Machines = [Views.Machine() with { DiskRate = HourlyRate.FromUsd(0.012m) }] });
        var keep = card.FindAll(".choice")[2];
        Assert.Contains("Keep the machine, stopped", keep.TextContent, StringComparison.Ordinal);
        Assert.Contains("$0.29/day", Squeezed(keep.TextContent), StringComparison.Ordinal);
        Assert.Contains("$8.64/month, goes on billing", Squeezed(keep.TextContent), StringComparison.Ordinal);

        await keep.QuerySelector("input")!.ChangeAsync(true);
        Assert.Equal("24", card.Find("#keep-for").GetAttribute("value"));
        await card.Find("#keep-for").ChangeAsync("72");
        await card.Find(".btn-destroy").ClickAsync();

        Assert.Equal([new StopWish(null, TimeSpan.FromDays(3))], _asked);
    }

    [Fact]
    public void A_script_without_checkpoints_begins_anew_and_the_card_says_so()
    {
        var job = Views.Running();
        var script = job with { Spec = job.Spec with { Preset = Presets.Command, Backend = "command", Command = new CommandSpec("train", []) }, Attempts = [] };
        Assert.Equal("Its script begins anew when it is started again.", KeepChoice.For(script)?.Loses);
    }

    [Fact]
    public void What_is_kept_already_is_not_offered_to_be_kept() => Assert.Null(KeepChoice.For(Views.Running() with { ParkUntil = Views.Now.AddHours(3) }));

    [Fact]
    public void When_the_job_ends_meanwhile_the_card_says_so_and_the_button_goes()
    {
        var card = Card(Views.Running());
        card.Render(p => p.Add(c => c.Job, Views.Running() with { Status = JobStatus.Succeeded, EndedAt = Views.Now }));
        Assert.Contains("It has ended meanwhile and succeeded", card.Find("#stop-truth").TextContent, StringComparison.Ordinal);
        Assert.Empty(card.FindAll(".btn-destroy"));
        Assert.Empty(card.FindAll(".choice"));
    }

    [Fact]
    public void Once_saving_is_asked_for_only_destroying_at_once_is_left()
    {
        var way = Assert.Single(StopChoice.For(Views.Running() with { Cancel = CancelMode.SaveThenDestroy }, Views.Now));
        Assert.Equal(CancelMode.DestroyNow, way.Mode);
    }

    [Theory]
    [InlineData(JobStatus.Submitted)]
    [InlineData(JobStatus.WaitingForPrice)]
    [InlineData(JobStatus.Paused)]
    public void Without_a_machine_there_is_one_way_and_it_loses_nothing(JobStatus status)
    {
        var way = Assert.Single(StopChoice.For(Views.Running() with { Status = status, Machines = [] }, Views.Now));
        Assert.Null(way.Loses);
    }

    [Fact]
    public void A_reader_who_may_not_see_money_is_told_no_amount()
    {
        var card = Card(Views.Running() with { Meter = null });
        Assert.DoesNotContain("$", card.Markup, StringComparison.Ordinal);
    }

    private IRenderedComponent<StopCard> Card(JobView job) => Render<StopCard>(p => p.Add(c => c.Job, job).Add(c => c.OnStop, _asked.Add).Add(c => c.OnClose, () => _closed++));

    private static string Squeezed(string text) => string.Join(' ', text.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries)).Replace(" .", ".", StringComparison.Ordinal);
}

public sealed class JobHeadTests : BunitContext
{
    [Fact]
    public void A_viewer_sees_no_button_that_would_be_refused()
    {
        var head = Head(Views.Running(), mayStart: false, mayStop: false);
        Assert.DoesNotContain("Stop", head.Markup, StringComparison.Ordinal);
        Assert.DoesNotContain("Clone", head.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public void A_member_sees_stop_while_there_is_something_to_stop()
    {
        Assert.Single(Head(Views.Running(), true, true).FindAll("a.btn-danger"));
        Assert.Empty(Head(Views.Running() with { Status = JobStatus.Terminating }, true, true).FindAll("a.btn-danger"));
        Assert.Empty(Head(Views.Running() with { Status = JobStatus.Succeeded }, true, true).FindAll("a.btn-danger"));
    }

    private IRenderedComponent<JobHead> Head(JobView job, bool mayStart, bool mayStop) => Render<JobHead>(p => p
        .Add(h => h.Job, job).Add(h => h.CloneHref, "/clone").Add(h => h.StopHref, "/stop").Add(h => h.MayStart, mayStart).Add(h => h.MayStop, mayStop));
}
