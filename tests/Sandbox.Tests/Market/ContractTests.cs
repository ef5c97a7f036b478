using Dashboard.Sandbox.Market;
using Dashboard.Sandbox.Tests.Harness;

namespace Dashboard.Sandbox.Tests.Market;

public sealed class ContractTests
{
    [Fact]
    public void A_start_waits_while_somebody_else_has_the_gpus()
    {
        var market = new CoreMarket();
        var offer = market.Rentable().First(offer => offer.Machine.GpuCount == 1);
        var first = ((RentResult.Rented)market.Rent(offer)).Contract;
        market.Core.Stop(first.Id, market.Now);
        var again = market.Rentable().Single(other => other.Machine == offer.Machine);
        var second = ((RentResult.Rented)market.Rent(again)).Contract;

        Assert.Equal(StateChange.Queued, market.Core.Start(first.Id, market.Now));
        market.Wait(TimeSpan.FromMinutes(1));
        Assert.Equal(ContractPhase.Queued, first.Phase);

        market.Core.Destroy(second.Id, market.Now);
        market.Obey();
        Assert.Equal(ContractPhase.Running, first.Phase);
    }

    [Fact]
    public void A_container_that_was_destroyed_while_it_started_does_not_come_to_life()
    {
        var market = new CoreMarket(new MarketSettings { Boot = TimeSpan.Zero });
        var offer = market.Rentable()[0];
        var contract = ((RentResult.Rented)market.Core.Rent(offer.AskId, new RentRequest { Image = "x" }, market.Now)).Contract;
        Assert.Equal(ContractPhase.Starting, contract.Phase);

        market.Core.Destroy(contract.Id, market.Now);

        Assert.False(market.Core.ContainerStarted(contract.Id, contract.Launches, new InstancePorts(1, 2, 3), market.Now));
        Assert.Empty(contract.GpuIntervals);
    }

    [Fact]
    public void An_attached_key_works_a_little_later()
    {
        var market = new CoreMarket(new MarketSettings { Boot = TimeSpan.Zero, KeyDelay = TimeSpan.FromSeconds(3) });
        var contract = market.RentAny();

        market.Core.AttachKey(contract.Id, "ssh-ed25519 AAAA me", market.Now);
        market.Wait(TimeSpan.FromSeconds(2));
        Assert.Empty(RentalMarket.InstalledKeys(contract));

        market.Wait(TimeSpan.FromSeconds(1));
        Assert.Equal(["ssh-ed25519 AAAA me"], RentalMarket.InstalledKeys(contract));
        Assert.Contains(new HostEffect.InstallKeys(contract.Id), market.Seen);
    }

    [Fact]
    public void Account_keys_are_those_of_the_moment_of_the_rent()
    {
        var market = new CoreMarket();
        market.Core.AddAccountKey("ssh-ed25519 AAAA early", market.Now);
        var contract = market.RentAny();
        market.Core.AddAccountKey("ssh-ed25519 AAAA late", market.Now);

        Assert.Equal(["ssh-ed25519 AAAA early"], RentalMarket.InstalledKeys(contract));
    }

    [Fact]
    public void At_most_ten_instances_exist_at_once()
    {
        var market = new CoreMarket();
        var contracts = Enumerable.Range(0, 10).Select(_ => market.RentAny()).ToList();

        Assert.Contains("at most 10", Assert.IsType<RentResult.Gone>(market.Rent(market.Rentable()[0])).Note, StringComparison.Ordinal);

        market.Core.Destroy(contracts[3].Id, market.Now);
        Assert.IsType<RentResult.Rented>(market.Rent(market.Rentable()[0]));
    }

    [Fact]
    public void The_end_of_the_contract_stops_the_instance_for_good()
    {
        var market = new CoreMarket();
        var contract = market.RentAny();

        market.Wait(contract.EndsAt - market.Now);

        Assert.Equal(ContractPhase.Stopped, contract.Phase);
        Assert.Equal(StateChange.ContractEnded, market.Core.Start(contract.Id, market.Now));
    }

