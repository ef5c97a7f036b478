using Dashboard.Domain.Jobs;
using Dashboard.Sandbox.Market;
using Dashboard.Simulation.Crashes;
using Dashboard.Simulation.Faults;
using Dashboard.Simulation.Harness;
using Dashboard.Simulation.Provider;

namespace Dashboard.Simulation;

/// <summary>Schedules that once broke a promise, by what they broke.</summary>
public sealed class RegressionTests
{
    /// <summary>It was billed on, although complete listings lacked it, because the bill ended with the first destroy that was answered.</summary>
    [Fact]
    public void A_machine_whose_destroy_was_done_and_never_answered_is_not_billed_on() => Holds("destroy: answer lost");

    /// <summary>It answered over SSH all the while, and its time was not metered because the provider had lost sight of it.</summary>
    [Fact]
    public void A_machine_that_answers_is_billed_although_the_provider_has_lost_sight_of_it() => Holds(new Schedule("silent host", 204)
    {
        Faults = [FaultTable.Named("host without heartbeat")],
        Crashes = [new CrashPlan(CrashPoints.Named("before attach key"), 3) { Away = TimeSpan.FromSeconds(6), Frozen = TimeSpan.FromSeconds(118) }],
        Jobs = [new JobPlan(), new JobPlan { SubmittedAfter = TimeSpan.FromSeconds(29) }],
    });

    /// <summary>Its end was told under the key of its pause, which an index refused for ever.</summary>
    [Theory]
    [InlineData("rent: too little credit")]
    [InlineData("credit runs out")]
    public void A_paused_job_can_be_stopped(string fault) =>
        Holds(new Schedule($"stopped while paused: {fault}", 1) { Faults = [FaultTable.Named(fault)], Cancels = [(TimeSpan.FromMinutes(8), CancelMode.SaveThenDestroy)], QuietAfter = TimeSpan.FromMinutes(9) });

    /// <summary>Each ask put the end of its bill off, and no listing in between counted as a start.</summary>
    [Fact]
    public void A_container_that_comes_up_after_its_destroy_was_accepted_is_billed() =>
        Holds([.. Enumerable.Range(0, 8).Select(seed => Stopped(seed, "destroy lags, four minutes"))]);

    /// <summary>A wish to stop made every step due at once, those too that could only ask again.</summary>
    [Fact]
    public void A_stopped_job_whose_rent_is_in_doubt_asks_no_more_often_than_another() =>
        Holds([.. Enumerable.Range(0, 4).Select(seed => Stopped(seed, "rent: request lost"))]);

    /// <summary>The next listing and the next steps waited for the clock to catch up, ten minutes in which strays billed and programs that had ended were not seen to.</summary>
    [Fact]
    public void A_clock_that_was_set_back_keeps_nothing_waiting() =>
        Holds(new Schedule("late rent, clock set back", 8105) { Faults = [FaultTable.Named("rent: arrives four minutes late"), FaultTable.Named("clock jumps back"), FaultTable.Named("container cannot be made")] });

    /// <summary>The half minute in which the call had not failed yet counted as time in which the machine had been looked for.</summary>
    [Fact]
    public void A_machine_that_is_made_and_listed_late_is_waited_for() =>
        Holds([.. Enumerable.Range(0, 4).Select(seed => new Schedule($"made and listed late, {seed}", seed) { Faults = [FaultTable.Named("rent: arrives after the caller gave up"), FaultTable.Named("listed 90 s late")] })]);

    /// <summary>Its answer was dropped, since another server had taken the row, and that one's last look came before the machine was listed.</summary>
    [Fact]
    public void A_server_that_stood_still_over_its_rent_call_still_says_which_machine_it_made() =>
        Holds([.. Enumerable.Range(110, 30).Select(seconds => new Schedule($"stood still for {seconds} s before its rent call", seconds)
        {
            Faults = [],
            Crashes = [new CrashPlan(CrashPoints.Named("before rent"), 1) { Away = TimeSpan.FromSeconds(11), Frozen = TimeSpan.FromSeconds(seconds) }],
        })]);

