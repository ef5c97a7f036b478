using Dashboard.Domain.Costs;
using Dashboard.Domain.Estimates;
using Dashboard.Domain.Jobs;

namespace Dashboard.Domain.Tests.Estimates;

public sealed class EstimateOutcomeTests
{
    [Theory]
    [InlineData(2.69, false)]
    [InlineData(2.70, true)]
    [InlineData(3.20, true)]
    [InlineData(3.21, false)]
    public void The_range_holds_what_lies_in_it_ends_included(double paid, bool held) => Assert.Equal(held, Outcome((decimal)paid).Held);

    [Fact]
    public void The_middle_ratio_is_not_moved_by_one_job_that_went_wrong()
    {
        var score = EstimateScore.Of([Outcome(2.9m), Outcome(3.19m), Outcome(58m)]);
        Assert.Equal((3, 2, 1.1m), (score.Jobs, score.Held, score.Ratio));
        Assert.Equal((Money.FromUsd(8.7m), Money.FromUsd(64.09m)), (score.Expected, score.Paid));
        Assert.Equal(1.05m, EstimateScore.Of([Outcome(2.9m), Outcome(3.19m)]).Ratio);
    }

    [Fact]
    public void Of_no_job_nothing_is_said() => Assert.Equal((null, null), (EstimateScore.Of([]).Share, EstimateScore.Of([]).Ratio));

    [Fact]
    public void A_part_that_nobody_saw_begin_or_end_is_not_known()
    {
        var at = DateTimeOffset.UnixEpoch;
        var moments = new AttemptMoments(at, at.AddSeconds(95), at.AddSeconds(104), at.AddSeconds(164), null);
        Assert.Equal([95d, 9, 60, null], Enum.GetValues<EstimatePart>().Select(part => moments.Took(part)?.TotalSeconds));
        Assert.Null((moments with { Up = at.AddSeconds(200) }).Took(EstimatePart.Download)); // seen late: the program ran before
    }

    private static EstimateOutcome Outcome(decimal paid) => new(new CostEstimate(Money.FromUsd(2.7m), Money.FromUsd(2.9m), Money.FromUsd(3.2m), TimeSpan.FromHours(7)), Money.FromUsd(paid));
}
