using Dashboard.Simulation.Faults;
using Dashboard.Simulation.Harness;

namespace Dashboard.Simulation;

/// <summary>Schedules that once broke a promise, by what they broke.</summary>
public sealed class RegressionTests
{
    /// <summary>It was billed on, although complete listings lacked it, because the bill ended with the first destroy that was answered.</summary>
    [Fact]
    public void A_machine_whose_destroy_was_done_and_never_answered_is_not_billed_on() => Holds("destroy: answer lost");

    /// <summary>It answered over SSH all the while, and its time was not metered because the provider had lost sight of it.</summary>
    [Fact]
    public void A_machine_that_answers_is_billed_although_the_provider_has_lost_sight_of_it() => Holds(Schedules.Random(204));

    private static void Holds(string fault)
    {
        var index = FaultTable.All.ToList().FindIndex(entry => entry.Name == fault);

        Holds(Schedules.OnlyFault(index));
    }

    private static void Holds(Schedule schedule)
    {
        var tally = Runner.Run([schedule]);

        Assert.True(tally.Failed.Count == 0, tally.Words());
    }
}
