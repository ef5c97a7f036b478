using Dashboard.Simulation.Harness;

namespace Dashboard.Simulation.Budgets;

/// <summary>Random jobs at once under two limits, with renewals, crashes and machines that cannot be destroyed for a while.</summary>
public sealed class SpendingTests(ITestOutputHelper output)
{
    [Fact]
    public void No_limit_is_passed_and_no_job_that_fits_is_refused_or_drained()
    {
        var tally = Runner.Run(Sequences(outages: false));

        Tell("destroying works", tally);
        Assert.True(tally.Failed.Count == 0, tally.Words());
        Assert.True(tally.Figures is { Refused: > 0, OutOfMoney: > 0, Succeeded: > 0 }, "the sequences reach what they are about");
    }

    [Fact]
    public void While_destroying_fails_a_limit_is_passed_by_no_more_than_the_rate_times_the_outage()
    {
        var tally = Runner.Run(Sequences(outages: true));

        Tell("destroying fails for a while", tally);
        Assert.True(tally.Failed.Count == 0, tally.Words());
    }

    private void Tell(string which, Tally tally) => Printed.Line(
        output,
        $"spending, {which}: {tally.Worlds} sequences, {tally.Figures.Jobs} jobs, {tally.Figures.Refused} refused, {tally.Figures.OutOfMoney} paused, {tally.Figures.Rents} rent calls, {tally.Failed.Count} violations; a limit was passed by ${tally.Figures.Overspent:0.0000} at most; {tally.Took.TotalSeconds:0} s");

    private static IReadOnlyList<Schedule> Sequences(bool outages) => Size.MyPart(Enumerable.Range(0, Size.SpendingSequences).Where(seed => Schedules.HasOutage(seed) == outages).Select(Schedules.Spending));
}
