using Dashboard.Simulation.Budgets;
using Dashboard.Simulation.Crashes;
using Dashboard.Simulation.Faults;
using Dashboard.Simulation.Harness;

namespace Dashboard.Simulation.Guards;

/// <summary>Each guard of the product, taken away alone, lets something happen that the simulation sees. With the guard in place the same schedules are clean.</summary>
public sealed class GuardTests(ITestOutputHelper output)
{
    [Fact]
    public void Without_the_fence_an_overtaken_server_does_harm() => Bites(Mutant.NoFence, Overtaken());

    [Fact]
    public void Without_the_signature_a_stranger_with_our_label_is_destroyed() => Bites(Mutant.NoSignature, [new Schedule("look-alikes", 5) { Faults = [FaultTable.Named("look-alike machines of somebody else")] }]);

    [Fact]
    public void Without_the_check_of_completeness_a_rented_machine_is_believed_never_rented() =>
        Bites(Mutant.NoCompleteListing, [new Schedule("cut listings", 5) { Faults = [FaultTable.Named("rent: answer lost, listings cut short")] }]);

    [Fact]
    public void Without_holds_a_limit_is_passed() => Bites(Mutant.NoHolds,
    [
        .. from seed in Enumerable.Range(0, 2)
           select new Schedule($"beyond a limit/{seed}", seed) { Caps = [new Cap(0.03m)], Jobs = [new JobPlan { Runs = TimeSpan.FromMinutes(40), MaxRate = 0.6m, MayPause = true }] },
    ]);

    private void Bites(Mutant mutant, IReadOnlyList<Schedule> schedules)
    {
        var guarded = Runner.Run(schedules);
        var mutilated = Runner.Run([.. schedules.Select(schedule => schedule with { Mutant = mutant })]);

        Assert.True(guarded.Failed.Count == 0, guarded.Words());
        Assert.NotEmpty(mutilated.Failed);
        Printed.Line(output, $"guard {mutant}: {mutilated.Failed.Count} of {mutilated.Worlds} schedules break: {mutilated.Failed[0].Violations[0].Invariant}, {mutilated.Failed[0].Violations[0].What}");
    }

    /// <summary>A server stands still after its search while another one does the job; it goes on with the offers of then.</summary>
    private static List<Schedule> Overtaken() =>
    [
        .. from seconds in Enumerable.Range(0, 24)
           select new Schedule($"overtaken/{seconds}", 100 + seconds)
           {
               Horizon = TimeSpan.FromMinutes(10),
               Crashes = [new CrashPlan(CrashPoints.Named("after search"), 1) { Frozen = TimeSpan.FromSeconds(10 + (seconds * 4)) }],
           },
    ];
}
