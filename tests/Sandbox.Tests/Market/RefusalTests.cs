using Dashboard.Sandbox.Market;
using Dashboard.Sandbox.Tests.Harness;

namespace Dashboard.Sandbox.Tests.Market;

public sealed class RefusalTests
{
    [Fact]
    public void A_slice_whose_gpus_somebody_took_is_listed_and_cannot_be_had()
    {
        var market = new CoreMarket();
        var offer = market.Quiet();

        market.SetRivals(offer, taken: true);

        Assert.IsType<RentResult.Taken>(market.Rent(offer));
        market.SetRivals(offer, taken: false);
        Assert.IsType<RentResult.Rented>(market.Rent(offer));
    }

    [Fact]
    public void The_price_of_the_rent_is_that_of_the_moment_and_not_of_the_quote()
    {
        var market = new CoreMarket();
        var quoted = market.Quiet();

        market.Core.Intervene(quoted.Machine, before => before with { PriceFactor = 1.5m }, market.Now);
        var contract = market.Hold(quoted);

        Assert.Equal(Math.Round(quoted.GpuPerHour * 1.5m, 4, MidpointRounding.ToEven), contract.GpuPerHour);
    }

    [Fact]
    public void The_spend_limit_counts_what_runs_and_the_disks_of_what_does_not()
    {
        var market = new CoreMarket();
        var first = market.RentAny();
        var offer = market.Quiet();
        var second = offer.GpuPerHour + Offer.DiskRate(10, offer.Machine.StorageCost);
        market.Core.State.SpendLimitPerHour = first.GpuPerHour + first.DiskPerHour + second - 0.0001m;

        Assert.IsType<RentResult.SpendLimit>(market.Rent(offer));

        market.Core.Stop(first.Id, market.Now);
        market.Obey();
        Assert.IsType<RentResult.Rented>(market.Rent(offer));
    }

    [Fact]
    public void A_machine_that_its_host_keeps_is_for_nobody_else()
    {
        var market = new CoreMarket();
        var offer = market.Quiet();

        market.Core.Intervene(offer.Machine, before => before with { HostsOwn = true }, market.Now);

        Assert.IsType<RentResult.NotYours>(market.Rent(offer));
    }

    [Fact]
    public void A_virtual_machine_needs_a_key_in_the_account()
    {
        var market = new CoreMarket();
        var request = new RentRequest { Image = "x", VirtualMachine = true };
        Assert.IsType<RentResult.NoKeyForVirtualMachine>(market.Core.Rent(market.Quiet().AskId, request, market.Now));

        market.Core.AddAccountKey("ssh-ed25519 AAAA me", market.Now);
        Assert.IsType<RentResult.Rented>(market.Core.Rent(market.Quiet().AskId, request, market.Now));
    }
}
