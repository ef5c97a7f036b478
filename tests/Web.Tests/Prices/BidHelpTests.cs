using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Prices;
using Dashboard.Domain.Teams;
using Dashboard.Web.Features.Prices;
using Dashboard.Web.Tests.Jobs;
using Microsoft.Extensions.Time.Testing;

namespace Dashboard.Web.Tests.Prices;

public sealed class BidHelpTests : IDisposable
{
    private static readonly TimeSpan Run = TimeSpan.FromHours(6);
    private static readonly PriceSeries Series = new(BidHistory.Market, "RTX 4090", 24, 1, RentalType.Interruptible, VerifiedOnly: true);

    private readonly SeededTeam _team = new();
    private readonly BidHelp _help;

    public BidHelpTests() => _help = new BidHelp(_team.Database, new FakeTimeProvider(SeededTeam.Start.AddMinutes(20)));

    public void Dispose() => _team.Dispose();

    private static decimal Noon(int hour) => hour % 24 == 11 ? 0.30m : 0.20m;

    private static IEnumerable<decimal?> Bids(BidHint hint) => Assert.IsType<BidAdvice.Known>(hint.Advice).Choices.Select(c => c.Bid?.Usd);

    private Task<BidHint> AskAsync(PriceSeries? series = null, TeamContext? team = null) => _help.AdviseAsync(team ?? _team.As(Role.Viewer), series ?? Series, Run, default);

    [Fact]
    public async Task It_reads_the_bids_of_the_model_the_count_and_the_market_and_nothing_else()
    {
        await BidHistory.AddAsync(_team.Database, "RTX 4090", Noon);
        await BidHistory.AddAsync(_team.Database, "RTX 4090", _ => 0.90m, gpuCount: 2);
        await BidHistory.AddAsync(_team.Database, "RTX 4090", _ => 0.80m, market: BidHistory.Market with { BaseUrl = "https://other.example" });
        await BidHistory.AddAsync(_team.Database, "RTX 3090", _ => 0.10m);

        var hint = await AskAsync();
        Assert.Equal([0.20m, 0.30m], Bids(hint));
        Assert.Equal("the cheapest machine", hint.Measure);
        Assert.Equal([0.90m], Bids(await AskAsync(Series with { GpuCount = 2 })));
        Assert.Equal([0.10m], Bids(await AskAsync(Series with { GpuName = "RTX 3090" })));
    }

    [Fact]
    public async Task Where_every_hour_has_a_fifth_cheapest_it_goes_by_that()
    {
        await BidHistory.AddAsync(_team.Database, "RTX 4090", _ => 0.20m, fifth: true);
        var hint = await AskAsync();
        Assert.Equal([0.21m], Bids(hint));
        Assert.Equal("the fifth cheapest machine", hint.Measure);
    }

    [Fact]
    public async Task A_bid_as_dear_as_on_demand_is_not_advised()
    {
        await BidHistory.AddAsync(_team.Database, "RTX 4090", Noon);
        await BidHistory.AddAsync(_team.Database, "RTX 4090", _ => 0.29m, RentalType.OnDemand);
        Assert.Equal([0.20m, null], Bids(await AskAsync()));
    }

    [Fact]
    public async Task A_market_that_the_team_does_not_know_is_not_read()
    {
        await BidHistory.AddAsync(_team.Database, "RTX 4090", Noon);
        Assert.IsType<BidAdvice.Silent>((await AskAsync(team: SeededTeam.Stranger())).Advice);
        await BidHistory.AddAsync(_team.Database, "RTX 4090", Noon, market: BidHistory.Market with { BaseUrl = "https://other.example" });
        Assert.IsType<BidAdvice.Silent>((await AskAsync(Series with { Market = BidHistory.Market with { BaseUrl = "https://other.example" } })).Advice);
    }

    [Fact]
    public async Task An_offer_is_looked_up_by_its_connection_and_as_it_would_be_bid_on()
    {
        await BidHistory.AddAsync(_team.Database, "RTX 4090", _ => 0.40m, gpuCount: 2);
        var offer = new Offer
        {
            Id = "1", MachineId = "m", GpuName = "RTX 4090", GpuCount = 2, VramMb = 24_564, Rental = RentalType.OnDemand, GpuRate = HourlyRate.FromUsd(1.2m), DiskRate = HourlyRate.Zero, StorageUsdPerGbMonth = 0.2m,
            DownloadPerGb = Money.Zero, UploadPerGb = Money.Zero, DiskGb = 100, Reliability = 0.98m,
        };
        Assert.Equal([0.40m], Bids(await _help.AdviseAsync(_team.As(Role.Member), _team.Connection, offer, Run, default)));
        Assert.IsType<BidAdvice.Silent>((await _help.AdviseAsync(_team.As(Role.Member), new ConnectionId(Guid.NewGuid()), offer, Run, default)).Advice);
    }
}
