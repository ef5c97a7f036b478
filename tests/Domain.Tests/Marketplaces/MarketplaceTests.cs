using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Tests.Marketplaces;

public sealed class MarketplaceTests
{
    [Theory]
    [InlineData(ObservedStatus.Provisioning, 6_000)]
    [InlineData(ObservedStatus.Running, 406_000)]
    [InlineData(ObservedStatus.Stopped, 6_000)]
    [InlineData(ObservedStatus.WaitingForGpu, 6_000)]
    [InlineData(ObservedStatus.Failed, 6_000)]
    [InlineData(ObservedStatus.Unreachable, 0)]
    public void A_machine_costs_by_its_state(ObservedStatus status, long microsPerHour)
    {
        var machine = new ObservedInstance
        {
            ContractId = "1",
            Status = status,
            Rental = RentalType.OnDemand,
            GpuRate = new HourlyRate(400_000),
            DiskRate = new HourlyRate(6_000),
            DownloadPerGb = Money.Zero,
            UploadPerGb = Money.Zero,
            DiskGb = 10,
        };
        Assert.Equal(new HourlyRate(microsPerHour), machine.RateNow);
    }

    [Fact]
    public void A_simulated_market_is_the_sandbox_whatever_protocol_it_speaks() =>
        Assert.All(Enum.GetValues<Provider>(), provider => Assert.Equal("Sandbox", new Market(provider, "http://127.0.0.1:5081", Simulated: true).Name));

    [Fact]
    public void A_secret_does_not_show_itself()
    {
        var secret = new Secret("hunter2-hunter2");
        Assert.DoesNotContain("hunter2", $"{secret} {System.Text.Json.JsonSerializer.Serialize(secret)}", StringComparison.Ordinal);
        Assert.Equal("hunter2-hunter2", secret.Reveal());
    }
}
