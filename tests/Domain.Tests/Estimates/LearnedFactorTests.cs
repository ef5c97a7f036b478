using Dashboard.Domain.Costs;
using Dashboard.Domain.Estimates;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Tests.Estimates;

public sealed class LearnedFactorTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);
    private static readonly LearnedFactor Unknown = LearnedFactor.Unknown(LearnedFactor.TrainingSpread);

    [Fact]
    public void Three_runs_that_took_twice_as_long_move_an_estimate_half_the_way_to_it()
    {
        var learned = LearnedFactor.Of([Miss.Of(Now, 2, 1), Miss.Of(Now, 2, 1), Miss.Of(Now, 2, 1)], Unknown, Now);
        Assert.Equal(Math.Sqrt(2), learned.Factor, 6); // exp(3 ln 2 / (3 + 3))
        Assert.Equal(3, learned.Weight);
        Assert.Equal(Math.Sqrt(((3 * 0.35 * 0.35) + (3 * Math.Pow(Math.Log(2) / 2, 2))) / 6), learned.Spread, 6);
    }

    [Fact]
    public void A_run_counts_half_after_ninety_days_and_one_run_alone_never_more_than_a_factor_of_four_and_a_half()
    {
        Assert.Equal(0.5, LearnedFactor.Of([Miss.Of(Now.AddDays(-90), 2, 1)], Unknown, Now).Weight, 6);
        Assert.Equal(Miss.Most, Miss.Of(Now, 1000, 1).Log);
        Assert.Equal(-Miss.Most, Miss.Of(Now, 1, 1000).Log);
    }

    [Fact]
    public void What_is_not_known_of_a_machine_is_taken_from_its_gpu_and_of_a_gpu_from_all_of_them()
    {
        var own = Own(Run("m1", "RTX 4090", 0.5), Run("m1", "RTX 4090", 0.5), Run("m2", "RTX 3090", 1));
        var (here, elsewhere, otherGpu) = (own.Pace("m1", "RTX 4090")!.Factor, own.Pace("m9", "RTX 4090")!.Factor, own.Pace("m9", "L40S")!.Factor);
        Assert.True(here > elsewhere && elsewhere > otherGpu && otherGpu > 1, $"{here}, {elsewhere}, {otherGpu}");
        Assert.Null(Own().Pace("m1", "RTX 4090"));
    }

    [Fact]
    public void A_wire_is_believed_as_it_was_measured_the_more_often_it_was()
    {
        var advertised = Offer with { DownloadMbps = 1000 };
        var once = HostScorecard.Of([Downloaded(70)], Now)!.Applied(advertised).DownloadMbps!.Value;
        Assert.Equal(1000 * Math.Pow(0.1, 1 / 4.0), (double)once, 3); // 70 measured is a speed test of 100, which weighs one of four
        var often = HostScorecard.Of(Enumerable.Repeat(Downloaded(70), 9), Now)!.Applied(advertised).DownloadMbps!.Value;
        Assert.Equal(1000 * Math.Pow(0.1, 9 / 12.0), (double)often, 3);
        Assert.Equal(100, (double)HostScorecard.Of([Downloaded(70)], Now)!.Applied(Offer with { DownloadMbps = null }).DownloadMbps!.Value, 3);
    }

    [Fact]
    public void An_estimated_time_follows_our_own_runs_and_a_persons_own_limit_does_not()
    {
        var slow = Offer with { Pace = new LearnedFactor(1.5, 0.1, 10) };
        var estimated = new Workload(4, TimeSpan.FromHours(2)) { IsEstimated = true };
        var total = ExpectedTotal.Of(estimated, slow);
        Assert.Equal(TimeSpan.FromHours(3), total.Training);
        Assert.Equal(Math.Exp(-0.128), total.Band.Low, 6); // and its band is ours, not that of a first estimate
        Assert.Equal(TimeSpan.FromHours(2), ExpectedTotal.Of(estimated with { IsEstimated = false }, slow).Training);
    }

    private static readonly Offer Offer = new()
    {
        Id = "1", MachineId = "m1", GpuName = "RTX 4090", GpuCount = 1, VramMb = 24_564, Rental = RentalType.OnDemand, GpuRate = HourlyRate.FromUsd(0.4m), DiskRate = HourlyRate.Zero,
        StorageUsdPerGbMonth = 0, DownloadPerGb = Money.Zero, UploadPerGb = Money.Zero, DiskGb = 100, Reliability = 0.9m, DownloadMbps = 500,
    };

    private static HostRun Downloaded(double mbps) => new(Now, TimeSpan.FromMinutes(1), StopReason.Finished, mbps);

    private static PaceRun Run(string machine, string gpu, double speed) => new(machine, gpu, Now, speed);

    private static OwnRuns Own(params PaceRun[] runs) => new(new Dictionary<string, HostScorecard>(), runs, Now);
}
