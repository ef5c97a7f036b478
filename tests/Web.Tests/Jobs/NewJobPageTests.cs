using Bunit;
using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Prices;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Scheduling;
using Dashboard.Tests.Shared;
using Dashboard.Web.Features.Jobs;
using Dashboard.Web.Features.Prices;
using Dashboard.Web.Layout;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Sections;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Dashboard.Web.Tests.Jobs;

public sealed class NewJobPageTests : BunitContext
{
    private readonly SeededTeam _team = new();
    private readonly OneMarket _market = new();
    private readonly FakeTimeProvider _clock = new(SeededTeam.Start);

    public NewJobPageTests()
    {
        Services.AddSingleton<TimeProvider>(_clock).AddSingleton(_team.Database).AddSingleton<IMarketplaces>(_market);
        Services.AddSingleton<ChangeFeed>().AddSingleton<INudgeProvisioning, NoNudge>();
        Services.AddSingleton<QuoteOffers>().AddSingleton<SubmitJob>().AddSingleton<JobQueries>().AddSingleton<NewJobQueries>().AddSingleton<OrderHelp>().AddSingleton<BidHelp>();
        JSInterop.Mode = JSRuntimeMode.Loose;
    }

    [Fact]
    public void The_smoke_test_is_filled_in_so_that_start_with_its_price_is_one_click()
    {
        var page = Page();
        page.WaitForAssertion(() => Assert.StartsWith("Start · ≈ $", page.Find(".start").TextContent, StringComparison.Ordinal));
        page.Find(".start").Click();
        page.WaitForAssertion(() => Assert.EndsWith("/t/halden/jobs/1", Services.GetRequiredService<NavigationManager>().Uri, StringComparison.Ordinal));
        var job = Jobs().Single();
        Assert.Equal(("smoke-1", Presets.Smoke, "cheap"), (job.Name, job.Spec.Preset, job.OfferId));
    }

    [Fact]
    public async Task With_a_bid_offers_are_priced_at_a_quarter_above_each_floor_and_the_job_carries_it()
    {
        var page = Page();
        page.WaitForAssertion(() => Assert.Single(page.FindAll(".offer.on")));
        _market.Offers.Clear();
        _market.Offers.Add(OneMarket.Of("bid", "RTX 4090", 0.20m) with { Rental = RentalType.Interruptible });

        page.FindAll(".choice button").Single(b => b.TextContent == "With a bid").Click();
        await SettlesAsync(() => page.FindAll(".offer").Count == 1);
        Assert.Contains("$0.260/h", page.Find(".offer").TextContent, StringComparison.Ordinal); // the bid and a cent of disk

        page.Find(".start").Click();
        page.WaitForAssertion(() => Assert.Equal(new BidPlan(), Jobs().Single().Limits.Bid));
    }

    [Fact]
    public async Task One_click_on_the_advice_fills_in_the_bid_prices_the_offers_with_it_and_stays_when_nobody_takes_one()
    {
        _market.Offers.Clear();
        _market.Offers.Add(OneMarket.Of("bid", "RTX 4090", 0.20m) with { Rental = RentalType.Interruptible });
        await BidHistory.AddAsync(_team.Database, "RTX 4090", hour => hour % 24 == 11 ? 0.30m : 0.20m);
        var page = PageAt("?type=bid");
        page.WaitForAssertion(() => Assert.Single(page.FindAll("button.bid"), b => b.TextContent.StartsWith("90% · $0.200/h", StringComparison.Ordinal)));
        page.Find("button.bid").Click();
        Assert.Equal("0.2", Field(page, "Bid").GetAttribute("value"));
        await SettlesAsync(() => page.FindAll(".offer.on").Count == 1 && page.Find(".offer.on").TextContent.Contains("$0.210/h", StringComparison.Ordinal)); // and a cent of disk
        Assert.Equal("true", page.Find("button.bid").GetAttribute("aria-pressed"));

        Field(page, "Bid").Input("0.1");
        await SettlesAsync(() => page.FindAll(".offer").Count == 0);
        Assert.Contains("A bid of $0.100/h would have lasted 1 h in 0% of the past runs.", page.Find(".bid-advice [role=status]").TextContent, StringComparison.Ordinal);
        page.Find("button.bid").Click();
        await SettlesAsync(() => page.FindAll(".offer.on").Count == 1);
        page.Find(".start").Click();
        page.WaitForAssertion(() => Assert.Equal(HourlyRate.FromUsd(0.20m), Jobs().Single().Limits.Bid!.Bid));
    }

