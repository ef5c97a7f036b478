using Bunit;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Web.Features.Jobs;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Jobs;

/// <summary>A person has a job's machine stopped and kept, and started again.</summary>
public sealed class ParkJobTests : PageTest
{
    private static readonly TimeSpan Day = TimeSpan.FromHours(24);

    public ParkJobTests() => Services.AddSingleton<LifecycleSignal>().AddSingleton<ParkJob>().AddSingleton<JobQueries>();

    private ParkJob Park => Services.GetRequiredService<ParkJob>();

    [Fact]
    public async Task The_wish_is_written_down_for_the_reconciler_and_told_on_the_timeline()
    {
        var number = await SeedJobAsync(InstanceStatus.Running);

        Assert.Null((await Park.KeepAsync(Member, number, Day, default)).Problem);

        await using var db = await Database.ForSystemAsync(default);
        Assert.Equal(Time.GetUtcNow() + Day, (await db.Jobs.SingleAsync(Ct)).ParkUntil);
        Assert.Equal(Time.GetUtcNow(), (await db.Instances.SingleAsync(Ct)).NextStepAt);
        var told = await db.JobEvents.SingleAsync(e => e.Kind == "keep", Ct);
        Assert.Equal(Member.UserId, told.PersonId);
        Assert.StartsWith("Asked to stop its machine and keep it until", told.Text.Full, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kept_machine_can_be_kept_longer()
    {
        var number = await SeedJobAsync(InstanceStatus.Parked);
        Time.Advance(TimeSpan.FromHours(3));

        Assert.Null((await Park.KeepAsync(Member, number, Day, default)).Problem);

        await using var db = await Database.ForSystemAsync(default);
        Assert.Equal((Time.GetUtcNow() + Day, Time.GetUtcNow() + Day), ((await db.Jobs.SingleAsync(Ct)).ParkUntil, (await db.Instances.SingleAsync(Ct)).KeptUntil));
    }

    [Fact]
    public async Task Starting_it_again_takes_the_wish_back_and_keeps_its_last_day()
    {
        var number = await SeedJobAsync(InstanceStatus.Parked);

        Assert.Null((await Park.StartAsync(Member, number, default)).Problem);
        Assert.Equal("Its machine runs, or is given up already.", (await Park.StartAsync(Member, number, default)).Problem);

        await using var db = await Database.ForSystemAsync(default);
        Assert.Null((await db.Jobs.SingleAsync(Ct)).ParkUntil);
        Assert.NotNull((await db.Instances.SingleAsync(Ct)).KeptUntil); // should its GPU stay taken
    }

    [Fact]
    public async Task A_start_that_is_taken_back_has_the_provider_asked_to_stop_it_again()
    {
        var number = await SeedJobAsync(InstanceStatus.Parked);
        Assert.Null((await Park.StartAsync(Member, number, default)).Problem);
        await using (var asked = await Database.ForSystemAsync(default))
        {
            var machine = await asked.Instances.SingleAsync(Ct);
            machine.Parking = machine.Parking! with { StartAskedAt = Time.GetUtcNow() };
            await asked.SaveChangesAsync(Ct);
        }

        Assert.Null((await Park.KeepAsync(Member, number, Day, default)).Problem);

        await using var db = await Database.ForSystemAsync(default);
        Assert.Equal((null, null), ((await db.Instances.SingleAsync(Ct)).Parking!.StartAskedAt, (await db.Instances.SingleAsync(Ct)).Parking!.StopAcceptedAt)); // or it would start once its GPU is free
    }

    [Theory]
    [InlineData(InstanceStatus.Booting)]
    [InlineData(InstanceStatus.Draining)]
    [InlineData(InstanceStatus.Destroying)]
    public async Task A_machine_that_does_not_run_is_not_kept(InstanceStatus status) =>
        Assert.Equal("It has no machine that could be kept.", (await Park.KeepAsync(Member, await SeedJobAsync(status), Day, default)).Problem);

    [Fact]
    public async Task One_that_is_being_stopped_for_good_is_not_kept()
    {
        var number = await SeedJobAsync(InstanceStatus.Running, job => job.Cancel = CancelMode.SaveThenDestroy);
        Assert.Equal("It has no machine that could be kept.", (await Park.KeepAsync(Member, number, Day, default)).Problem);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(337)]
    public async Task It_is_kept_for_two_weeks_at_most(double hours) =>
        Assert.Equal("A stopped machine is kept for 14 days at most.", (await Park.KeepAsync(Member, await SeedJobAsync(InstanceStatus.Running), TimeSpan.FromHours(hours), default)).Problem);

    [Fact]
    public async Task A_viewer_may_neither_stop_it_nor_start_it()
    {
        var number = await SeedJobAsync(InstanceStatus.Running);
        ReadAs(Role.Viewer);
        await Assert.ThrowsAsync<PermissionDeniedException>(() => Park.KeepAsync(Member, number, Day, default));
        await Assert.ThrowsAsync<PermissionDeniedException>(() => Park.StartAsync(Member, number, default));
    }

    [Fact]
    public async Task The_card_says_until_when_it_is_kept_what_that_costs_and_starts_it_again()
    {
        var card = await CardAsync(await SeedJobAsync(InstanceStatus.Parked));
        var text = string.Join(' ', card.Find(".message").TextContent.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("Stopped, kept", text, StringComparison.Ordinal);
        Assert.Contains("for 1 day more", text, StringComparison.Ordinal);
        Assert.Contains("$0.012/h · $0.29/day, disk alone", text, StringComparison.Ordinal);

        card.FindAll("button").Single(b => b.TextContent == "Start it again").Click();

        await using var db = await Database.ForSystemAsync(default);
        Assert.Null((await db.Jobs.SingleAsync(Ct)).ParkUntil);
    }

    [Fact]
    public async Task Whoever_may_neither_start_nor_stop_jobs_only_reads_it_and_is_told_no_amount()
    {
        var number = await SeedJobAsync(InstanceStatus.Parked);
        ReadAs(Role.Viewer);
        var card = await CardAsync(number);
        Assert.Empty(card.FindAll("button, a"));
        Assert.DoesNotContain("$", card.Markup, StringComparison.Ordinal);
    }

    private static CancellationToken Ct => Xunit.TestContext.Current.CancellationToken;

    private async Task<IRenderedComponent<ParkedCard>> CardAsync(int number)
    {
        var view = await Services.GetRequiredService<JobQueries>().FindAsync(Member, number, default);
        return Render<ParkedCard>(p => p.Add(c => c.Job, view!).Add(c => c.StopHref, "/stop").AddCascadingValue(Member));
    }

    private async Task<int> SeedJobAsync(InstanceStatus status, Action<Job>? with = null)
    {
        var number = 0;
        await SeedAsync(seed =>
        {
            var job = seed.Job(seed.Connection(TeamSeed.VastAi), "support-bot", JobStatus.Running);
            var machine = seed.Instance(job, seed.Attempt(job, step: 300), status);
            job.AttemptCount = 1;
            if (status == InstanceStatus.Parked)
            {
                machine.Parking = new Parking(Time.GetUtcNow(), 300) { StopAcceptedAt = Time.GetUtcNow() };
                (job.ParkUntil, machine.KeptUntil) = (Time.GetUtcNow() + Day, Time.GetUtcNow() + Day);
                job.Message = ParkWords.Of(Time.GetUtcNow() + Day);
            }

            with?.Invoke(job);
            number = job.Number;
        });
        return number;
    }
}
