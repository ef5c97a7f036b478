using Dashboard.Domain.Jobs;
using static Dashboard.Domain.Jobs.JobStatus;
using static Dashboard.Domain.Jobs.StopReason;

namespace Dashboard.Domain.Tests.Jobs;

public sealed class JobRulesTests
{
    private static readonly StateTable<JobStatus> Table = new(JobRules.MayMove);

    public static TheoryData<JobStatus> Statuses => [.. Enum.GetValues<JobStatus>()];

    public static TheoryData<StopReason> Reasons => [.. Enum.GetValues<StopReason>()];

    [Fact]
    public void A_job_moves_exactly_as_written_down() => Assert.Equal(
        [
            "Submitted → AwaitingApproval", "Submitted → WaitingForPrice", "Submitted → Provisioning", "Submitted → Failed", "Submitted → Cancelled",
            "AwaitingApproval → Submitted", "AwaitingApproval → Failed", "AwaitingApproval → Cancelled",
            "WaitingForPrice → Submitted", "WaitingForPrice → Provisioning", "WaitingForPrice → Failed", "WaitingForPrice → Cancelled",
            "Provisioning → WaitingForPrice", "Provisioning → Starting", "Provisioning → Terminating", "Provisioning → Paused", "Provisioning → Failed", "Provisioning → Cancelled",
            "Starting → Running", "Starting → Collecting", "Starting → Terminating",
            "Running → Collecting", "Running → Terminating",
            "Collecting → Terminating",
            "Terminating → Provisioning", "Terminating → Paused", "Terminating → Succeeded", "Terminating → Failed", "Terminating → Cancelled",
            "Paused → Submitted", "Paused → Cancelled",
        ],
        Table.Moves);

    [Theory]
    [MemberData(nameof(Statuses))]
    public void A_final_status_is_never_left_and_every_other_can_be(JobStatus status) =>
        Assert.Equal(JobRules.IsFinal(status), Table.ReachableFrom(status).Count == 1);

    [Theory]
    [MemberData(nameof(Statuses))]
    public void Every_job_can_still_end_cancelled_unless_it_has_ended(JobStatus status) =>
        Assert.Equal(!JobRules.IsFinal(status) || status == Cancelled, Table.ReachableFrom(status).Contains(Cancelled));

    [Theory]
    [MemberData(nameof(Statuses))]
    public void Every_status_can_be_reached_from_submission(JobStatus status) => Assert.Contains(status, Table.ReachableFrom(Submitted));

    [Theory]
    [InlineData(Starting)]
    [InlineData(Running)]
    [InlineData(Collecting)]
    public void A_job_with_a_machine_ends_only_through_its_destruction(JobStatus status)
    {
        var withoutDestruction = new StateTable<JobStatus>((from, to) => JobRules.MayMove(from, to) && to != Terminating);
        Assert.DoesNotContain(withoutDestruction.ReachableFrom(status), JobRules.IsFinal);
    }

    [Fact]
    public void Only_budget_and_credit_pause_a_job_and_money_submits_it_again()
    {
        Assert.Equal([BudgetExhausted, CreditExhausted], Enum.GetValues<StopReason>().Where(reason => JobRules.AfterAttempt(reason, another: true) == Paused));
        Assert.True(JobRules.MayMove(Paused, Submitted));
    }

    [Fact]
    public void After_an_attempt_the_reason_and_the_retry_policy_decide() => Assert.Equal(
        [
            "Finished: Succeeded", "CancelledByUser: Cancelled", "BudgetExhausted: Paused", "CreditExhausted: Paused", "DeadlineReached: Failed",
            "ScriptFailed: Provisioning, or Failed", "OutOfMemory: Failed", "DiskFull: Failed", "Diverged: Failed", "Hung: Provisioning, or Failed",
            "NoCapacity: Provisioning, or Failed", "StartFailed: Provisioning, or Failed", "Interrupted: Provisioning, or Failed", "HostLost: Provisioning, or Failed",
            "HostKeyChanged: Provisioning, or Failed", "ArtifactMissing: Failed", "ConnectionBroken: Failed", "PriceNotReached: Cancelled", "Declined: Cancelled",
        ],
        Enum.GetValues<StopReason>().Select(reason => (reason, Again: JobRules.AfterAttempt(reason, another: true), Last: JobRules.AfterAttempt(reason, another: false)))
            .Select(row => row.Again == row.Last ? $"{row.reason}: {row.Last}" : $"{row.reason}: {row.Again}, or {row.Last}"));

    [Theory]
    [MemberData(nameof(Reasons))]
    public void What_follows_an_attempt_is_a_move_that_destruction_allows(StopReason reason)
    {
        Assert.True(JobRules.MayMove(Terminating, JobRules.AfterAttempt(reason, another: true)));
        Assert.True(JobRules.MayMove(Terminating, JobRules.AfterAttempt(reason, another: false)));
    }

    [Theory]
    [MemberData(nameof(Reasons))]
    public void Without_another_attempt_a_job_does_not_look_for_a_machine(StopReason reason) =>
        Assert.NotEqual(Provisioning, JobRules.AfterAttempt(reason, another: false));

    [Theory]
    [MemberData(nameof(Statuses))]
    public void A_person_may_stop_everything_but_what_has_ended_or_is_being_destroyed(JobStatus status) =>
        Assert.Equal(!JobRules.IsFinal(status) && status != Terminating, JobRules.MayCancel(status));

    [Theory]
    [MemberData(nameof(Statuses))]
    public void A_job_is_active_until_it_ends_or_pauses(JobStatus status) =>
        Assert.Equal(!JobRules.IsFinal(status) && status != Paused, JobRules.IsActive(status));
}
