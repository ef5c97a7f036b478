using Bunit;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Prices;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Prices;
using Dashboard.Web.Features.Marketplaces;
using Microsoft.AspNetCore.Components;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Marketplaces;

public sealed class MarketPageTests : PageTest
{
    private readonly ScriptedMarkets _markets = new();

    public MarketPageTests() => Services.AddSingleton<IMarketplaces>(_markets);

    [Fact]
    public async Task An_offer_shows_its_all_in_rate_and_fills_a_new_job()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        _markets.Offers = [Offer("9001", 0.4m), Offer("9002", 0.3m)];

        var rows = Show<MarketPage>("/t/halden/market").FindAll("tr.offer");

        Assert.Contains("$0.312/h", rows[0].TextContent);
        Assert.Contains("Lowest per hour", rows[0].TextContent);
        Assert.StartsWith("/t/halden/jobs/new?offer=9002", rows[0].QuerySelector("a.btn")!.GetAttribute("href"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bid_is_asked_for_priced_a_quarter_above_its_floor_and_used_as_a_bid()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        _markets.Offers = [Offer("9001", 0.2m) with { Rental = RentalType.Interruptible }];

        var row = Show<MarketPage>("/t/halden/market?type=bid").Find("tr.offer");

        Assert.Equal(RentalType.Interruptible, Assert.Single(_markets.Asked).Rental);
        Assert.Contains("$0.262/h", row.TextContent);
        Assert.Contains("type=bid", row.QuerySelector("a.btn")!.GetAttribute("href"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_machine_that_failed_twice_is_hidden_counted_and_shown_on_request_with_its_card()
    {
        await SeedAsync(seed =>
        {
            var connection = seed.Connection(TeamSeed.VastAi);
            foreach (var (name, reason) in new[] { ("a", StopReason.StartFailed), ("b", StopReason.HostLost) })
            {
                var job = seed.Job(connection, name, JobStatus.Failed, reason: reason);
                var instance = seed.Instance(job, seed.Attempt(job), InstanceStatus.Gone);
                (instance.EndReason, instance.ReadyAt) = (reason, reason == StopReason.HostLost ? job.CreatedAt + TimeSpan.FromSeconds(70) : null);
            }

            var good = seed.Job(connection, "c", JobStatus.Succeeded);
            var other = seed.Instance(good, seed.Attempt(good), InstanceStatus.Gone, machine: "2718");
            (other.EndReason, other.ReadyAt) = (StopReason.Finished, good.CreatedAt + TimeSpan.FromSeconds(90));
        });
        _markets.Offers = [Offer("9001", 0.2m), Offer("9002", 0.4m) with { MachineId = "2718" }, Offer("9003", 0.5m) with { MachineId = "1618" }];

        var page = Show<MarketPage>("/t/halden/market");
        Assert.Equal(2, page.FindAll("tr.offer").Count);
        Assert.Contains("1 hidden: bad history.", page.Markup, StringComparison.Ordinal);
        Assert.Contains("1 of 1 here", page.Markup, StringComparison.Ordinal);

        page = Show<MarketPage>("/t/halden/market?history=all");
        page.FindAll("button.host").Single(b => b.TextContent == "0 of 2 here").Click();
        var card = page.Find(".host-card").TextContent;
        Assert.Contains("0 of 2, avoided", card, StringComparison.Ordinal);
        Assert.Contains("1 came up, 1 did not", card, StringComparison.Ordinal);
        Assert.Contains("70 s", card.Replace("1 min 10 s", "70 s", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("host lost", card, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_address_is_the_question()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));

        Show<MarketPage>("/t/halden/market?gpu=RTX%204090&count=2&vram=24");

        var asked = Assert.Single(_markets.Asked);
        Assert.Equal(("RTX 4090", 2, 24_000), (Assert.Single(asked.GpuNames), asked.GpuCount, asked.MinVramMb));
    }

    [Fact]
    public async Task One_answer_serves_every_viewer_for_a_minute()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        _markets.Offers = [Offer("9001", 0.4m)];

        Show<MarketPage>("/t/halden/market");
        Show<MarketPage>("/t/halden/market?sort=rate");
        Assert.Single(_markets.Asked);

        Time.Advance(MarketQueries.Kept);
        Show<MarketPage>("/t/halden/market");
        Assert.Equal(2, _markets.Asked.Count);
    }

    [Fact]
    public async Task A_market_that_does_not_answer_says_so_and_shows_no_empty_list()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        _markets.Fault = new ProviderUnavailableException("503");

        var page = Show<MarketPage>("/t/halden/market");

        Assert.Contains("Vast.ai", page.Find("[role=alert]").TextContent);
        Assert.DoesNotContain("No offer fits", page.Markup);
    }

    [Fact]
    public async Task No_fitting_offer_names_the_filters_worth_dropping()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));

        var face = Show<MarketPage>("/t/halden/market?gpu=H900&vram=80").Find(".face");

        Assert.Contains("No offer fits these 2 filters. Nothing was rented, it cost $0.00.", face.TextContent);
        Assert.Equal(["/t/halden/market?vram=80", "/t/halden/market?gpu=H900"], face.QuerySelectorAll("a").Select(a => a.GetAttribute("href")));
    }

