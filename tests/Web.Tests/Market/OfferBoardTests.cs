using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Estimates;
using Dashboard.Domain.Marketplaces;
using Dashboard.Web.Features.Marketplaces;

namespace Dashboard.Web.Tests.Marketplaces;

public sealed class OfferBoardTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 2, 9, 0, 0, TimeSpan.Zero);

    private static readonly ConnectionId Connection = new(Guid.NewGuid());
    private readonly OfferBoard _board = new();

    [Fact]
    public void The_row_ranked_first_has_the_lowest_total_and_another_order_is_by_its_own_figure()
    {
        _board.Replace(View(Row("dear", 0.9m), Row("sound", 0.4m), Row("frail", 0.3m, reliability: 0.5m)));
        Assert.Equal(["sound", "frail", "dear"], Ids());
        Assert.Equal(("sound", "frail"), (_board.LowestTotal!.Offer.Id, _board.LowestRate!.Offer.Id));

        _board.Order(OfferSort.Rate);
        Assert.Equal(["frail", "sound", "dear"], Ids());
    }

    [Fact]
    public void A_newer_answer_moves_no_row_strikes_out_what_is_gone_and_lets_new_offers_wait()
    {
        _board.Replace(View(Row("a", 0.4m), Row("b", 0.5m), Row("c", 0.6m)));
        _board.Take(View(Row("a", 0.9m), Row("c", 0.6m), Row("new", 0.1m)), Now);

        Assert.Equal(["a", "b", "c"], Ids());
        Assert.Equal([false, true, false], _board.Shown.Select(r => r.Taken));
        Assert.Equal(1, _board.Waiting);
        Assert.Equal("c", _board.LowestTotal!.Offer.Id);

        _board.ShowWaiting();
        Assert.Equal(["new", "c", "a"], Ids());
        Assert.Equal(0, _board.Waiting);
    }

    [Fact]
    public void Offers_of_a_provider_that_does_not_answer_stay_and_are_not_usable()
    {
        _board.Replace(View(Row("a", 0.4m)));
        _board.Take(new MarketView([], [new MarketAnswer(Connection, "Vast.ai", TeamSeed.VastAi, 0, null, "503")], 0, 0, PricedFor.AnHour, [], new Dictionary<MarketFilter, int>(), null), Now);
        var row = Assert.Single(_board.Shown);
        Assert.Equal((false, true, false), (row.Taken, row.Stale, row.Usable));

        _board.Take(View(Row("a", 0.4m)), Now);
        Assert.True(Assert.Single(_board.Shown).Usable);
    }

    [Fact]
    public void Every_word_that_is_typed_has_to_be_in_the_row_with_or_without_its_space()
    {
        _board.Replace(View(Row("a", 0.4m), Row("b", 0.5m, gpu: "RTX 3090", place: "Ohio, US")));
        _board.Narrow("rtx3090", null);
        Assert.Equal(["b"], Ids());
        _board.Narrow("rtx norway", null);
        Assert.Equal(["a"], Ids());
        _board.Narrow("rtx", "Ohio, US");
        Assert.Equal(["b"], Ids());
        Assert.Equal((1, 2), (_board.Without(find: true, region: false), _board.Without(find: true, region: true)));
    }

    private IEnumerable<string> Ids() => _board.Shown.Select(r => r.Row.Offer.Id);

    private static MarketView View(params OfferRow[] rows) => new(rows, [new MarketAnswer(Connection, "Vast.ai", TeamSeed.VastAi, rows.Length, DateTimeOffset.UnixEpoch, null)], 0, 0, PricedFor.AnHour, [], new Dictionary<MarketFilter, int>(), null);

    private static OfferRow Row(string id, decimal usd, decimal reliability = 0.99m, string gpu = "RTX 4090", string place = "Norway")
    {
        var offer = new Offer
        {
            Id = id, MachineId = "1" + id, GpuName = gpu, GpuCount = 1, VramMb = 24_564, Rental = RentalType.OnDemand, GpuRate = HourlyRate.FromUsd(usd), DiskRate = HourlyRate.Zero,
            StorageUsdPerGbMonth = 0, DownloadPerGb = Money.Zero, UploadPerGb = Money.Zero, DiskGb = 500, Reliability = reliability, Location = place,
        };
        return new OfferRow(offer, Connection, TeamSeed.VastAi, ExpectedTotal.Of(new Workload(1, TimeSpan.FromHours(1)), offer));
    }
}
