using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Tests.Instances;

public sealed class HostScorecardTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 27, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Two_failures_of_late_make_a_machine_bad_and_one_does_not()
    {
        Assert.False(Of(Failed(1)).IsBad);
        Assert.True(Of(Failed(1), Failed(2)).IsBad);
    }

    [Fact]
    public void They_are_forgiven_after_a_fortnight_and_among_many_good_runs()
    {
        Assert.True(Of(Failed(11), Failed(12)).IsBad);
        Assert.False(Of(Failed(14), Failed(15)).IsBad);
        Assert.False(Of([Failed(1), Failed(2), .. Enumerable.Range(1, 8).Select(Good)]).IsBad);
    }

    [Theory]
    [InlineData(StopReason.ScriptFailed)]
    [InlineData(StopReason.Interrupted)]
    [InlineData(StopReason.CancelledByUser)]
    [InlineData(StopReason.Hung)]
    public void What_the_machine_is_not_to_blame_for_counts_as_good(StopReason reason)
    {
        var score = Of(new HostRun(Now, TimeSpan.FromMinutes(1), reason), new HostRun(Now, TimeSpan.FromMinutes(1), reason));
        Assert.Equal((2, false), (score.Good, score.IsBad));
    }

    [Fact]
    public void It_says_how_boots_went_how_fast_it_was_and_what_failed()
    {
        var score = Of(
            new HostRun(Now, TimeSpan.FromSeconds(60), StopReason.Finished, 800, 1.1),
            new HostRun(Now, TimeSpan.FromSeconds(90), StopReason.HostLost, 600, 0.9),
            new HostRun(Now, TimeSpan.FromSeconds(80), StopReason.Finished, 700, 1.0),
            new HostRun(Now, null, StopReason.StartFailed));

        Assert.Equal((3, 1, 2), (score.Booted, score.BootsFailed, score.Good));
        Assert.Equal((TimeSpan.FromSeconds(80), 700, 1.0), (score.ReadyAfter, score.DownloadMbps, score.Speed));
        Assert.Equal([(StopReason.StartFailed, 1), (StopReason.HostLost, 1)], score.Failures);
    }

    [Fact]
    public void The_providers_score_counts_like_three_runs_of_ours()
    {
        var offer = new Offer
        {
            Id = "1", MachineId = "m", GpuName = "RTX 4090", GpuCount = 1, VramMb = 24_564, Rental = RentalType.OnDemand, GpuRate = HourlyRate.FromUsd(0.4m), DiskRate = HourlyRate.Zero,
            StorageUsdPerGbMonth = 0, DownloadPerGb = Money.Zero, UploadPerGb = Money.Zero, DiskGb = 100, Reliability = 0.9m,
        };

        Assert.Equal(0.54m, Of(Failed(0), Failed(0)).Applied(offer).Reliability!.Value, 6); // (3 × 0.9 + 0) of 5
        Assert.Equal(0.925m, Of(Good(0)).Applied(offer).Reliability!.Value, 6);
    }

    [Fact]
    public void A_machine_on_which_nothing_has_happened_yet_has_no_score() => Assert.Null(HostScorecard.Of([new HostRun(Now, null, null)], Now));

    private static HostScorecard Of(params HostRun[] runs) => HostScorecard.Of(runs, Now)!;

    private static HostRun Failed(int daysAgo) => new(Now.AddDays(-daysAgo), null, StopReason.StartFailed);

    private static HostRun Good(int daysAgo) => new(Now.AddDays(-daysAgo), TimeSpan.FromMinutes(1), StopReason.Finished);
}
