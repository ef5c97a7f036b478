using Dashboard.Sandbox.Market;
using Dashboard.Sandbox.Tests.Harness;

namespace Dashboard.Sandbox.Tests.Market;

public sealed class FaultTests
{
    [Fact]
    public void An_instance_that_is_stuck_loads_until_the_fault_ends()
    {
        var market = new CoreMarket();
        market.Core.InflictOnNext(InstanceFault.StuckLoading, TimeSpan.FromHours(2));
        var contract = market.RentAny();

        market.Wait(TimeSpan.FromHours(1));
        Assert.Equal(ContractPhase.Loading, contract.Phase);
        Assert.Empty(contract.GpuIntervals);

        market.Wait(TimeSpan.FromHours(1));
        Assert.Equal(ContractPhase.Running, contract.Phase);
    }

    [Fact]
    public void Only_the_next_instance_takes_the_faults_laid_out_for_it()
    {
        var market = new CoreMarket();
        market.Core.InflictOnNext(InstanceFault.OciFailure, null);

        var (first, second) = (market.RentAny(), market.RentAny());

        Assert.Equal((ContractPhase.Broken, ContractPhase.Running), (first.Phase, second.Phase));
        Assert.Contains("container init", first.Failure, StringComparison.Ordinal);
        Assert.Empty(first.GpuIntervals);
    }

    [Fact]
    public void A_host_that_is_offline_bills_nothing_and_starts_the_instance_again_when_it_is_back()
    {
        var market = new CoreMarket();
        var contract = market.RentAny();
        market.Wait(TimeSpan.FromHours(1));
        var before = market.Core.BillOf(contract, market.Now).Total;

        market.Core.Inflict(contract.Id, InstanceFault.HostOffline, TimeSpan.FromHours(5), market.Now);
        market.Wait(TimeSpan.FromHours(5) - TimeSpan.FromSeconds(1));
        Assert.Equal((ContractPhase.Offline, before), (contract.Phase, market.Core.BillOf(contract, market.Now).Total));

        market.Wait(TimeSpan.FromSeconds(1));
        Assert.Equal(ContractPhase.Running, contract.Phase);
        market.Wait(TimeSpan.FromHours(1));
        Assert.Equal(before * 2, market.Core.BillOf(contract, market.Now).Total);
    }

    [Fact]
    public void What_was_stopped_while_its_host_was_offline_stays_stopped()
    {
        var market = new CoreMarket();
        var contract = market.RentAny();
        market.Core.Inflict(contract.Id, InstanceFault.HostOffline, null, market.Now);

        market.Core.Stop(contract.Id, market.Now);
        market.Core.Heal(contract.Id, InstanceFault.HostOffline, market.Now);
        market.Obey();

        Assert.Equal(ContractPhase.Stopped, contract.Phase);
    }

    [Fact]
    public void An_instance_on_a_host_that_is_offline_can_be_destroyed()
    {
        var market = new CoreMarket();
        var contract = market.RentAny();
        market.Core.Inflict(contract.Id, InstanceFault.HostOffline, null, market.Now);

        Assert.True(market.Core.Destroy(contract.Id, market.Now));
        Assert.Null(market.Core.Find(contract.Id));
    }

    [Fact]
    public void A_destruction_that_lies_is_confirmed_and_bills_on()
    {
        var market = new CoreMarket();
        var contract = market.RentAny();
        market.Core.Inflict(contract.Id, InstanceFault.DestroyLies, null, market.Now);

        Assert.True(market.Core.Destroy(contract.Id, market.Now));
        market.Wait(TimeSpan.FromHours(1));
        Assert.Equal(ContractPhase.Running, contract.Phase);
        Assert.Equal(contract.GpuPerHour, market.Core.BillOf(contract, market.Now).Gpu);

        market.Core.Heal(contract.Id, InstanceFault.DestroyLies, market.Now);
        market.Core.Destroy(contract.Id, market.Now);
        Assert.Null(market.Core.Find(contract.Id));
    }

