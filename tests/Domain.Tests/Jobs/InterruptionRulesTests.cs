using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using static Dashboard.Domain.Jobs.StopReason;

namespace Dashboard.Domain.Tests.Jobs;

public sealed class InterruptionRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 27, 12, 0, 0, TimeSpan.Zero);
    private static readonly JobLimits WithABid = new(null, null, null) { Bid = new BidPlan() };
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Theory]
    [InlineData(180_000, 225_000)]
    [InlineData(180_100, 226_000)] // up to a tenth of a cent
    [InlineData(1, 1_000)]
    public void The_usual_bid_is_a_quarter_above_the_floor(long floor, long bid) => Assert.Equal(new HourlyRate(bid), BidPlan.Usual(new HourlyRate(floor)));

    [Fact]
    public void An_offer_is_priced_at_the_bid_and_one_that_wants_more_is_none()
    {
        var offer = Bid(floor: 0.20m);

        Assert.Equal(HourlyRate.FromUsd(0.25m), InterruptionRules.AsRented(offer, WithABid)?.GpuRate);
        Assert.Equal(HourlyRate.FromUsd(0.30m), InterruptionRules.AsRented(offer, WithABid with { Bid = new BidPlan(HourlyRate.FromUsd(0.30m)) })?.GpuRate);
        Assert.Null(InterruptionRules.AsRented(offer, WithABid with { Bid = new BidPlan(HourlyRate.FromUsd(0.19m)) }));
        Assert.Null(InterruptionRules.AsRented(offer, WithABid with { MaxRate = HourlyRate.FromUsd(0.25m) })); // with its disk it is above
        Assert.Null(InterruptionRules.AsRented(offer, new JobLimits(null, null, null)));
    }

    [Fact]
    public void It_goes_on_on_demand_after_as_many_interruptions_as_the_job_or_else_the_installation_says()
    {
        Assert.Equal(RentalType.Interruptible, Next(WithABid, interruptions: 2));
        Assert.Equal(RentalType.OnDemand, Next(WithABid, interruptions: 3));
        Assert.Equal(RentalType.OnDemand, Next(WithABid with { Bid = new BidPlan(OnDemandAfter: 1) }, interruptions: 1));
        Assert.Equal(RentalType.OnDemand, Next(new JobLimits(null, null, null), interruptions: 0));
    }

    [Fact]
    public void Nothing_is_risked_when_the_rest_and_half_an_hour_would_pass_the_deadline()
    {
        Assert.Equal(RentalType.Interruptible, Next(WithABid with { FinishBy = Now + TimeSpan.FromMinutes(91) }, interruptions: 0));
        Assert.Equal(RentalType.OnDemand, Next(WithABid with { FinishBy = Now + TimeSpan.FromMinutes(89) }, interruptions: 0));
    }

    [Fact]
    public void What_is_left_counts_from_the_checkpoint_that_is_at_home()
    {
        var spec = new TrainingSpec { Preset = Presets.Smoke };
        Assert.Equal(TimeSpan.FromSeconds(1_200), InterruptionRules.Left(spec, WithABid, from: 300, total: 900, secondsPerStep: 2));
        Assert.Equal((JobEstimator.RunTime(spec, null) / 3).TotalSeconds, InterruptionRules.Left(spec, WithABid, from: 600, total: 900, secondsPerStep: null).TotalSeconds, 3);
        Assert.Equal(Hour, InterruptionRules.Left(new TrainingSpec { Preset = Presets.Command, Command = new CommandSpec("x", []) }, WithABid, null, null, null));
    }

    [Fact]
    public void Elsewhere_is_cheaper_when_all_of_it_costs_less_than_the_rest_would_here()
    {
        var elsewhere = new CostEstimate(Money.Zero, Money.FromUsd(0.20m), Money.FromUsd(0.30m), Hour);

        Assert.True(InterruptionRules.IsCheaper(elsewhere, HourlyRate.FromUsd(0.25m), Hour));
        Assert.False(InterruptionRules.IsCheaper(elsewhere, HourlyRate.FromUsd(0.25m), TimeSpan.FromMinutes(40)));
    }

    [Fact]
    public void Each_cause_has_tries_of_its_own_and_all_together_have_an_end()
    {
        var limits = WithABid with { Retry = new RetryPolicy(Capacity: 0, Machine: 2, Interruption: 1, Script: 1), MaxAttempts = 4 };

        Assert.True(RetryRules.Another(StartFailed, [], limits));
        Assert.True(RetryRules.Another(HostLost, [StartFailed], limits));
        Assert.False(RetryRules.Another(Hung, [StartFailed, HostLost], limits));
        Assert.True(RetryRules.Another(Interrupted, [StartFailed, HostLost], limits));
        Assert.False(RetryRules.Another(Interrupted, [Interrupted], limits));
        Assert.True(RetryRules.Another(ScriptFailed, [], limits));
        Assert.False(RetryRules.Another(ScriptFailed, [StartFailed, HostLost, Interrupted], limits)); // the fourth machine was the last
        Assert.False(RetryRules.Another(OutOfMemory, [], limits));
        Assert.False(RetryRules.Another(ScriptFailed, [], WithABid)); // by default a script is not tried again
    }

    private static RentalType Next(JobLimits limits, int interruptions) => InterruptionRules.NextRental(limits, interruptions, onDemandAfter: 3, Hour, Now);

    private static Offer Bid(decimal floor) => new()
    {
        Id = "1", MachineId = "m", GpuName = "RTX 4090", GpuCount = 1, VramMb = 24_564, Rental = RentalType.Interruptible, GpuRate = HourlyRate.FromUsd(floor), DiskRate = HourlyRate.FromUsd(0.01m),
        StorageUsdPerGbMonth = 0.15m, DownloadPerGb = Money.Zero, UploadPerGb = Money.Zero, DiskGb = 100,
    };
}
