using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;

namespace Dashboard.Domain.Tests.Jobs;

public sealed class CostToCompleteTests(ITestOutputHelper output)
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
    private static readonly HourlyRate Rate = HourlyRate.FromUsd(0.36m); // a hundredth of a cent a second
    private static readonly CostEstimate Promise = new(Money.FromUsd(2.70m), Money.FromUsd(3m), Money.FromUsd(3.60m), TimeSpan.FromHours(7));

    [Theory]
    [InlineData(0.1, 0.05)]
    [InlineData(0.5, 0.03)]
    public void After_a_tenth_of_the_steps_the_end_is_known_to_a_twentieth_and_the_range_holds_it(double share, double medianError)
    {
        var (errors, held, widths) = (new List<double>(), 0, new List<double>());
        for (var seed = 0; seed < 200; seed++)
        {
            var run = new SimulatedRun(seed);
            var step = (int)Math.Ceiling(run.Total * share);
            var spent = Rate.For(TimeSpan.FromSeconds(run.At(step)));
            var truth = Rate.For(TimeSpan.FromSeconds(run.Seconds));
            var forecast = CostToComplete.Of(new RunSoFar(JobStatus.Running, null, Noon, step, run.Total, run.PaceAt(step), run.EvaluationEvery, null, spent, Rate), Noon)!;

            var more = (truth - spent).Micros;
            errors.Add(Math.Abs((double)(forecast.More.Micros - more) / more));
            held += forecast.Low <= truth && truth <= forecast.High ? 1 : 0;
            widths.Add((double)(forecast.High - forecast.Low).Micros / truth.Micros / 2);
        }

        var (median, width) = (errors.Order().ElementAt(100), widths.Order().ElementAt(100));
        Printed.Line(output, $"Cost to complete after {share:P0} of the steps, 200 simulated runs: median error {median:P1} of what is to come, range (± {width:P1} in the middle) holds {held / 200d:P1}");
        Assert.True(median <= medianError, $"median error {median:P1}");
        Assert.True(held >= 180, $"{held} of 200");
        Assert.True(width <= 0.15, "a range that holds everything says nothing");
    }

    [Fact]
    public void However_long_the_run_what_is_kept_of_it_stays_small()
    {
        var pace = Enumerable.Range(1, 50_000).Aggregate(StepPace.Unknown, (sum, step) => sum.With(new RunSign(step, true, Clock: 1e9 + (step * 0.5))));
        Assert.InRange(pace.Steps.Count, 20, 48);
        Assert.Equal((1, 50_000), (pace.Steps[0], pace.Steps[^1]));
        Assert.Equal(24_999.5, pace.Seconds[^1], 0.001);
    }

    [Fact]
    public void A_program_that_begins_anew_is_measured_anew()
    {
        var pace = Enumerable.Range(1, 100).Aggregate(StepPace.Unknown, (sum, step) => sum.With(new RunSign(step, true, Clock: 1e9 + step)));
        pace = pace.With(new RunSign(51, true, Clock: 1e9 + 500));
        Assert.Equal([51], pace.Steps);
    }

    [Fact]
    public void Before_a_tenth_of_the_steps_the_promise_stands_and_says_when_it_settles()
    {
        var forecast = Of(JobStatus.Running, step: 269, secondsPerStep: 1)!;
        Assert.Equal(270, forecast.SettlesAtStep);
        Assert.Equal(TimeSpan.FromHours(6), forecast.Left); // an hour of the seven has passed
    }

    [Fact]
    public void One_known_speed_decides_where_no_course_of_the_run_is_known()
    {
        var forecast = Of(JobStatus.Running, step: 1_700, secondsPerStep: 3.6)!;
        Assert.Null(forecast.SettlesAtStep);
        Assert.Equal(TimeSpan.FromHours(1), forecast.Left);
        Assert.Equal(Money.FromUsd(0.36m), forecast.More);
        Assert.Equal(Money.FromUsd(1.36m), forecast.Expected);
    }

    [Fact]
    public void Only_what_is_to_come_is_uncertain()
    {
        var forecast = Of(JobStatus.Running, step: 2_700, secondsPerStep: 3.6)!;
        Assert.Equal((Money.FromUsd(1m), Money.FromUsd(1m)), (forecast.Low, forecast.High));
    }

    [Fact]
    public void A_job_that_has_not_started_is_forecast_as_promised()
    {
        var forecast = CostToComplete.Of(new RunSoFar(JobStatus.Provisioning, Promise, null, null, null, StepPace.Unknown, null, null, Money.Zero, HourlyRate.Zero), Noon)!;
        Assert.Equal((Promise.Expected, Promise.Low, Promise.High, Promise.Duration), (forecast.Expected, forecast.Low, forecast.High, forecast.Left));
    }

    [Theory]
    [InlineData(JobStatus.Succeeded)]
    [InlineData(JobStatus.Collecting)]
    public void What_ends_has_no_forecast(JobStatus status) => Assert.Null(Of(status, 1_700, 3.6));

    private static CostToComplete? Of(JobStatus status, int step, double secondsPerStep) =>
        CostToComplete.Of(new RunSoFar(status, Promise, Noon.AddHours(-1), step, 2_700, StepPace.Unknown, 50, secondsPerStep, Money.FromUsd(1m), Rate), Noon);
}