    [Fact]
    public async Task Simulated_offers_are_not_ranked_among_real_ones()
    {
        await SeedAsync(seed => { seed.Connection(TeamSeed.VastAi); seed.Connection(TeamSeed.Sandbox); });
        _markets.Offers = [Offer("9001", 0.4m)];

        var page = Show<MarketPage>("/t/halden/market");

        Assert.Single(page.FindAll("tr.offer"));
        Assert.Contains("1 simulated offer is not ranked among real ones.", page.Markup);
    }

    [Fact]
    public async Task Typing_narrows_the_rows_at_once_and_asks_nobody()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        _markets.Offers = [Offer("9001", 0.4m), Offer("9002", 0.5m) with { GpuName = "RTX 3090", Location = "Ohio, US" }];
        var page = Show<MarketPage>("/t/halden/market");

        page.Find("#market-find").Input("3090 ohio");

        Assert.Contains("RTX 3090", Assert.Single(page.FindAll("tr.offer")).TextContent);
        Assert.Equal("3090 ohio", page.Find("#market-find").GetAttribute("value"));
        Assert.Single(_markets.Asked);
        page.Find("#market-find").Input("h900");
        Assert.Contains("Without “h900” there are 2", page.Find(".face").TextContent);
    }

    [Fact]
    public async Task A_facet_counts_what_each_of_its_values_would_leave_and_what_is_beyond_it()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        _markets.Offers = [Offer("9001", 0.4m), Offer("9002", 0.5m) with { GpuName = "RTX 3090" }, Offer("9003", 1.2m) with { GpuName = "A100 SXM4", VramMb = 81_920 }];
        Show<MarketPage>("/t/halden/market");
        _markets.Offers = [Offer("9003", 1.2m) with { GpuName = "A100 SXM4", VramMb = 81_920 }];

        var page = Show<MarketPage>("/t/halden/market?vram=48");

        var values = page.FindAll("#facet-vram .value").Select(v => Spaced(v.TextContent)).ToList();
        Assert.Equal("any 2 more", values[0]);
        Assert.Contains("≥ 24 GB —", values); // the provider was not asked for these
        Assert.Contains("≥ 80 GB 1", values);
        Assert.Equal("VRAM ≥ 48 GB", Spaced(page.Find("button[popovertarget=facet-vram].open").TextContent));
    }

    [Fact]
    public async Task Choosing_a_value_and_taking_it_off_are_in_the_address()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        _markets.Offers = [Offer("9001", 0.4m)];
        var page = Show<MarketPage>("/t/halden/market?cuda=12.4");
        Assert.Equal(12.4m, Assert.Single(_markets.Asked).MinCuda);

        page.FindAll("#facet-gpu .value").Single(v => v.TextContent.Contains("RTX 4090", StringComparison.Ordinal)).Click();
        Assert.EndsWith("/t/halden/market?gpu=RTX%204090&cuda=12.4", Services.GetRequiredService<NavigationManager>().Uri, StringComparison.Ordinal);

        page.Find("button[aria-label='Take CUDA ≥ 12.4 off']").Click();
        Assert.DoesNotContain("cuda", Services.GetRequiredService<NavigationManager>().Uri, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_provider_answers_a_page_and_more_is_a_click()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        (_markets.Offers, _markets.PageRows) = ([Offer("9001", 0.4m), Offer("9002", 0.5m), Offer("9003", 0.6m), Offer("9004", 0.7m)], 2);
        var page = Show<MarketPage>("/t/halden/market");
        Assert.Equal(2, page.FindAll("tr.offer").Count);
        Assert.Contains("Ranked among the 2 cheapest per hour.", page.Find(".more").TextContent);

        page = Show<MarketPage>(page.Find(".more a").GetAttribute("href")!);
        Assert.Equal(3, page.FindAll("tr.offer").Count); // the next page begins with the last rate of the one before
        Assert.Equal(2, _markets.Asked.Count); // the first page was at hand
        Assert.Equal(HourlyRate.FromUsd(0.512m), _markets.Asked[^1].MinRate);

        page = Show<MarketPage>("/t/halden/market?pages=4");
        Assert.Equal(4, page.FindAll("tr.offer").Count);
        page.FindAll("#facet-vram .value").Single(v => v.TextContent.Contains("≥ 24 GB", StringComparison.Ordinal)).Click();
        Assert.DoesNotContain("pages", Services.GetRequiredService<NavigationManager>().Uri, StringComparison.Ordinal); // another question begins at its cheapest page
    }

    [Fact]
    public async Task Pages_behind_the_first_are_asked_again_seldom_or_when_something_would_be_left_out()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        (_markets.Offers, _markets.PageRows) = ([Offer("9001", 0.4m), Offer("9002", 0.5m), Offer("9003", 0.6m)], 2);
        Show<MarketPage>("/t/halden/market?pages=2");
        Assert.Equal(2, _markets.Asked.Count);
        Time.Advance(TimeSpan.FromMinutes(2));
        Show<MarketPage>("/t/halden/market?pages=2");
        Assert.Equal(3, _markets.Asked.Count); // the first page alone

        _markets.Offers = [Offer("9001", 0.4m), Offer("9004", 0.45m), Offer("9002", 0.5m), Offer("9003", 0.6m)];
        Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(3, Show<MarketPage>("/t/halden/market?pages=2").FindAll("tr.offer").Count);
        Assert.Equal(5, _markets.Asked.Count);
    }

    [Fact]
    public async Task A_page_that_does_not_come_keeps_the_ones_before_it()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        (_markets.Offers, _markets.PageRows) = ([Offer("9001", 0.4m), Offer("9002", 0.5m), Offer("9003", 0.6m)], 2);
        Show<MarketPage>("/t/halden/market");
        _markets.Fault = new ProviderUnavailableException("HTTP 503");

        var page = Show<MarketPage>("/t/halden/market?pages=2");
        Assert.Equal(2, page.FindAll("tr.offer").Count);
        Assert.Contains("The next page did not come:", page.Find(".more").TextContent);
    }

    [Fact]
    public async Task Facets_count_by_the_last_polls_what_a_page_cannot_know()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        _markets.Offers = [Offer("9001", 0.4m)];
        await PolledAsync("RTX 4090", 24, 1, 214, atLeast: false, TimeSpan.FromHours(3));
        await PolledAsync("RTX 4090", 24, 1, 10, atLeast: true, TimeSpan.FromMinutes(4)); // newer, and of the cheapest alone
        await PolledAsync("RTX 4090", 24, 2, 7, atLeast: false, TimeSpan.FromMinutes(4));
        await PolledAsync("H100 SXM", 80, 1, 10, atLeast: true, TimeSpan.FromMinutes(4));
        await PolledAsync("L40S", 48, 1, 31, atLeast: false, TimeSpan.FromHours(30)); // yesterday's

        var page = Show<MarketPage>("/t/halden/market");
        Assert.Equal(["any", "RTX 4090 214", "H100 SXM 10+"], page.FindAll("#facet-gpu .value").Select(v => Spaced(v.TextContent)));
        Assert.Contains("≥ 24 GB 224+", page.FindAll("#facet-vram .value").Select(v => Spaced(v.TextContent)));
        Assert.Contains("≥ 80 GB 10+", page.FindAll("#facet-vram .value").Select(v => Spaced(v.TextContent)));
        Assert.Contains("2 GPUs 7", page.FindAll("#facet-count .value").Select(v => Spaced(v.TextContent)));
        Assert.Contains("4 GPUs —", page.FindAll("#facet-count .value").Select(v => Spaced(v.TextContent)));
        Assert.Contains("Counted by the last polls, 4 min to 3 h ago.", page.Find("#facet-gpu").TextContent);

        page = Show<MarketPage>("/t/halden/market?rel=98"); // no poll tells this apart
        Assert.Contains("RTX 4090 1", page.FindAll("#facet-gpu .value").Select(v => Spaced(v.TextContent)));
        Assert.Contains("H100 SXM —", page.FindAll("#facet-gpu .value").Select(v => Spaced(v.TextContent)));
        Assert.Contains("Counted in the 1 offers here.", page.Find("#facet-gpu").TextContent);

        async Task PolledAsync(string gpu, int vramGb, int count, int offers, bool atLeast, TimeSpan ago)
        {
            await using var db = await Database.ForSystemAsync(default);
            var series = new PriceSeries(TeamSeed.VastAi, gpu, vramGb, count, RentalType.OnDemand, VerifiedOnly: true);
            var row = (await db.PriceSeries.AsNoTracking().ToListAsync()).Find(r => r.Series == series);
            if (row is null)
            {
                row = PriceSeriesRow.Of(series, Time.GetUtcNow());
                db.Add(row);
                await db.SaveChangesAsync();
            }

            var point = new PricePoint(Time.GetUtcNow() - ago, atLeast ? PointKind.Floor : PointKind.Depth, offers, atLeast, HourlyRate.FromUsd(0.4m), null, null);
            await new PriceStore(Database).StoreAsync([new SeenPrices(row.Id, point, [])], default);
        }
    }

    [Fact]
    public async Task A_price_that_cannot_be_meant_is_hidden_and_counted()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        _markets.Offers = [Offer("9001", 0.4m), Offer("9002", 0.01m)];

        var page = Show<MarketPage>("/t/halden/market");

        Assert.Single(page.FindAll("tr.offer"));
        Assert.Contains("1 implausible price is hidden", page.Markup);
    }

    [Fact]
    public async Task A_comparison_is_copied_as_a_table_with_exact_amounts()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        _markets.Offers = [Offer("9001", 0.4m)];
        var copying = JSInterop.SetupVoid("navigator.clipboard.writeText", _ => true).SetVoidResult();
        var page = Show<MarketPage>("/t/halden/market");
        page.Find("tr.offer input").Change(true);

        page.FindAll(".compare button").Single(b => b.TextContent.Contains("Copy", StringComparison.Ordinal)).Click();

        var text = (string)Assert.Single(copying.Invocations).Arguments[0]!;
        Assert.Contains("\tRTX 4090 in Norway", text, StringComparison.Ordinal);
        Assert.Contains("All-in rate, USD/h\t0.412", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rate_that_does_not_read_stays_where_it_was_typed_and_says_so()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        var page = Show<MarketPage>("/t/halden/market");

        page.Find("input.max").Change("cheap");

        Assert.Equal("cheap", page.Find("input.max").GetAttribute("value"));
        Assert.Contains("“cheap” is no rate", page.Markup);
        Assert.Null(Assert.Single(_markets.Asked).MaxRate);
    }

    [Fact]
    public async Task Compare_names_the_winner_when_the_lowest_rate_is_dearer_in_the_end()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        _markets.Offers = [Offer("sound", 0.4m), Offer("frail", 0.3m) with { Reliability = 0.5m, GpuName = "RTX 3090" }];
        var page = Show<MarketPage>("/t/halden/market");
        Assert.Contains("Lowest total", page.FindAll("tr.offer")[0].TextContent);

        page.FindAll("tr.offer input")[0].Change(true);
        page.FindAll("tr.offer input")[1].Change(true);

        var compare = page.Find(".compare");
        Assert.Contains("RTX 3090 in Norway is 24% cheaper per hour and 50% dearer in the end than RTX 4090 in Norway.", compare.TextContent);
        Assert.Contains("offer=sound", compare.QuerySelector("a.use")!.GetAttribute("href"));
    }

    [Fact]
    public async Task The_totals_are_for_the_job_that_is_named_and_using_an_offer_clones_it()
    {
        await SeedAsync(seed => { var connection = seed.Connection(TeamSeed.VastAi); seed.Job(connection, "support-bot-v7", Domain.Jobs.JobStatus.Succeeded); });
        _markets.Offers = [Offer("9001", 0.4m)];

        var page = Show<MarketPage>("/t/halden/market?for=201");

        Assert.Contains("40 s running", page.Find(".priced").TextContent);
        Assert.Contains("clone=201", page.Find("tr.offer a.btn").GetAttribute("href"));
        Assert.Contains("There is no “999” to price", Show<MarketPage>("/t/halden/market?for=999").Markup);
    }

    [Fact]
    public async Task A_viewer_cannot_use_an_offer()
    {
        await SeedAsync(seed => seed.Connection(TeamSeed.VastAi));
        _markets.Offers = [Offer("9001", 0.4m)];
        ReadAs(Role.Viewer);

        Assert.Empty(Show<MarketPage>("/t/halden/market").FindAll("tbody a.btn"));
    }

    [Fact]
    public void Without_a_connection_there_is_nobody_to_ask() =>
        Assert.Contains("there is nobody to ask", Show<MarketPage>("/t/halden/market").Find(".face").TextContent);

    private static string Spaced(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static Offer Offer(string id, decimal gpuUsd) => new()
    {
        Id = id, MachineId = "31415", GpuName = "RTX 4090", GpuCount = 1, VramMb = 24_564, Rental = RentalType.OnDemand, GpuRate = HourlyRate.FromUsd(gpuUsd), DiskRate = HourlyRate.FromUsd(0.012m),
        StorageUsdPerGbMonth = 0.1m, DownloadPerGb = Money.Zero, UploadPerGb = Money.Zero, DiskGb = 500, Reliability = 0.991m, DownloadMbps = 1_800, Location = "Norway",
    };

    /// <summary>Answers searches as told; this page does nothing else with a provider.</summary>
    private sealed class ScriptedMarkets : IMarketplaces, IMarketplace
    {
        public IReadOnlyList<Offer> Offers { get; set; } = [];

        public MarketplaceException? Fault { get; set; }

        public List<OfferQuery> Asked { get; } = [];

        public IMarketplace For(Connection connection) => this;

        public IMarketplace For(Market market, Secret key) => throw new NotSupportedException();

        /// <summary>Rows of a page; null: there is but one.</summary>
        public int? PageRows { get; set; }

        public Task<IReadOnlyList<Offer>> SearchAsync(OfferQuery query, CancellationToken ct) => throw new NotSupportedException();

        public Task<OfferPage> SearchPageAsync(OfferQuery query, CancellationToken ct)
        {
            Asked.Add(query);
            if (Fault is not null)
            {
                return Task.FromException<OfferPage>(Fault);
            }

            List<Offer> page = [.. Offers.Where(o => o.Rate >= (query.MinRate ?? HourlyRate.Zero)).OrderBy(o => o.Rate).Take(PageRows ?? int.MaxValue)];
            return Task.FromResult(new OfferPage(page, page.Count, page.Count == 0 ? null : page.Max(o => o.Rate), page.Count == PageRows));
        }

        public long RowsSearched => 0;

        public Task<IReadOnlyList<ProviderPrice>> GetPriceHistoryAsync(string gpuName, bool verifiedOnly, DateTimeOffset from, DateTimeOffset to, TimeSpan step, CancellationToken ct) => throw new NotSupportedException();

        public Task<ProviderAccount> GetAccountAsync(CancellationToken ct) => throw new NotSupportedException();

        public Task<KeyProbe> ProbeRightsAsync(CancellationToken ct) => throw new NotSupportedException();

        public Task<RentResult> RentAsync(Offer offer, LaunchSpec spec, CancellationToken ct) => throw new NotSupportedException();

        public Task<bool> StartAsync(string contractId, CancellationToken ct) => throw new NotSupportedException();

        public Task ChangeBidAsync(string contractId, HourlyRate bid, CancellationToken ct) => throw new NotSupportedException();

        public Task<InstanceListing> ListAsync(CancellationToken ct) => throw new NotSupportedException();

        public Task<InstanceListing> FindByLabelAsync(string label, CancellationToken ct) => throw new NotSupportedException();

        public Task<ObservedInstance?> GetAsync(string contractId, CancellationToken ct) => throw new NotSupportedException();

        public Task AttachSshKeyAsync(string contractId, string publicKey, CancellationToken ct) => throw new NotSupportedException();

        public Task<string?> ReadContainerLogAsync(string contractId, int lines, CancellationToken ct) => throw new NotSupportedException();

        public Task DestroyAsync(string contractId, CancellationToken ct) => throw new NotSupportedException();

        public Task StopAsync(string contractId, CancellationToken ct) => throw new NotSupportedException();

        public Task<IReadOnlyList<ProviderCharge>> GetChargesAsync(DateTimeOffset from, DateTimeOffset to, CancellationToken ct) => throw new NotSupportedException();
    }
}
