using Dashboard.Simulation.Crashes;
using Dashboard.Simulation.Faults;
using Dashboard.Simulation.Harness;

namespace Dashboard.Simulation;

/// <summary>What rivals do to a bid, and listings that tell of what was: each at several moments, and with a server that dies on the way.</summary>
public sealed class MarketStoriesTests
{
    [Theory]
    [InlineData("outbid and back")]
    [InlineData("outbid for good")]
    [InlineData("outbid while it boots")]
    public void A_job_with_a_bid_is_done_whatever_rivals_bid(string fault) => Holds(fault, struck: "outbid");

    [Fact]
    public void A_bid_that_is_too_low_leaves_no_contract_behind() => Holds("outbid before the rent, contract left over", struck: "somebody bids more");

    [Fact]
    public void A_listing_that_was_taken_before_a_change_undoes_nothing() => Holds("listings come late", struck: "listings come late");

    [Fact]
    public void A_listing_of_half_a_minute_ago_loses_no_machine() => Holds("listings are old", struck: "listings are those of 30 s ago");

    private static void Holds(string fault, string struck)
    {
        var tally = Runner.Run(
        [
            .. from seed in Enumerable.Range(0, 3)
               from crash in new[] { null, "after list", "after commit: instance Running" }
               select new Schedule($"{fault}, {seed}, crash {crash ?? "none"}", seed)
               {
                   Faults = [FaultTable.Named(fault)],
                   Jobs = [new JobPlan { Runs = TimeSpan.FromSeconds(30 + (seed * 20)) }],
                   Crashes = crash is null ? [] : [new CrashPlan(CrashPoints.Named(crash), 1 + seed)],
               },
        ]);

        Assert.True(tally.Failed.Count == 0, tally.Words());
        Assert.Contains(struck, tally.FaultsStruck);
    }
}
