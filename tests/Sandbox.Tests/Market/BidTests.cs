using Dashboard.Sandbox.Market;
using Dashboard.Sandbox.Tests.Harness;

namespace Dashboard.Sandbox.Tests.Market;

public sealed class BidTests
{
    [Fact]
    public void A_bid_at_the_floor_wins_where_nobody_bids_more_and_costs_what_was_bid()
    {
        var market = new CoreMarket();
        var offer = market.Quiet();
        var contract = market.Hold(offer, bid: offer.MinBid);

        market.Wait(TimeSpan.FromMinutes(6));

        Assert.Equal(ContractPhase.Running, contract.Phase);
        Assert.Equal(offer.MinBid / 10, market.Core.BillOf(contract, market.Now).Gpu);
    }

    [Fact]
    public void A_bid_below_the_bids_that_stand_leaves_a_stopped_instance_whose_disk_is_billed()
    {
        var market = new CoreMarket();
        var offer = market.Quiet();
        market.SetRivals(offer, bid: offer.MinBid + 0.01m);

        var leftover = Assert.IsType<RentResult.Outbid>(market.Rent(offer, bid: offer.MinBid, cancelUnavailable: false)).Leftover!;
        market.Wait(TimeSpan.FromHours(1));

        Assert.Equal((ContractPhase.Stopped, false), (leftover.Phase, leftover.WantedRunning));
        Assert.Equal((0m, leftover.DiskPerHour), (market.Core.BillOf(leftover, market.Now).Gpu, market.Core.BillOf(leftover, market.Now).Disk));
    }

    [Fact]
    public void A_bid_below_the_bids_that_stand_leaves_nothing_when_the_renter_would_rather_fail()
    {
        var market = new CoreMarket();
        var offer = market.Quiet();
        market.SetRivals(offer, bid: offer.MinBid + 0.01m);

        Assert.Null(Assert.IsType<RentResult.Outbid>(market.Rent(offer, bid: offer.MinBid)).Leftover);
        Assert.Empty(market.Core.Living);
    }

    [Fact]
    public void A_rival_who_bids_more_pauses_the_instance_and_one_who_leaves_lets_it_go_on()
    {
        var market = new CoreMarket();
        var offer = market.Quiet();
        var contract = market.Hold(offer, bid: offer.MinBid);

        market.SetRivals(offer, bid: offer.MinBid + 0.01m);
        Assert.Equal(ContractPhase.Outbid, contract.Phase);
        Assert.Equal(new HostEffect.Stop(contract.Id), market.Seen[^1]);
        market.Wait(TimeSpan.FromHours(1));
        var paused = market.Core.BillOf(contract, market.Now);
        Assert.Equal((0m, contract.DiskPerHour), (paused.Gpu, paused.Disk));

        market.SetRivals(offer, bid: 0);
        Assert.Equal(ContractPhase.Running, contract.Phase);
    }

    [Fact]
    public void An_equal_bid_of_a_rival_wins()
    {
        var market = new CoreMarket();
        var offer = market.Quiet();
        var contract = market.Hold(offer, bid: offer.MinBid);

        market.SetRivals(offer, bid: offer.MinBid);

        Assert.Equal(ContractPhase.Outbid, contract.Phase);
    }

    [Fact]
    public void Whoever_rents_on_demand_takes_the_gpus_of_an_interruptible_instance()
    {
        var market = new CoreMarket();
        var offer = market.Quiet();
        var interruptible = market.Hold(offer, bid: offer.GpuPerHour * 3);

        var firm = market.Hold(offer);
        Assert.Equal((ContractPhase.Outbid, ContractPhase.Running), (interruptible.Phase, firm.Phase));

        market.Core.Destroy(firm.Id, market.Now);
        market.Obey();
        Assert.Equal(ContractPhase.Running, interruptible.Phase);
    }

    [Fact]
    public void Bids_on_slices_of_different_size_compare_by_the_gpu()
    {
        var market = new CoreMarket();
        var whole = market.Quiet(gpuCount: 2);
        var single = market.Offers().First(offer => offer.Machine == whole.Machine && offer.Slice.GpuCount == 1);
        var both = market.Hold(whole, bid: whole.MinBid);

        Assert.IsType<RentResult.Outbid>(market.Rent(single, bid: whole.MinBid / 2));
        var one = market.Hold(single, bid: (whole.MinBid / 2) + 0.01m);

        Assert.Equal((ContractPhase.Outbid, ContractPhase.Running), (both.Phase, one.Phase));
    }

