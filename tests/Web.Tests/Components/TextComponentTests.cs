using Bunit;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Web.Components;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Dashboard.Web.Tests.Components;

public sealed class TextComponentTests : BunitContext
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 23, 18, 4, 12, TimeSpan.Zero));

    public TextComponentTests() => Services.AddSingleton<TimeProvider>(_time);

    [Fact]
    public void An_unknown_amount_is_a_dash_with_its_reason_and_never_zero()
    {
        var text = Render<MoneyText>(p => p.Add(m => m.Amount, null).Add(m => m.Reason, "Vast.ai does not answer"));

        Assert.Equal("Vast.ai does not answer", text.Find("[title]").GetAttribute("title"));
        Assert.Contains("—", text.Markup);
        Assert.DoesNotContain("$", text.Markup);
    }

    [Fact]
    public void A_live_meter_dims_the_decimals_that_tick() =>
        Assert.Equal("27", Render<MoneyText>(p => p.Add(m => m.Amount, new Money(1_942_712)).Add(m => m.Live, true)).Find(".unit").TextContent);

    [Fact]
    public void What_is_copied_is_exact() =>
        Assert.Equal("1.942712", Render<MoneyText>(p => p.Add(m => m.Amount, new Money(1_942_712))).Find("[data-exact]").GetAttribute("data-exact"));

    [Fact]
    public void A_rate_that_is_an_upper_end_says_so() =>
        Assert.Equal("≤ $0.412/h", Render<RateText>(p => p.Add(r => r.Rate, HourlyRate.FromUsd(0.412m)).Add(r => r.AtMost, true)).Find("span").TextContent);

    [Fact]
    public void A_rate_that_is_not_all_in_names_what_it_covers() =>
        Assert.Contains("GPU only", Render<RateText>(p => p.Add(r => r.Rate, HourlyRate.FromUsd(0.4m)).Add(r => r.Qualifier, "GPU only")).Markup);

    [Fact]
    public void An_estimate_shows_its_range_once_in_words()
    {
        var estimate = new CostEstimate(new Money(2_700_000), new Money(2_900_000), new Money(3_200_000), TimeSpan.FromHours(7));

        Assert.Equal("≈ $2.90, likely $2.70 to $3.20", Render<EstimateText>(p => p.Add(e => e.Estimate, estimate).Add(e => e.Range, true)).Nodes.Aggregate("", (all, node) => all + node.TextContent).Trim());
    }

    [Theory]
    [InlineData(3, "just now", false)]
    [InlineData(40, "40 s old", false)]
    [InlineData(2_820, "47 min old", true)]
    public void An_age_is_amber_past_its_limit(int seconds, string words, bool amber)
    {
        var age = Render<AgeText>(p => p.Add(a => a.At, _time.GetUtcNow() - TimeSpan.FromSeconds(seconds)).Add(a => a.Limit, TimeSpan.FromMinutes(15))).Find("time");

        Assert.Equal(words, age.TextContent);
        Assert.Equal(amber, age.ClassList.Contains("tone-warn"));
    }

    [Fact]
    public void A_clock_adds_the_day_when_it_is_not_today_where_the_reader_sits()
    {
        var zone = ReaderZone.Named("Europe/Oslo");

        Assert.Equal("19:04", zone.Clock(_time.GetUtcNow(), _time.GetUtcNow()));
        Assert.Equal("Tue 00:30", zone.Clock(new DateTimeOffset(2026, 11, 23, 23, 30, 0, TimeSpan.Zero), _time.GetUtcNow()));
        Assert.Equal("12 Dec", zone.Clock(new DateTimeOffset(2026, 12, 12, 10, 0, 0, TimeSpan.Zero), _time.GetUtcNow()));
        Assert.Equal(ReaderZone.Utc, ReaderZone.Named("Mars/Olympus"));
    }

    [Fact]
    public void Every_job_status_has_an_icon_and_a_word_of_its_own()
    {
        var chips = Enum.GetValues<JobStatus>().Select(status => Render<JobStatusChip>(p => p.Add(c => c.Status, status)).Find(".chip")).ToList();

        Assert.All(chips, chip => Assert.NotEmpty(chip.QuerySelector("svg.icon")!.InnerHtml));
        Assert.Equal(chips.Count, chips.Select(chip => chip.TextContent.Trim()).Where(word => word.Length > 0).Distinct().Count());
    }

    [Theory]
    [InlineData(JobStatus.Running, "run", "Running")]
    [InlineData(JobStatus.WaitingForPrice, "wait", "Waiting for price")]
    [InlineData(JobStatus.Paused, "warn", "Paused")]
    [InlineData(JobStatus.Collecting, "move", "Collecting")]
    [InlineData(JobStatus.Succeeded, "ok", "Succeeded")]
    [InlineData(JobStatus.Failed, "bad", "Failed")]
    [InlineData(JobStatus.Cancelled, "off", "Cancelled")]
    public void A_job_status_has_its_colour_and_its_word(JobStatus status, string tone, string word)
    {
        var chip = Render<JobStatusChip>(p => p.Add(c => c.Status, status)).Find(".chip");

        Assert.Contains(tone, chip.ClassList);
        Assert.Equal(word, chip.TextContent.Trim());
    }

    [Fact]
    public void A_message_says_what_happened_what_it_cost_and_what_to_do_in_that_order()
    {
        var card = Render<MessageCard>(p => p.Add(m => m.What, "Somebody took it first.").Add(m => m.Cost, "It cost $0.00.").Add(m => m.ToDo, "The next best is ≈ $2.94."));

        Assert.Equal("Somebody took it first.", card.Find("h2").TextContent);
        Assert.Equal("It cost $0.00. The next best is ≈ $2.94.", card.Find("p").TextContent);
    }

    [Fact]
    public void An_unknown_machine_asks_to_be_looked_at() => Assert.Equal(("warn", "Unknown"), (StatusFace.Of(InstanceStatus.Unknown).Tone, StatusFace.Of(InstanceStatus.Unknown).Word));
}
