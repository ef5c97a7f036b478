using CsCheck;
using Dashboard.Sandbox.Market;
using Dashboard.Sandbox.Tests.Harness;

namespace Dashboard.Sandbox.Tests.Market;

public sealed class BillTests
{
    [Fact]
    public void Money_adds_up_however_often_it_is_asked() =>
        Gen.Int[1, 100_000].List[1, 60].Sample(milliseconds =>
        {
            var market = new CoreMarket();
            var contract = market.RentAny();
            var (asked, since) = (0m, market.Now);
            for (var step = 0; step < milliseconds.Count; step++)
            {
                if (step % 5 == 3)
                {
                    _ = step % 2 == 0 ? market.Core.Stop(contract.Id, market.Now) : market.Core.Start(contract.Id, market.Now);
                    market.Obey();
                }

                market.Wait(TimeSpan.FromMilliseconds(milliseconds[step]));
                asked += Bill.Of(contract, since, market.Now, 1).Total;
                since = market.Now;
            }

            var whole = market.Core.BillOf(contract, market.Now).Total;
            return Math.Abs(whole - asked) < 0.000000000001m && market.Core.Credit(market.Now) == 1_000_000 - whole;
        });

    [Fact]
    public void An_hour_costs_the_advertised_total()
    {
        var market = new CoreMarket();
        var offer = market.Offers(diskGb: 40).First(offer => offer.Rentable);
        var contract = ((RentResult.Rented)market.Rent(offer, diskGb: 40)).Contract;

        market.Wait(TimeSpan.FromHours(1));

        Assert.Equal(offer.TotalPerHour, market.Core.BillOf(contract, market.Now).Total);
    }

    [Fact]
    public void A_stopped_instance_pays_for_its_disk_only_and_a_destroyed_one_for_nothing()
    {
        var market = new CoreMarket();
        var contract = market.RentAny();
        market.Wait(TimeSpan.FromMinutes(10));

        market.Core.Stop(contract.Id, market.Now);
        var stopped = market.Core.BillOf(contract, market.Now);
        market.Wait(TimeSpan.FromMinutes(30));
        var later = market.Core.BillOf(contract, market.Now);
        Assert.Equal(stopped.Gpu, later.Gpu);
        Assert.Equal(contract.DiskPerHour / 2, later.Disk - stopped.Disk);

        market.Core.Destroy(contract.Id, market.Now);
        market.Wait(TimeSpan.FromDays(3));
        Assert.Equal(later, market.Core.BillOf(contract, market.Now));
    }

    [Fact]
    public void The_image_pull_is_free_of_gpu_charges()
    {
        var market = new CoreMarket(new MarketSettings { Boot = TimeSpan.FromMinutes(2), Credit = 100 });
        var contract = market.RentAny();

        market.Wait(TimeSpan.FromSeconds(60));
        Assert.Equal(ContractPhase.Loading, contract.Phase);
        Assert.Equal(0, market.Core.BillOf(contract, market.Now).Gpu);

        market.Wait(TimeSpan.FromMinutes(2));
        market.Wait(TimeSpan.FromSeconds(1));
        Assert.Equal(ContractPhase.Running, contract.Phase);
        Assert.True(market.Core.BillOf(contract, market.Now).Gpu > 0);
    }

    [Fact]
    public void The_factor_multiplies_gpu_disk_and_traffic_alike()
    {
        Bill Billed(decimal factor)
        {
            var market = new CoreMarket(new MarketSettings { Boot = TimeSpan.Zero, Credit = 1_000_000, BillingFactor = factor });
            var contract = market.RentAny();
            market.Core.CountTraffic(contract.Id, 3_000_000_000, 1_000_000_000, market.Now);
            market.Wait(TimeSpan.FromMinutes(7));
            return market.Core.BillOf(contract, market.Now);
        }

        var (once, thousandfold) = (Billed(1), Billed(1000));
        Assert.Equal(1000 * once.Gpu, thousandfold.Gpu);
        Assert.Equal(1000 * once.Disk, thousandfold.Disk);
        Assert.Equal(1000 * once.Traffic, thousandfold.Traffic);
        Assert.True(once.Upload > 0 && once.Download > 0);
    }

    [Fact]
    public void Without_credit_everything_stops_and_nothing_can_be_rented_or_started()
    {
        var market = new CoreMarket(new MarketSettings { Boot = TimeSpan.Zero, Credit = 0.01m, BillingFactor = 1000 });
        var contract = market.RentAny();

        market.Wait(TimeSpan.FromHours(1));

        Assert.Equal(ContractPhase.Stopped, contract.Phase);
        Assert.Contains(new HostEffect.Stop(contract.Id), market.Seen);
        Assert.IsType<RentResult.NoCredit>(market.Rent(market.Rentable()[0]));
        Assert.Equal(StateChange.NoCredit, market.Core.Start(contract.Id, market.Now));
    }

    [Fact]
    public void A_host_that_was_off_bills_nothing_for_that_time_and_one_that_stayed_up_bills_on()
    {
        Bill After(bool survived)
        {
            var market = new CoreMarket();
            var contract = market.RentAny();
            market.Wait(TimeSpan.FromHours(1));
            market.Core.Restore(_ => survived, market.Now + TimeSpan.FromHours(5));
            return market.Core.BillOf(contract, market.Now + TimeSpan.FromHours(5));
        }

        Assert.Equal(6 * After(survived: false).Gpu, After(survived: true).Gpu);
        Assert.Equal(6 * After(survived: false).Disk, After(survived: true).Disk);
    }
}
