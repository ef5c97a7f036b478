using Dashboard.Sandbox.Market;
using Dashboard.Sandbox.Tests.Harness;

namespace Dashboard.Sandbox.Tests.Market;

/// <summary>How contracts end without anybody asking, and how fast.</summary>
public sealed class GraceTests
{
    [Fact]
    public void Two_days_after_the_end_of_its_contract_an_instance_is_deleted()
    {
        var market = new CoreMarket();
        var contract = market.RentAny();

        market.Wait(contract.EndsAt - market.Now + TimeSpan.FromHours(47));
        Assert.Equal(ContractPhase.Stopped, contract.Phase);

        market.Wait(TimeSpan.FromHours(1));
        Assert.Null(market.Core.Find(contract.Id));
        Assert.Equal(new HostEffect.Destroy(contract.Id), market.Seen[^1]);
    }

    [Fact]
    public void Without_credit_everything_stops_and_disks_bill_into_debt()
    {
        var market = new CoreMarket(new MarketSettings { Boot = TimeSpan.Zero, Credit = 1 });
        var contracts = new[] { market.RentAny(), market.RentAny() };

        while (market.Core.Credit(market.Now) > 0)
        {
            market.Wait(TimeSpan.FromMinutes(1));
        }

        Assert.All(contracts, contract => Assert.Equal(ContractPhase.Stopped, contract.Phase));
        var before = market.Core.Credit(market.Now);
        market.Wait(TimeSpan.FromHours(1));
        Assert.Equal(before - contracts.Sum(contract => contract.DiskPerHour), market.Core.Credit(market.Now));
        Assert.Equal(StateChange.NoCredit, market.Core.Start(contracts[0].Id, market.Now));
    }

    [Fact]
    public void A_day_without_credit_deletes_everything_and_a_restart_does_not_begin_it_anew()
    {
        var market = new CoreMarket(new MarketSettings { Boot = TimeSpan.Zero, Credit = 1 });
        var contract = market.RentAny();
        market.Core.AddCredit(MarketState.FirstAccount, -1, market.Now);
        market.Wait(TimeSpan.FromHours(23));
        Assert.NotNull(market.Core.Find(contract.Id));

        var again = market.Reopened();
        again.Wait(TimeSpan.FromHours(1));

        Assert.Null(again.Core.Find(contract.Id));
    }

    [Fact]
    public void An_account_without_credit_stops_its_own_instances_only()
    {
        var market = new CoreMarket(new MarketSettings { Boot = TimeSpan.Zero, Credit = 1 });
        const int other = 2;
        market.Core.AddCredit(other, 100, market.Now);
        var ours = market.RentAny();
        var theirs = ((RentResult.Rented)market.Core.Rent(market.Rentable()[0].AskId, new RentRequest { Image = "x", AccountId = other }, market.Now)).Contract;
        market.Obey();

        market.Core.AddCredit(MarketState.FirstAccount, -1, market.Now);
        market.Wait(TimeSpan.FromHours(24));

        Assert.Equal((ContractPhase.Destroyed, ContractPhase.Running), (ours.Phase, theirs.Phase));
    }

    [Fact]
    public void Money_in_time_saves_the_data_and_lets_the_instance_start()
    {
        var market = new CoreMarket(new MarketSettings { Boot = TimeSpan.Zero, Credit = 1 });
        var contract = market.RentAny();
        market.Core.AddCredit(MarketState.FirstAccount, -1, market.Now);
        market.Wait(TimeSpan.FromHours(23));

        market.Core.AddCredit(MarketState.FirstAccount, 100, market.Now);
        market.Wait(TimeSpan.FromHours(23));
        Assert.Equal(ContractPhase.Stopped, contract.Phase);
        Assert.NotEqual(StateChange.NoCredit, market.Core.Start(contract.Id, market.Now));
    }

    [Fact]
    public void Fast_time_shortens_contracts_and_graces_and_leaves_bills_alone()
    {
        var market = new CoreMarket();
        var contract = market.RentAny();
        var length = contract.EndsAt - market.Now;

        market.Core.SetSpeed(1000, market.Now);
        Assert.Equal((length / 1000).TotalSeconds, (contract.EndsAt - market.Now).TotalSeconds, tolerance: 1);
        market.Wait(TimeSpan.FromMinutes(6));
        Assert.Equal(contract.GpuPerHour / 10, market.Core.BillOf(contract, market.Now).Gpu);

        market.Wait(contract.EndsAt - market.Now + (TimeSpan.FromHours(49) / 1000));
        Assert.Null(market.Core.Find(contract.Id));
    }

    [Fact]
    public void Fast_time_walks_the_same_prices_sooner()
    {
        var (slow, fast) = (new CoreMarket(), new CoreMarket());
        fast.Core.SetSpeed(100, fast.Now);

        slow.Wait(TimeSpan.FromHours(100));
        fast.Wait(TimeSpan.FromHours(1));

        Assert.Equal(
            slow.Offers().Select(offer => (offer.AskId, offer.GpuPerHour, offer.Rentable)),
            fast.Offers().Select(offer => (offer.AskId, offer.GpuPerHour, offer.Rentable)));
    }

    [Fact]
    public void The_markets_time_does_not_jump_when_its_pace_changes_or_the_market_restarts()
    {
        var market = new CoreMarket();
        market.Core.SetSpeed(500, market.Now);
        market.Wait(TimeSpan.FromHours(2));
        var reached = market.Core.State.Pace.At(market.Now);

        market.Core.SetSpeed(1, market.Now);
        Assert.Equal(reached, market.Core.State.Pace.At(market.Now));
        Assert.Equal(reached, market.Reopened(market.Core.Settings with { Speed = 3 }).Core.State.Pace.At(market.Now));
        Assert.Equal(CoreMarket.Opening + TimeSpan.FromHours(1000), reached);
    }
}