    [Fact]
    public void A_raised_bid_brings_the_instance_back_and_is_billed_from_then_on()
    {
        var market = new CoreMarket();
        var offer = market.Quiet();
        var contract = market.Hold(offer, bid: offer.MinBid);
        market.SetRivals(offer, bid: offer.MinBid + 0.01m);

        Assert.Equal(StateChange.Done, market.Core.ChangeBid(contract.Id, offer.MinBid + 0.02m, market.Now));
        market.Obey();
        market.Wait(TimeSpan.FromHours(1));

        Assert.Equal(ContractPhase.Running, contract.Phase);
        Assert.Equal(offer.MinBid + 0.02m, market.Core.BillOf(contract, market.Now).Gpu);
    }

    [Fact]
    public void A_change_of_the_bid_while_it_runs_leaves_what_was_billed()
    {
        var market = new CoreMarket();
        var offer = market.Quiet();
        var contract = market.Hold(offer, bid: offer.MinBid + 1);
        market.Wait(TimeSpan.FromHours(1));

        market.Core.ChangeBid(contract.Id, offer.MinBid + 2, market.Now);
        market.Wait(TimeSpan.FromHours(1));

        Assert.Equal((offer.MinBid * 2) + 3, market.Core.BillOf(contract, market.Now).Gpu);
    }

    [Fact]
    public void No_price_bids_just_enough_to_win()
    {
        var market = new CoreMarket();
        var offer = market.Quiet();
        var contract = market.Hold(offer, bid: offer.MinBid);
        market.SetRivals(offer, bid: offer.MinBid * 2);

        market.Core.ChangeBid(contract.Id, price: null, market.Now);
        market.Obey();

        Assert.Equal((ContractPhase.Running, (offer.MinBid * 2) + 0.001m), (contract.Phase, contract.GpuPerHour));
    }

    [Fact]
    public void Only_a_bid_can_be_changed_and_not_to_less_than_the_floor()
    {
        var market = new CoreMarket();
        var firm = market.Hold(market.Quiet());
        var offer = market.Quiet();
        var interruptible = market.Hold(offer, bid: offer.MinBid);

        Assert.Equal(StateChange.NoBid, market.Core.ChangeBid(firm.Id, 1, market.Now));
        Assert.Equal(StateChange.BidTooLow, market.Core.ChangeBid(interruptible.Id, offer.MinBid / 2, market.Now));
        Assert.Equal(StateChange.NoSuchInstance, market.Core.ChangeBid(7, 1, market.Now));
        Assert.Equal(offer.MinBid, interruptible.GpuPerHour);
    }

    [Fact]
    public void In_the_course_of_days_rivals_pause_a_bid_at_the_floor_and_let_it_go_on()
    {
        var market = new CoreMarket();
        var contracts = market.Rentable().Where(offer => offer.Slice.GpuCount == offer.Machine.GpuCount)
            .Select(offer => market.Rent(offer, bid: offer.MinBid)).OfType<RentResult.Rented>().Take(8).Select(rented => rented.Contract).ToList();

        var (paused, resumed) = (0, 0);
        var before = contracts.ToDictionary(contract => contract, contract => contract.Phase);
        for (var hour = 0; hour < 72; hour++)
        {
            market.Wait(TimeSpan.FromHours(1));
            foreach (var contract in contracts)
            {
                paused += (before[contract], contract.Phase) is (ContractPhase.Running, ContractPhase.Outbid) ? 1 : 0;
                resumed += (before[contract], contract.Phase) is (ContractPhase.Outbid, ContractPhase.Running) ? 1 : 0;
                before[contract] = contract.Phase;
            }
        }

        Assert.True(paused > 5 && resumed > 5, $"{paused} pauses, {resumed} returns");
    }

    [Fact]
    public void What_is_paused_stays_paused_over_a_restart()
    {
        var market = new CoreMarket();
        var offer = market.Quiet();
        var contract = market.Hold(offer, bid: offer.MinBid);
        market.SetRivals(offer, bid: offer.MinBid * 2);

        var again = market.Reopened();
        Assert.Equal(ContractPhase.Outbid, again.Core.Find(contract.Id)!.Phase);

        again.SetRivals(offer, bid: 0);
        Assert.Equal(ContractPhase.Running, again.Core.Find(contract.Id)!.Phase);
    }
}
