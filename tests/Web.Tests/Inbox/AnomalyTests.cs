using Bunit;
using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Scheduling;
using Dashboard.Web.Features.Inbox;
using Dashboard.Web.Features.Jobs;
using Dashboard.Web.Features.Machines;
using Dashboard.Web.Tests.Costs;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dashboard.Web.Tests.Inbox;

/// <summary>Numbers that are off: the next look, a minute later at most, says which, where people look, until it is mended or accepted.</summary>
public sealed class AnomalyTests : PageTest
{
    public AnomalyTests() => Services.AddSingleton<JobQueries>();

    [Fact]
    public async Task A_rate_above_its_quote_is_said_with_both_numbers_and_goes_with_its_cause()
    {
        await SeedMachineAsync(i => i.ObservedRate = HourlyRate.FromUsd(0.530m));

        var item = Assert.Single(await LookAsync());
        Assert.Equal((InboxKinds.RateAboveQuote, "support-bot-v7 #201 bills above its quote", HourlyRate.FromUsd(0.118m)), (item.Kind, item.Title, item.AtRisk));
        Assert.Contains("lists $0.530/h; $0.412/h was quoted", item.Detail.Full, StringComparison.Ordinal);

        var line = Show<InboxPage>().Find(".line a.link");
        Assert.Equal(("/t/halden/jobs/201?ask=stop", "Stop it"), (line.GetAttribute("href"), line.FirstChild!.TextContent));
        Assert.Contains("$0.412/h was quoted", Show<MachinesPage>().Find("td .tone-warn").TextContent, StringComparison.Ordinal);
        Assert.Contains("$0.412/h was quoted", Assert.Single((await Services.GetRequiredService<JobQueries>().FindAsync(Member, 201, default))!.Anomalies), StringComparison.Ordinal);

        await ChangeAsync(i => i.ObservedRate = HourlyRate.FromUsd(0.412m));
        Assert.Empty(await LookAsync());
    }

    [Fact]
    public async Task A_machine_that_is_rented_another_way_is_said()
    {
        await SeedMachineAsync(i => i.ObservedRental = RentalType.Interruptible);
        Assert.Contains("listed as a bid", Assert.Single(await LookAsync()).Detail.Full, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bytes_far_beyond_the_estimate_are_said_with_their_price()
    {
        await SeedMachineAsync(i => (i.DownloadPerGb, i.UploadPerGb) = (Money.FromUsd(0.01m), Money.FromUsd(0.01m)), a => a.BytesUp = 80_000_000_000);
        Assert.StartsWith("80.0 GB went over the wire for $0.80;", Assert.Single(await LookAsync()).Detail.Full, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_idle_gpu_is_said_after_ten_minutes_unless_the_program_makes_steps()
    {
        await SeedMachineAsync(i => i.IdleSince = Time.GetUtcNow().AddMinutes(-9));
        Assert.Empty(await LookAsync());

        Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Contains("below 5% for 11 min", Assert.Single(await LookAsync()).Detail.Full, StringComparison.Ordinal);

        await ChangeAsync(_ => { }, a => (a.Step, a.Health) = (7, RunHealth.Unknown with { MovedAt = Time.GetUtcNow() }));
        Assert.Empty(await LookAsync());
    }

    [Fact]
    public async Task A_day_far_beyond_its_like_is_said_while_it_lasts()
    {
        await SeedAsync(seed =>
        {
            var account = seed.Connection(TeamSeed.VastAi);
            for (var back = 1; back <= 10; back++)
            {
                LedgerSeed.Spend(seed, account, "daily", JobStatus.Succeeded, 2m, Time.GetUtcNow().AddDays(-back), skip: back * 10);
            }

            var job = seed.Job(account, "big", JobStatus.Running, skip: 500);
            var attempt = seed.Attempt(job);
            seed.Charge(job, attempt, seed.Instance(job, attempt, InstanceStatus.Running), TeamSeed.VastAi, 3.4m, Time.GetUtcNow().AddHours(-1));
        });

        // $3.40 posted, and two hours of $0.412 that are not yet.
        var item = Assert.Single(await LookAsync());
        Assert.Equal((InboxKinds.SpendUnusual, "Today has cost $4.21, $2.00 is usual"), (item.Kind, item.Title));
        Assert.Equal("/costs?from=2026-11-23&to=2026-11-23&by=job", item.Link);

        Time.Advance(TimeSpan.FromHours(6)); // another day
        Assert.Empty(await LookAsync());
    }

    [Fact]
    public async Task What_a_person_accepted_is_not_said_again()
    {
        await SeedMachineAsync(i => i.ObservedRate = HourlyRate.FromUsd(0.530m));
        var item = Assert.Single(await LookAsync());
        await Services.GetRequiredService<SettleInboxItem>().ResolveAsync(Member, item.Id, "agreed with the host", default);

        Assert.Empty(await LookAsync());
    }

    private async Task<List<InboxItem>> LookAsync()
    {
        await new FindTrouble(Database, Feed, Options.Create(new LifecycleOptions()), Time).RunAsync(default);
        await using var db = await Database.ForSystemAsync(default);
        return await db.Inbox.AsNoTracking().Where(i => i.ResolvedAt == null && i.Kind != InboxKinds.JobStuck).ToListAsync();
    }

    private Task SeedMachineAsync(Action<Instance> with, Action<Attempt>? and = null) => SeedAsync(seed =>
    {
        var job = seed.Job(seed.Connection(TeamSeed.VastAi), "support-bot-v7", JobStatus.Running);
        var attempt = seed.Attempt(job);
        and?.Invoke(attempt);
        with(seed.Instance(job, attempt, InstanceStatus.Running));
    });

    private async Task ChangeAsync(Action<Instance> machine, Action<Attempt>? attempt = null)
    {
        await using var db = await Database.ForSystemAsync(default);
        machine(await db.Instances.SingleAsync());
        attempt?.Invoke(await db.Attempts.SingleAsync());
        await db.SaveChangesAsync();
    }
}