    [Fact]
    public void Without_history_the_bid_says_why_nothing_is_advised()
    {
        _market.Offers.Clear();
        _market.Offers.Add(OneMarket.Of("bid", "RTX 4090", 0.20m) with { Rental = RentalType.Interruptible });
        var page = PageAt("?type=bid");
        page.WaitForAssertion(() => Assert.Equal("No advice on the bid for RTX 4090. It takes two weeks of prices to know how long a bid lasts; there are 0 days.", page.Find(".bid-advice").TextContent));
        Assert.Empty(page.FindAll("button.bid"));
        page.FindAll(".choice button").Single(b => b.TextContent == "On demand").Click();
        Assert.Empty(page.FindAll(".bid-advice"));
    }

    [Fact]
    public async Task A_bid_that_no_machine_takes_says_what_the_lowest_takes()
    {
        var page = Page();
        page.WaitForAssertion(() => Assert.Single(page.FindAll(".offer.on")));
        _market.Offers.Clear();
        _market.Offers.Add(OneMarket.Of("bid", "RTX 4090", 0.20m) with { Rental = RentalType.Interruptible });
        page.FindAll(".choice button").Single(b => b.TextContent == "With a bid").Click();
        Field(page, "Bid").Input("0.10");

        await SettlesAsync(() => page.Markup.Contains("No machine takes a bid of $0.100/h right now; the lowest that one takes is $0.200/h.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_job_that_waits_for_a_price_says_what_it_costs_now_and_carries_its_order_and_no_offer()
    {
        await AddHoursAsync("RTX 3090", 0.25m, 0.21m, 0.25m, 0.25m);
        var page = Page();
        page.WaitForAssertion(() => Assert.Single(page.FindAll(".offer.on")));
        page.FindAll(".order .choice button").Single(b => b.TextContent.StartsWith("When the price", StringComparison.Ordinal)).Click();
        Field(page, "Price").Input("0.225");
        Field(page, "And then").Change("TakeBest");

        page.WaitForAssertion(() => Assert.Contains("or less in 25% of the hours.", page.Find(".order").TextContent, StringComparison.Ordinal));
        Assert.Contains("Now $0.240/h on the chosen RTX 3090.", page.Find(".order").TextContent, StringComparison.Ordinal); // a cent of it is disk
        Assert.Equal("Wait for $0.225/h or less", page.Find(".start").TextContent);
        page.Find(".start").Click();
        page.WaitForAssertion(() => Assert.Single(Jobs()));
        var job = Jobs().Single();
        Assert.Equal((new PriceOrder(HourlyRate.FromUsd(0.225m), SeededTeam.Start.AddHours(24), OrderEnding.TakeBest), null), (job.Order, job.OfferId));
    }

    [Fact]
    public void A_price_that_is_none_is_a_problem_of_its_field_and_nothing_typed_is_lost()
    {
        var page = Page();
        page.FindAll(".order .choice button").Single(b => b.TextContent.StartsWith("When the price", StringComparison.Ordinal)).Click();
        Field(page, "Price").Input("cheap");
        Field(page, "Good for").Input("9999");
        page.Find(".start").Click();

        Assert.Contains("Enter dollars an hour, for example 0.35.", Note(page, "Price"), StringComparison.Ordinal);
        Assert.Contains("Enter a time of at most 60 days", Note(page, "Good for"), StringComparison.Ordinal);
        Assert.Equal("cheap", Field(page, "Price").GetAttribute("value"));
        Assert.Empty(Jobs());
    }

    [Fact]
    public void A_problem_among_the_advanced_fields_opens_them()
    {
        var page = Page();
        Assert.False(page.Find("details.advanced").HasAttribute("open"));
        Field(page, "Script error").Input("99");
        page.Find(".start").Click();

        Assert.True(page.Find("details.advanced").HasAttribute("open"));
        Assert.Contains("Try 0 to 20 times more.", Note(page, "Script error"), StringComparison.Ordinal);
        Assert.Empty(Jobs());
    }

    [Fact]
    public void Start_pressed_twice_is_one_job()
    {
        var page = Page();
        page.WaitForAssertion(() => Assert.Contains("≈", page.Find(".start").TextContent, StringComparison.Ordinal));
        var start = page.Find(".start");
        start.Click();
        start.Click();
        page.WaitForAssertion(() => Assert.Single(Jobs()));
    }

    [Fact]
    public void A_problem_stands_at_its_field_and_nothing_typed_is_lost()
    {
        var page = Page();
        Preset(page, "Custom command");
        Field(page, "Files to bring home").Input("/etc/passwd");
        Field(page, "At most, in all").Input("four");
        page.Find(".start").Click();

        Assert.Contains("Write the commands to run", Note(page, "Script"), StringComparison.Ordinal);
        Assert.Contains("\"/etc/passwd\" has to be a path below", Note(page, "Files to bring home"), StringComparison.Ordinal);
        Assert.Contains("Enter dollars", Note(page, "At most, in all"), StringComparison.Ordinal);
        Assert.Equal("four", Field(page, "At most, in all").GetAttribute("value"));
        Assert.Empty(Jobs());
    }

    [Fact]
    public void A_mended_field_loses_its_problem_while_the_others_keep_theirs()
    {
        var page = Page();
        Preset(page, "Custom command");
        Field(page, "At most, in all").Input("four");
        page.Find(".start").Click();
        Field(page, "At most, in all").Input("4.50");
        Assert.DoesNotContain("Enter dollars", page.Markup, StringComparison.Ordinal);
        Assert.Contains("Write the commands to run", Note(page, "Script"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_provider_is_asked_once_after_the_typing_has_settled_and_the_old_estimate_stays_meanwhile()
    {
        var page = Page();
        page.WaitForAssertion(() => Assert.Single(page.FindAll(".offer.on")));
        var asked = _market.Searches;
        Field(page, "Disk").Input("2");
        Field(page, "Disk").Input("20");
        Assert.Equal("true", page.Find(".estimate").GetAttribute("aria-busy"));
        Assert.Single(page.FindAll(".offer.on"));
        Assert.Equal(asked, _market.Searches);

        await SettlesAsync(() => page.Find(".estimate").GetAttribute("aria-busy") == "false");
        Assert.Equal(asked + 1, _market.Searches);
    }

    [Fact]
    public async Task A_chosen_offer_that_goes_away_is_replaced_by_the_next_and_says_so()
    {
        var page = Page();
        page.WaitForAssertion(() => Assert.Single(page.FindAll(".offer.on")));
        page.FindAll(".offer input")[1].Change(true);
        _market.Offers.RemoveAll(o => o.Id == "dear");
        Field(page, "Disk").Input("20");
        await SettlesAsync(() => page.Markup.Contains("The offer you chose is gone", StringComparison.Ordinal));
        Assert.Contains("RTX 3090", page.Find(".offer.on").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void The_markets_use_fills_in_its_connection_and_its_offer()
    {
        var elsewhere = AddConnection("Second account");
        var page = PageAt($"?offer=dear&connection={elsewhere}");
        page.WaitForAssertion(() => Assert.Contains("RTX 4090", page.Find(".offer.on").TextContent, StringComparison.Ordinal));
        Assert.StartsWith("Second account", Field(page, "Connection").QuerySelector("option[selected]")!.TextContent.Trim(), StringComparison.Ordinal);

        page.Find(".start").Click();
        page.WaitForAssertion(() => Assert.Equal((elsewhere, "dear"), (Jobs().Single().ConnectionId, Jobs().Single().OfferId)));
    }

    [Fact]
    public void An_address_with_an_unknown_connection_says_which_one_is_used_instead_and_drops_its_offer()
    {
        var page = PageAt($"?offer=dear&connection={Guid.NewGuid()}");
        Assert.Contains("Sandbox is filled in instead", page.Find("[role=status]").TextContent, StringComparison.Ordinal);
        page.WaitForAssertion(() => Assert.Contains("RTX 3090", page.Find(".offer.on").TextContent, StringComparison.Ordinal));
    }

    [Fact]
    public void An_offer_chosen_beyond_the_cheapest_is_shown_among_them()
    {
        foreach (var n in Enumerable.Range(1, 8))
        {
            _market.Offers.Add(OneMarket.Of($"more-{n}", "RTX 3060", 0.10m + (n * 0.001m)));
        }

        var page = PageAt("?offer=dear");
        page.WaitForAssertion(() => Assert.Contains("RTX 4090", page.Find(".offer.on").TextContent, StringComparison.Ordinal));
        Assert.Equal(6, page.FindAll(".offer").Count);
    }

    [Fact]
    public void The_bar_says_where_the_page_hangs()
    {
        var shell = Render(builder =>
        {
            builder.OpenComponent<SectionOutlet>(0);
            builder.AddAttribute(1, nameof(SectionOutlet.SectionName), MainLayout.BarSection);
            builder.CloseComponent();
            builder.OpenComponent<CascadingValue<TeamContext>>(2);
            builder.AddAttribute(3, "Value", _team.As(Role.Member));
            builder.AddAttribute(4, "ChildContent", (RenderFragment)(inner =>
            {
                inner.OpenComponent<NewJobPage>(0);
                inner.CloseComponent();
            }));
            builder.CloseComponent();
        });
        shell.WaitForAssertion(() => Assert.Equal("Jobs / New job", string.Join(' ', shell.Find(".crumb").TextContent.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))));
        Assert.Equal("/t/halden/jobs", shell.Find(".crumb a").GetAttribute("href"));
    }

    [Fact]
    public void Start_right_after_the_estimate_spends_no_second_search()
    {
        var page = Page();
        page.WaitForAssertion(() => Assert.Single(page.FindAll(".offer.on")));
        var asked = _market.Searches;
        page.Find(".start").Click();
        page.WaitForAssertion(() => Assert.Single(Jobs()));
        Assert.Equal(asked, _market.Searches);
    }

    [Fact]
    public async Task A_provider_that_does_not_answer_holds_start_for_seconds_only_and_nothing_typed_is_lost()
    {
        _market.Silent = true;
        var page = Page();
        Field(page, "Name").Input("my-own-name");
        page.Find(".start").Click();
        Assert.Equal("Starting…", page.Find(".start").TextContent);

        await PassesAsync(TimeSpan.FromSeconds(8), () => page.FindAll("[role=status]").Any(status => status.TextContent.Contains("does not answer", StringComparison.Ordinal)));
        Assert.Contains("Nothing was rented, it cost $0.00.", page.Find("[role=status]").TextContent, StringComparison.Ordinal);
        Assert.Equal("my-own-name", Field(page, "Name").GetAttribute("value"));
        Assert.Empty(Jobs());
    }

    [Fact]
    public void No_offers_is_said_with_a_way_out()
    {
        _market.Offers.Clear();
        var page = Page();
        page.WaitForAssertion(() => Assert.Contains("Nothing was rented, it cost $0.00.", page.Markup, StringComparison.Ordinal));
        Assert.Contains(page.FindAll(".choices button"), b => b.TextContent == "Ask again");
    }

    [Fact]
    public void On_a_simulated_market_the_custom_command_says_where_it_runs()
    {
        var page = Page();
        Assert.DoesNotContain("The image is not pulled here", page.Markup, StringComparison.Ordinal);
        Preset(page, "Custom command");
        Assert.Contains("The image is not pulled here: your script runs on this computer with python3 only, without packages.", page.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public void A_viewer_sees_no_start_button()
    {
        var page = Page(Role.Viewer);
        Assert.Empty(page.FindAll("button"));
        Assert.Equal(0, _market.Searches);
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _team.Dispose();
    }

    private IRenderedComponent<NewJobPage> PageAt(string query)
    {
        Services.GetRequiredService<NavigationManager>().NavigateTo("/t/halden/jobs/new" + query);
        return Page();
    }

    /// <summary>The lowest prices of the last 24 hours, by turns.</summary>
    private async Task AddHoursAsync(string gpu, params decimal[] usd)
    {
        await using var db = await _team.Database.ForSystemAsync(Xunit.TestContext.Current.CancellationToken);
        var series = PriceSeriesRow.Of(new PriceSeries(new Market(Provider.VastAi, "http://127.0.0.1:1", Simulated: true), gpu, 24, 1, RentalType.OnDemand, VerifiedOnly: true), SeededTeam.Start);
        db.PriceSeries.Add(series);
        await db.SaveChangesAsync(Xunit.TestContext.Current.CancellationToken);
        var last = (int)(SeededTeam.Start.ToUnixTimeSeconds() / 3600);
        db.PriceHours.AddRange(Enumerable.Range(0, 24).Select(hour => new PriceHourRow { SeriesId = series.Id, T = last - hour, Polls = 1, MinSum = HourlyRate.FromUsd(usd[hour % usd.Length]).MicrosPerHour }));
        await db.SaveChangesAsync(Xunit.TestContext.Current.CancellationToken);
    }

    private ConnectionId AddConnection(string name)
    {
        using var db = _team.Database.ForSystemAsync(default).GetAwaiter().GetResult();
        var id = new ConnectionId(Guid.NewGuid());
        var first = db.Connections.AsNoTracking().Single();
        db.Connections.Add(new Connection
        {
            Id = id,
            TeamId = first.TeamId,
            Market = new Market(Provider.VastAi, "http://127.0.0.1:2", Simulated: true),
            Name = name,
            ProtectedKey = "-",
            KeyEnding = "9c02",
            AccountId = "2",
            AccountName = "second",
            Status = ConnectionStatus.Works,
            CreatedAt = SeededTeam.Start.AddMinutes(1),
        });
        db.SaveChanges();
        return id;
    }

    private IRenderedComponent<NewJobPage> Page(Role role = Role.Member)
    {
        var page = Render<NewJobPage>(p => p.AddCascadingValue(_team.As(role)));
        page.WaitForAssertion(() => Assert.Empty(page.FindAll(".skeleton")));
        return page;
    }

    private static void Preset(IRenderedComponent<NewJobPage> page, string name) => page.FindAll(".preset").Single(p => p.TextContent.StartsWith(name, StringComparison.Ordinal)).Click();

    private static AngleSharp.Dom.IElement Field(IRenderedComponent<NewJobPage> page, string label) => page.Find("#" + page.FindAll("label").Single(l => l.TextContent == label).GetAttribute("for"));

    private static string Note(IRenderedComponent<NewJobPage> page, string label) => page.Find("#" + Field(page, label).GetAttribute("aria-describedby")).TextContent;

    private Task SettlesAsync(Func<bool> holds) => PassesAsync(TimeSpan.FromMilliseconds(300), holds);

    // Again and again: a wait that begins after the clock was set forward would not see it.
    private Task PassesAsync(TimeSpan time, Func<bool> holds) => Eventually.HoldsAsync(
        () =>
        {
            _clock.Advance(time);
            return holds();
        },
        "the page has gone on",
        ct: Xunit.TestContext.Current.CancellationToken);

    private List<Job> Jobs()
    {
        using var db = _team.Database.ForSystemAsync(default).GetAwaiter().GetResult();
        return [.. db.Jobs.AsNoTracking()];
    }

    private sealed class NoNudge : INudgeProvisioning
    {
        public void Provision(JobId job) { }
    }

    /// <summary>A market that only answers searches; anything else would be a rent call nobody asked for.</summary>
    private sealed class OneMarket : IMarketplaces
    {
        public List<Offer> Offers { get; } = [Of("cheap", "RTX 3090", 0.23m), Of("dear", "RTX 4090", 0.40m)];

        public int Searches { get; private set; }

        /// <summary>From now on a search is never answered.</summary>
        public bool Silent { get; set; }

        public IMarketplace For(Connection connection) => SearchOnly.Over(async ct =>
        {
            Searches++;
            if (Silent)
            {
                await new TaskCompletionSource().Task.WaitAsync(ct);
            }

            return [.. Offers];
        });

        public IMarketplace For(Market market, Secret key) => throw new NotSupportedException();

        public static Offer Of(string id, string gpu, decimal usdPerHour) => new()
        {
            Id = id,
            MachineId = "m-" + id,
            GpuName = gpu,
            GpuCount = 1,
            VramMb = 24_564,
            Rental = RentalType.OnDemand,
            GpuRate = HourlyRate.FromUsd(usdPerHour),
            DiskRate = HourlyRate.FromUsd(0.01m),
            StorageUsdPerGbMonth = 0.2m,
            DownloadPerGb = Money.Zero,
            UploadPerGb = Money.Zero,
            DiskGb = 100,
            Reliability = 0.98m,
        };
    }

    public class SearchOnly : System.Reflection.DispatchProxy
    {
        private Func<CancellationToken, Task<IReadOnlyList<Offer>>> _search = null!;

        internal static IMarketplace Over(Func<CancellationToken, Task<IReadOnlyList<Offer>>> search)
        {
            var market = Create<IMarketplace, SearchOnly>();
            ((SearchOnly)(object)market)._search = search;
            return market;
        }

        protected override object? Invoke(System.Reflection.MethodInfo? targetMethod, object?[]? args) =>
            targetMethod?.Name == nameof(IMarketplace.SearchAsync) ? _search((CancellationToken)args![1]!) : throw new NotSupportedException(targetMethod?.Name);
    }
}