    /// <summary>Its machine's next step was due by a clock that was set back before the next server came: nobody looked at a program that had ended for ten minutes.</summary>
    [Fact]
    public void A_clock_that_was_set_back_while_no_server_ran_keeps_no_machine_waiting()
    {
        var outcome = Runner.Tell(new Schedule("clock set back while away", 7)
        {
            Faults = [FaultTable.Named("clock jumps back")],
            Crashes = [new CrashPlan(CrashPoints.Named("after commit: instance Running"), 1) { Away = TimeSpan.FromSeconds(30) }],
        });

        Assert.Empty(outcome.Violations);
        Assert.Matches(@"00:0[01]:\d\d\.\d+ +Product +server 2: The program finished\.", outcome.Story.ToString());
    }

    /// <summary>A destroy that was answered after the machine was proven gone made its row due again, and a row that is over was due at every instant from then on.</summary>
    [Fact]
    public void A_row_that_is_over_is_never_due() =>
        Holds(new Schedule("destroy answered after the proof", 14944)
        {
            Faults = [FaultTable.Named("contract about to end"), FaultTable.Named("container cannot be made"), FaultTable.Named("listings come late")],
            Jobs = [new JobPlan(), new JobPlan { SubmittedAfter = TimeSpan.FromSeconds(39) }],
        });

    /// <summary>By the clock its time was over, though nobody had looked: each machine that came up meanwhile was given up unseen.</summary>
    [Fact]
    public void A_machine_that_comes_up_while_no_server_runs_is_used() =>
        UsesItsFirstMachine(new Schedule("away while it boots", 3) { Crashes = [new CrashPlan(CrashPoints.Named("after commit: instance Booting"), 1) { Away = TimeSpan.FromMinutes(30) }] });

    /// <summary>The time without a server counted as the machine's silence: one look that failed, right after the start, ended a run of hours.</summary>
    [Fact]
    public void A_machine_that_does_not_answer_right_after_an_outage_of_the_server_is_waited_for() =>
        UsesItsFirstMachine(new Schedule("away while it runs", 3)
        {
            Jobs = [new JobPlan { Runs = TimeSpan.FromMinutes(25) }],
            Crashes = [new CrashPlan(CrashPoints.Named("after commit: instance Running"), 1) { Away = TimeSpan.FromMinutes(20) }],
            Faults = [new Fault("offline as the next server starts", "11", f => f.When(Moment.Started, TimeSpan.FromMinutes(19.5), InstanceFault.HostOffline, TimeSpan.FromMinutes(1)))],
        });

    /// <summary>The first listing without it was forgotten when it was asked to go, so that its bill went on to the middle of an outage.</summary>
    [Fact]
    public void A_machine_that_vanished_is_billed_up_to_the_first_listing_without_it() =>
        Holds([.. new[] { 14, 23, 35 }.Select(seed => new Schedule($"vanished, then away, {seed}", seed)
        {
            Jobs = [new JobPlan { Runs = TimeSpan.FromMinutes(2) }],
            Faults = [FaultTable.Named("host removes the machine")],
            Crashes = [new CrashPlan(CrashPoints.Named("before look"), 3) { Away = TimeSpan.FromMinutes(4) }],
        })]);

    /// <summary>Outbid a second before it was stopped: each destroy that was accepted and not done put the end of its GPU's bill off.</summary>
    [Fact]
    public void A_machine_that_stands_still_while_its_destroy_lags_bills_no_gpu() =>
        Holds(new Schedule("outbid, stopped, and slow to go", 6441)
        {
            Faults = [FaultTable.Named("outbid and back"), FaultTable.Named("destroy lags")],
            Cancels = [(TimeSpan.FromSeconds(46), CancelMode.DestroyNow)],
        });

