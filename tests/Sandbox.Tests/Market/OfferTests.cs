using CsCheck;
using Dashboard.Sandbox.Market;
using Dashboard.Sandbox.Tests.Harness;

namespace Dashboard.Sandbox.Tests.Market;

public sealed class OfferTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void There_are_about_four_hundred_offers_on_twenty_five_models_or_more(ulong seed)
    {
        var offers = new CoreMarket(seed: seed).Rentable();

        Assert.InRange(offers.Count, 300, 520);
        Assert.True(offers.Select(offer => offer.Machine.Gpu.Name).Distinct().Count() >= 25);
    }

    [Fact]
    public void The_same_seed_and_time_give_the_same_market_and_another_seed_gives_another()
    {
        static string Prices(CoreMarket market) => string.Join(' ', market.Offers().Select(offer => $"{offer.AskId}:{offer.TotalPerHour}"));

        Assert.Equal(Prices(new CoreMarket(seed: 7)), Prices(new CoreMarket(seed: 7)));
        Assert.NotEqual(Prices(new CoreMarket(seed: 7)), Prices(new CoreMarket(seed: 8)));
    }

    [Fact]
    public void The_total_is_the_gpu_part_plus_the_disk_at_720_hours_a_month() =>
        Gen.Decimal[0m, 2000m].Sample(
            gb =>
            {
                var market = new CoreMarket();
                return market.Offers(diskGb: gb).All(offer =>
                    offer.TotalPerHour == offer.GpuPerHour + Math.Round(gb * offer.Machine.StorageCost / 720m, 6, MidpointRounding.ToEven));
            },
            iter: 20);

    [Fact]
    public void A_slice_costs_as_much_per_gpu_as_its_machine() =>
        Assert.All(
            new CoreMarket().Offers().GroupBy(offer => offer.Machine.MachineId),
            machine => Assert.Single(machine.Select(offer => offer.GpuPerHour / offer.Slice.GpuCount).Distinct()));

    [Fact]
    public void Prices_stay_around_those_of_the_catalogue_and_move_within_a_day_and_a_week()
    {
        var market = new CoreMarket();
        var (day, machine) = (new List<decimal>(), market.Core.Park.Machines[5]);
        for (var hour = 0; hour < 24 * 7; hour++)
        {
            market.Wait(TimeSpan.FromHours(1));
            day.Add(market.Offers().First(offer => offer.Machine == machine).GpuPerHour / machine.GpuCount);
        }

        Assert.True(day.Distinct().Count() > 50);
        Assert.All(day, price => Assert.InRange(price, machine.TypicalPrice * 0.78m, machine.TypicalPrice * 1.22m));
        Assert.True(day.Max() > day.Min() * 1.05m);
        Assert.All(market.Core.Park.Machines, host => Assert.InRange(host.TypicalPrice, host.Gpu.Low * 0.85m, host.Gpu.High));
    }

    [Fact]
    public void Bids_start_below_the_price()
    {
        var market = new CoreMarket();

        Assert.All(market.Offers(), offer => Assert.True(offer.MinBid < offer.GpuPerHour));
        Assert.All(market.Offers(OfferKind.Bid), offer => Assert.Equal(offer.MinBid, offer.GpuPerHour));
    }

    [Fact]
    public void Whatever_is_rented_and_destroyed_no_gpu_is_ever_listed_while_it_is_rented_and_no_listing_repeats_an_id() =>
        Gen.Int[0, 1_000_000].List[1, 40].Sample(
            moves =>
            {
                var market = new CoreMarket(new MarketSettings { Boot = TimeSpan.Zero, Credit = 1_000_000, MaxInstances = 1000 });
                var contracts = new List<Contract>();
                var rentedAsks = new HashSet<int>();
                foreach (var move in moves)
                {
                    if (move % 3 == 0 && contracts.Count > 0)
                    {
                        var gone = contracts[move % contracts.Count];
                        contracts.Remove(gone);
                        market.Core.Destroy(gone.Id, market.Now);
                    }
                    else
                    {
                        // Few machines, so that slices collide.
                        var offers = market.Rentable().Where(offer => offer.Machine.GpuCount >= 4 && offer.Machine.Index < 60).ToList();
                        if (offers.Count > 0)
                        {
                            var offer = offers[move % offers.Count];
                            if (!rentedAsks.Add(offer.AskId))
                            {
                                return false;
                            }

                            contracts.Add(((RentResult.Rented)market.Rent(offer)).Contract);
                        }
                    }

                    market.Wait(TimeSpan.FromMinutes(move % 500));
                    foreach (var contract in contracts)
                    {
                        var gpus = market.Core.SliceOf(contract).Gpus;
                        if (market.Rentable().Any(offer => offer.Machine.Index == contract.MachineIndex && (offer.Slice.Gpus & gpus) != 0))
                        {
                            return false;
                        }
                    }
                }

                return true;
            },
            iter: 15);

    [Fact]
    public void Renting_four_gpus_takes_their_single_gpu_slices_off_the_market_and_destroying_brings_them_back_under_new_ids()
    {
        var market = new CoreMarket();
        var whole = market.Rentable().First(offer => offer.Slice.GpuCount == 4 && offer.Machine.GpuCount == 4);
        var singles = market.Rentable().Where(offer => offer.Machine == whole.Machine && offer.Slice.GpuCount == 1).Select(offer => offer.AskId).ToList();

        var contract = ((RentResult.Rented)market.Rent(whole)).Contract;
        Assert.DoesNotContain(market.Rentable(), offer => offer.Machine == whole.Machine);
        Assert.IsType<RentResult.Gone>(market.Rent(whole));

        market.Core.Destroy(contract.Id, market.Now);
        var back = market.Rentable().Where(offer => offer.Machine == whole.Machine && offer.Slice.GpuCount == 1).Select(offer => offer.AskId).ToList();
        Assert.Equal(4, back.Count);
        Assert.Empty(back.Intersect(singles));
    }
}
