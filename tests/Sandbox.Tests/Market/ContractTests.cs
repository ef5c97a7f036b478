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

        Assert.False(market.Core.ContainerStarted(contract.Id, new InstancePorts(1, 2, 3), market.Now));
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
}