    /// <summary>Stopped while its rent was in doubt, it was destroyed by its label before any listing had shown that it ran.</summary>
    [Fact]
    public void A_machine_that_no_listing_showed_before_its_end_is_billed_for_what_it_ran() =>
        Holds([.. Enumerable.Range(0, 6).Select(seed => new Schedule($"stopped in doubt, {seed}", seed)
        {
            Faults = [FaultTable.Named("rented as a bid"), FaultTable.Named("rent: answer lost, listings cut short")],
            Cancels = [(TimeSpan.FromSeconds(43), CancelMode.SaveThenDestroy)],
        })]);

    [Fact]
    public void A_machine_is_asked_to_go_whatever_becomes_of_the_look_before()
    {
        var outcome = Runner.Tell(new Schedule("stopped in doubt, reads by id fail oddly", 0)
        {
            Faults =
            [
                FaultTable.Named("rented as a bid"), FaultTable.Named("rent: answer lost, listings cut short"),
                new Fault("reads by id fail oddly", "20", f => f.For(TimeSpan.FromHours(1), [ProviderCall.Get], new("an odd answer") { Lost = true, Throws = () => new InvalidOperationException("odd") }, blind: false)),
            ],
            Cancels = [(TimeSpan.FromSeconds(43), CancelMode.SaveThenDestroy)],
        });

        var untilAsked = outcome.Story.ToString().Split("is Destroying")[1].Split(": accepted");
        Assert.True(untilAsked.Length > 1, "it was asked to go");
        Assert.DoesNotContain("failed and is tried again", untilAsked[0], StringComparison.Ordinal);
    }

    /// <summary>One look that failed while the provider had lost sight of it ended its meter, and the answers after that did not begin it anew.</summary>
    [Fact]
    public void A_machine_that_answers_again_while_the_provider_has_lost_sight_of_it_is_billed_on() =>
        Holds([.. Enumerable.Range(30, 5).Select(seed => new Schedule($"silent host, session cut, {seed}", seed)
        {
            Faults = [FaultTable.Named("host without heartbeat"), FaultTable.Named("session cut")],
            Crashes = [new CrashPlan(CrashPoints.Named("before collect"), 1) { Away = TimeSpan.FromSeconds(9) }],
            Jobs = [new JobPlan { Runs = TimeSpan.FromSeconds(25 + (seed % 5)) }],
        })]);

    /// <summary>Its host was gone, and a minute that was metered because it had answered shortly before was not taken back.</summary>
    [Fact]
    public void A_machine_whose_host_is_gone_is_billed_up_to_its_last_answer() =>
        Holds(Schedules.Random(19916));

    private static void UsesItsFirstMachine(Schedule schedule)
    {
        var outcome = Runner.Tell(schedule with { Arrange = world => GoOn(world) });

        Assert.Empty(outcome.Violations);
        Assert.DoesNotContain("attempt 2", outcome.Story.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The market goes on while nobody looks.</summary>
    private static void GoOn(World world)
    {
        world.AdvanceMarket();
        if (world.Time.Elapsed < TimeSpan.FromMinutes(40).Ticks)
        {
            world.Time.At(TimeSpan.FromSeconds(5), () => GoOn(world));
        }
    }

    private static Schedule Stopped(int seed, string fault) =>
        new($"stopped after {3 + seed} s: {fault}", seed) { Faults = [FaultTable.Named(fault)], Cancels = [(TimeSpan.FromSeconds(3 + seed), CancelMode.DestroyNow)] };

    private static void Holds(string fault)
    {
        var index = FaultTable.All.ToList().FindIndex(entry => entry.Name == fault);

        Holds(Schedules.OnlyFault(index));
    }

    private static void Holds(params IReadOnlyList<Schedule> schedules)
    {
        var tally = Runner.Run(schedules);

        Assert.True(tally.Failed.Count == 0, tally.Words());
    }
}