    [Fact]
    public void A_rival_who_rents_what_was_stopped_makes_the_next_start_wait()
    {
        var market = new CoreMarket();
        var offer = market.Quiet();
        var contract = market.Hold(offer);
        market.Core.Stop(contract.Id, market.Now);
        market.SetRivals(offer, taken: true);

        Assert.Equal(StateChange.Queued, market.Core.Start(contract.Id, market.Now));
        market.SetRivals(offer, taken: false);
        Assert.Equal(ContractPhase.Running, contract.Phase);
    }

    [Fact]
    public void A_queued_start_is_cancelled_by_a_stop()
    {
        var market = new CoreMarket();
        var offer = market.Quiet();
        var contract = market.Hold(offer);
        market.Core.Stop(contract.Id, market.Now);
        market.SetRivals(offer, taken: true);
        market.Core.Start(contract.Id, market.Now);

        market.Core.Stop(contract.Id, market.Now);
        market.SetRivals(offer, taken: false);

        Assert.Equal(ContractPhase.Stopped, contract.Phase);
    }

    [Fact]
    public void Rivals_do_not_take_what_is_rented_on_demand()
    {
        var market = new CoreMarket();
        var offer = market.Quiet();
        var contract = market.Hold(offer);

        market.SetRivals(offer, bid: 100, taken: true);
        market.Wait(TimeSpan.FromDays(2));

        Assert.Equal(ContractPhase.Running, contract.Phase);
    }

    [Fact]
    public void A_reboot_keeps_the_gpus_and_bills_them_only_while_it_runs()
    {
        var market = new CoreMarket();
        var offer = market.Quiet();
        var contract = market.Hold(offer);
        market.Wait(TimeSpan.FromHours(1));

        Assert.Equal(StateChange.Done, market.Core.Reboot(contract.Id, market.Now));
        Assert.Equal(ContractPhase.Rebooting, contract.Phase);
        Assert.DoesNotContain(market.Rentable(), other => other.Machine == offer.Machine);
        market.Wait(TimeSpan.FromHours(1));

        Assert.Equal(new HostEffect.Start(contract.Id, Launch: 2, Afresh: false), market.Seen[^1]);
        Assert.Equal((ContractPhase.Running, contract.GpuPerHour), (contract.Phase, market.Core.BillOf(contract, market.Now).Gpu));
    }

    [Fact]
    public void A_recycled_instance_starts_from_nothing()
    {
        var market = new CoreMarket();
        var contract = market.RentAny();

        Assert.Equal(StateChange.Done, market.Core.Recycle(contract.Id, market.Now));
        Assert.Equal(ContractPhase.Recycling, contract.Phase);
        market.Obey();

        Assert.Equal(new HostEffect.Start(contract.Id, Launch: 2, Afresh: true), market.Seen[^1]);
        Assert.Equal(ContractPhase.Running, contract.Phase);
    }

    [Fact]
    public void What_is_stopped_can_neither_be_rebooted_nor_recycled()
    {
        var market = new CoreMarket();
        var contract = market.RentAny();
        market.Core.Stop(contract.Id, market.Now);

        Assert.Equal((StateChange.NotRunning, StateChange.NotRunning), (market.Core.Reboot(contract.Id, market.Now), market.Core.Recycle(contract.Id, market.Now)));
    }

    [Fact]
    public void A_report_of_an_earlier_start_is_not_taken_for_the_present_one()
    {
        var market = new CoreMarket();
        var contract = ((RentResult.Rented)market.Core.Rent(market.Quiet().AskId, new RentRequest { Image = "x" }, market.Now)).Contract;
        market.Core.Stop(contract.Id, market.Now);
        market.Core.Start(contract.Id, market.Now);

        Assert.False(market.Core.ContainerStarted(contract.Id, 1, new InstancePorts(1, 2, 3), market.Now));
        Assert.True(market.Core.ContainerStarted(contract.Id, 2, new InstancePorts(1, 2, 3), market.Now));
    }
}
