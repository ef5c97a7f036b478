using Bunit;
using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Live;
using Dashboard.Web.Features.Jobs;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Jobs;

/// <summary>What the page says, and lets do, while another renter has the machine.</summary>
public sealed class OutbidCardTests : PageTest
{
    private readonly OneMarket _market = System.Reflection.DispatchProxy.Create<IMarketplace, OneMarket>() as OneMarket ?? throw new InvalidOperationException();

    public OutbidCardTests() => Services
        .AddSingleton<IMarketplaces>(new Markets((IMarketplace)(object)_market)).AddSingleton<LifecycleSignal>().AddSingleton<OutbidMachines>().AddSingleton<OutbidActions>().AddSingleton<JobQueries>();

    [Fact]
    public async Task It_says_what_is_kept_what_that_costs_and_what_is_at_home()
    {
        var card = await CardAsync();

        var text = string.Join(' ', card.Find(".outbid").TextContent.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("for 8 min more", text, StringComparison.Ordinal);
        Assert.Contains("$0.012/h · $0.29/day, disk alone", text, StringComparison.Ordinal);
        Assert.Contains("no checkpoint yet", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Raising_the_bid_asks_the_provider_and_is_kept_for_the_next_machines()
    {
        var card = await CardAsync();

        card.Find("#raise-bid").Input("0.55");
        card.FindAll("button").Single(b => b.TextContent == "Raise to $0.550/h").Click();

        card.WaitForAssertion(() => Assert.Equal([("18244", HourlyRate.FromUsd(0.55m))], _market.Bids));
        await using var db = await Database.ForSystemAsync(default);
        Assert.Equal(HourlyRate.FromUsd(0.55m), (await db.Jobs.SingleAsync(Xunit.TestContext.Current.CancellationToken)).Limits.Bid?.Bid);
        Assert.Contains("Bid $0.550/h, before $0.400/h.", await db.JobEvents.Select(e => e.Text.Full).ToListAsync(Xunit.TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task What_is_no_bid_says_so_and_asks_nobody()
    {
        var card = await CardAsync();

        card.Find("#raise-bid").Input("a lot");
        card.FindAll("button").Single(b => b.TextContent == "Raise the bid").Click();

        Assert.Contains("Enter dollars an hour", card.Find("[role=alert]").TextContent, StringComparison.Ordinal);
        Assert.Empty(_market.Bids);
    }

    [Fact]
    public async Task Waiting_for_the_machine_keeps_it_for_a_day_at_most()
    {
        var card = await CardAsync();

        card.FindAll("button").Single(b => b.TextContent == "Wait for bid instead").Click();

        await using var db = await Database.ForSystemAsync(default);
        var machine = await db.Instances.SingleAsync(Xunit.TestContext.Current.CancellationToken);
        Assert.Equal((true, machine.InterruptedAt + TimeSpan.FromHours(24)), (machine.WaitedFor, machine.KeptUntil));
    }

    [Fact]
    public async Task Whoever_may_not_start_jobs_only_reads_it()
    {
        ReadAs(Role.Viewer);
        Assert.Empty((await CardAsync()).FindAll("button"));
    }

    private async Task<IRenderedComponent<OutbidCard>> CardAsync()
    {
        var number = 0;
        await SeedAsync(seed =>
        {
            var job = seed.Job(seed.Connection(TeamSeed.VastAi), "support-bot", JobStatus.Running);
            var machine = seed.Instance(job, seed.Attempt(job, step: 300), InstanceStatus.Interrupted, rental: RentalType.Interruptible);
            (machine.InterruptedAt, machine.KeptUntil) = (Time.GetUtcNow().AddMinutes(-2), Time.GetUtcNow().AddMinutes(8));
            (job.AttemptCount, job.Message) = (1, "Another renter bid more on the machine in Norway.");
            number = job.Number;
        });
        var view = await Services.GetRequiredService<JobQueries>().FindAsync(Member, number, default);
        return Render<OutbidCard>(p => p.Add(c => c.Job, view!).AddCascadingValue(Member));
    }

    private sealed class Markets(IMarketplace market) : IMarketplaces
    {
        public IMarketplace For(Connection connection) => market;

        public IMarketplace For(Market wanted, Secret key) => throw new NotSupportedException();
    }

    /// <summary>Takes bids and nothing else.</summary>
    public class OneMarket : System.Reflection.DispatchProxy
    {
        internal List<(string Contract, HourlyRate Bid)> Bids { get; } = [];

        protected override object? Invoke(System.Reflection.MethodInfo? targetMethod, object?[]? args)
        {
            if (targetMethod?.Name != nameof(IMarketplace.ChangeBidAsync))
            {
                throw new NotSupportedException(targetMethod?.Name);
            }

            Bids.Add(((string)args![0]!, (HourlyRate)args[1]!));
            return Task.CompletedTask;
        }
    }
}
