using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;

namespace Dashboard.Domain.Tests.Jobs;

public sealed class HealthRulesTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 27, 12, 0, 0, TimeSpan.Zero);
    private static readonly TrainingSpec Trainer = new() { Preset = Presets.Smoke, Save = new SaveSpec(Steps: 100), Eval = new EvalSpec(Steps: 50) };
    private static readonly TrainingSpec Script = new() { Preset = Presets.Command, Command = new CommandSpec("train", []) };

    [Fact]
    public void A_run_is_hung_after_twenty_usual_steps_but_never_before_a_quarter_of_an_hour()
    {
        Assert.Equal(TimeSpan.FromMinutes(15), Silence(Trainer, step: 7, pace: 8));
        Assert.Equal(TimeSpan.FromMinutes(40), Silence(Trainer, step: 7, pace: 120));
        Assert.Equal(TimeSpan.FromMinutes(30), Silence(Trainer, step: null, pace: null)); // compiling
    }

    [Theory]
    [InlineData(50)] // an evaluation is due
    [InlineData(300)] // a checkpoint is
    [InlineData(900)] // the last evaluation and the export are
    public void Where_an_evaluation_or_a_save_may_be_going_on_it_is_left_alone_for_an_hour(int step) =>
        Assert.Equal(TimeSpan.FromHours(1), Silence(Trainer, step, pace: 8));

    [Fact]
    public void A_run_whose_evaluations_are_long_is_given_twenty_of_them() =>
        Assert.Equal(TimeSpan.FromHours(4), HealthRules.Silence(Trainer, HealthLimits.Default, After(new RunSign(50, false, EvaluationSeconds: 720)), 100, 900, 8));

    [Theory]
    [InlineData("download")]
    [InlineData("load")]
    [InlineData("save")]
    [InlineData("evaluate")]
    public void Other_phases_have_two_hours(string phase) =>
        Assert.Equal(TimeSpan.FromHours(2), HealthRules.Silence(Trainer, HealthLimits.Default, After(new RunSign(null, false, Phase: phase)), 7, 900, 8));

    [Fact]
    public void A_script_that_never_said_what_a_step_is_is_never_hung_unless_a_person_says_after_what()
    {
        Assert.Null(Silence(Script, step: null, pace: null));
        Assert.Equal(TimeSpan.FromMinutes(5), HealthRules.Silence(Script, new HealthLimits(TimeSpan.FromMinutes(5)), RunHealth.Unknown, null, null, null));
        Assert.Null(HealthRules.Silence(Trainer, new HealthLimits(TimeSpan.Zero), RunHealth.Unknown, 7, 900, 8));
    }

    [Fact]
    public void Hung_says_how_long_and_what_was_usual()
    {
        var health = After(new RunSign(900, true, 0.5));

        Assert.Null(HealthRules.Verdict(Trainer, HealthLimits.Default, health, 901, 2_700, 8, Start.AddMinutes(15)));
        Assert.Equal(
            (StopReason.Hung, "No step for 16 min (usual 8 s); stopped at step 901."),
            HealthRules.Verdict(Trainer, HealthLimits.Default, health, 901, 2_700, 8, Start.AddMinutes(16)));
    }

    [Fact]
    public void One_loss_that_is_not_finite_is_forgiven_and_two_in_a_row_are_not()
    {
        var once = After(new RunSign(400, true, 0.8), new RunSign(410, true, NotFinite: true));
        var recovered = After(new RunSign(410, true, NotFinite: true), new RunSign(420, true, 0.8), new RunSign(430, true, NotFinite: true));
        var twice = After(new RunSign(400, true, 0.8), new RunSign(412, true, NotFinite: true), new RunSign(420, true, NotFinite: true));

        Assert.Null(HealthRules.Verdict(Trainer, HealthLimits.Default, once, 410, 900, 1, Start));
        Assert.Null(HealthRules.Verdict(Trainer, HealthLimits.Default, recovered, 430, 900, 1, Start));
        Assert.Equal((StopReason.Diverged, "Loss became NaN at step 412, stopped 8 steps later."), HealthRules.Verdict(Trainer, HealthLimits.Default, twice, 420, 900, 1, Start));
        var hot = Trainer with { Train = Trainer.Train with { Lr = 0.1m } };
        Assert.Contains("Learning rate 0.1 is 10 times the usual.", HealthRules.Verdict(hot, HealthLimits.Default, twice, 420, 900, 1, Start)!.Value.What, StringComparison.Ordinal);
    }

    [Fact]
    public void Five_losses_in_a_row_above_three_times_the_first_are_a_divergence_and_four_are_not()
    {
        var four = Fold(null, 2, 1, 6.1, 6.2, 6.3, 6.4);
        var broken = Fold(null, 2, 1, 6.1, 6.2, 6.3, 6.4, 5.9, 6.5);
        var five = Fold(null, 2, 1, 6.1, 6.2, 6.3, 6.4, 6.5);

        Assert.Null(HealthRules.Verdict(Trainer, HealthLimits.Default, four, 6, 900, 1, Start));
        Assert.Null(HealthRules.Verdict(Trainer, HealthLimits.Default, broken, 8, 900, 1, Start));
        Assert.Equal((StopReason.Diverged, "Loss rose above 6 at step 3 and stayed there, stopped 4 steps later."), HealthRules.Verdict(Trainer, HealthLimits.Default, five, 7, 900, 1, Start));
    }

    [Fact]
    public void A_scripts_own_numbers_are_judged_only_against_a_bound_that_a_person_named()
    {
        Assert.Null(HealthRules.Bound(Script, HealthLimits.Default, 2));
        Assert.Equal(4, HealthRules.Bound(Script, new HealthLimits(MaxLoss: 4), 2));
        Assert.Equal(6, HealthRules.Bound(Trainer, HealthLimits.Default, 2));
    }

    [Fact]
    public void What_is_saved_is_the_rest_of_the_steps_at_the_rate()
    {
        Assert.Equal(Money.FromUsd(0.5m), HealthRules.Saved(1_000, 2_800, 2, HourlyRate.FromUsd(0.5m)));
        Assert.Null(HealthRules.Saved(1_000, null, 2, HourlyRate.FromUsd(0.5m)));
        Assert.Null(HealthRules.Saved(900, 900, 2, HourlyRate.FromUsd(0.5m)));
    }

    private static TimeSpan? Silence(TrainingSpec spec, int? step, double? pace) => HealthRules.Silence(spec, HealthLimits.Default, RunHealth.Unknown, step, 900, pace);

    private static RunHealth After(params RunSign[] signs) => signs.Aggregate(RunHealth.Unknown, (health, sign) => health.With(sign, null, Start));

    /// <summary>Losses of steps 1, 2 and so on.</summary>
    private static RunHealth Fold(double? maxLoss, params double[] losses) => losses.Index().Aggregate(
        RunHealth.Unknown,
        (health, loss) => health.With(new RunSign(loss.Index + 1, true, loss.Item), HealthRules.Bound(Trainer, new HealthLimits(MaxLoss: maxLoss), health.FirstLoss), Start));
}