    [Fact]
    public void A_destruction_that_lags_happens_when_it_was_first_due_however_often_it_is_asked_for()
    {
        var market = new CoreMarket();
        var contract = market.RentAny();
        market.Core.Inflict(contract.Id, InstanceFault.DestroyLags, TimeSpan.FromSeconds(30), market.Now);
        Assert.True(market.Core.Destroy(contract.Id, market.Now));

        market.Wait(TimeSpan.FromSeconds(29));
        Assert.True(market.Core.Destroy(contract.Id, market.Now));
        Assert.NotNull(market.Core.Find(contract.Id));

        market.Wait(TimeSpan.FromSeconds(1));
        Assert.Null(market.Core.Find(contract.Id));
        Assert.Equal(TimeSpan.FromSeconds(30), contract.DestroyedAt - contract.CreatedAt);
    }

    [Fact]
    public void A_container_that_exits_stops_the_gpu_meter()
    {
        var market = new CoreMarket();
        var contract = market.RentAny();

        market.Core.Inflict(contract.Id, InstanceFault.ContainerExits, null, market.Now);
        market.Wait(TimeSpan.FromHours(1));

        Assert.Equal((ContractPhase.Exited, 0m), (contract.Phase, market.Core.BillOf(contract, market.Now).Gpu));
        Assert.Empty(contract.Faults);
    }

    [Theory]
    [InlineData(nameof(InstanceFault.SessionCut))]
    [InlineData(nameof(InstanceFault.HostKeyChanged))]
    [InlineData(nameof(InstanceFault.SshRefusing))]
    public void Faults_of_its_ssh_leave_an_instance_running(string name)
    {
        var fault = Enum.Parse<InstanceFault>(name);
        var market = new CoreMarket();
        var contract = market.RentAny();

        market.Core.Inflict(contract.Id, fault, null, market.Now);
        market.Obey();

        HostEffect asked = fault switch
        {
            InstanceFault.SessionCut => new HostEffect.CutSessions(contract.Id),
            InstanceFault.HostKeyChanged => new HostEffect.ChangeHostKey(contract.Id),
            _ => new HostEffect.SetReach(contract.Id),
        };
        Assert.Equal((ContractPhase.Running, asked), (contract.Phase, market.Seen[^1]));
        Assert.Equal(fault == InstanceFault.SshRefusing, RentalMarket.RefusesSsh(contract));
    }

    [Fact]
    public void Ssh_that_is_late_is_late_at_every_start()
    {
        var market = new CoreMarket(new MarketSettings { Boot = TimeSpan.Zero, SshDelay = TimeSpan.FromSeconds(1) });
        market.Core.InflictOnNext(InstanceFault.SshLate, TimeSpan.FromSeconds(40));
        var contract = market.RentAny();

        market.Wait(TimeSpan.FromMinutes(5));

        Assert.Equal(TimeSpan.FromSeconds(41), market.Core.SshDelay(contract));
    }

    [Fact]
    public void A_container_that_survived_the_market_is_reached_as_its_faults_say()
    {
        var market = new CoreMarket();
        var contract = market.RentAny();
        market.Core.Inflict(contract.Id, InstanceFault.SshRefusing, null, market.Now);
        market.Obey();
        market.Seen.Clear();

        market.Core.Restore(_ => true, market.Now);
        market.Obey();

        Assert.Equal([new HostEffect.SetReach(contract.Id)], market.Seen);
        Assert.Equal(ContractPhase.Running, contract.Phase);
    }

    [Fact]
    public void Faults_outlive_a_restart_of_the_market_and_end_when_they_are_due()
    {
        var market = new CoreMarket();
        var contract = market.RentAny();
        market.Core.Inflict(contract.Id, InstanceFault.HostOffline, TimeSpan.FromMinutes(10), market.Now);
        market.Core.Inflict(contract.Id, InstanceFault.DestroyLies, null, market.Now);
        market.Core.InflictOnNext(InstanceFault.DiskFull, null);

        var again = market.Reopened();
        var restored = again.Core.Find(contract.Id)!;
        Assert.Equal(ContractPhase.Offline, restored.Phase);
        Assert.True(again.RentAny().Has(InstanceFault.DiskFull));

        again.Wait(TimeSpan.FromMinutes(10));
        Assert.Equal(ContractPhase.Running, restored.Phase);
        Assert.True(again.Core.Destroy(contract.Id, again.Now) && restored.IsLiving);
    }
}
