using Dashboard.Domain.Instances;
using static Dashboard.Domain.Instances.InstanceStatus;

namespace Dashboard.Domain.Tests.Instances;

public sealed class InstanceRulesTests
{
    private static readonly StateTable<InstanceStatus> Table = new(InstanceRules.MayMove);

    public static TheoryData<InstanceStatus> Statuses => [.. Enum.GetValues<InstanceStatus>()];

    [Fact]
    public void An_instance_moves_exactly_as_written_down() => Assert.Equal(
        [
            "Intent → Sent", "Intent → Rejected",
            "Sent → Unknown", "Sent → Booting", "Sent → Rejected", "Sent → Destroying",
            "Unknown → Booting", "Unknown → Rejected", "Unknown → Destroying",
            "Booting → Ready", "Booting → Destroying",
            "Ready → Running", "Ready → Draining", "Ready → Destroying",
            "Running → Interrupted", "Running → Parked", "Running → Draining", "Running → Destroying",
            "Interrupted → Running", "Interrupted → Destroying",
            "Parked → Running", "Parked → Destroying",
            "Draining → Destroying",
            "Destroying → Gone",
        ],
        Table.Moves);

    [Theory]
    [MemberData(nameof(Statuses))]
    public void A_final_status_is_never_left_and_every_other_leads_to_one(InstanceStatus status)
    {
        var reachable = Table.ReachableFrom(status);
        Assert.Equal(InstanceRules.IsFinal(status), reachable.Count == 1);
        Assert.Contains(reachable, InstanceRules.IsFinal);
    }

    [Theory]
    [MemberData(nameof(Statuses))]
    public void No_row_goes_back_to_where_it_could_be_rented_a_second_time(InstanceStatus status)
    {
        if (status is not (Intent or Sent))
        {
            Assert.DoesNotContain(Sent, Table.ReachableFrom(status));
            Assert.DoesNotContain(Intent, Table.ReachableFrom(status));
        }
    }

    [Theory]
    [InlineData(Booting)]
    [InlineData(Ready)]
    [InlineData(Running)]
    [InlineData(Interrupted)]
    [InlineData(Parked)]
    [InlineData(Draining)]
    public void A_machine_that_was_ours_is_gone_only_after_it_was_asked_to_be_destroyed(InstanceStatus status)
    {
        var withoutAsking = new StateTable<InstanceStatus>((from, to) => InstanceRules.MayMove(from, to) && to != Destroying);
        Assert.DoesNotContain(withoutAsking.ReachableFrom(status), InstanceRules.IsFinal);
    }

    [Theory]
    [MemberData(nameof(Statuses))]
    public void Whatever_can_still_become_a_machine_may_bill(InstanceStatus status) =>
        Assert.Equal(status is not (Intent or Rejected or Gone), InstanceRules.MayBill(status));

    [Fact]
    public void Rows_that_only_end_do_not_block_the_next_attempt() =>
        Assert.Equal([Intent, Sent, Unknown, Booting, Ready, Running, Parked], StateTable<InstanceStatus>.All.Where(InstanceRules.IsWorking));

    [Theory]
    [MemberData(nameof(Statuses))]
    public void What_changes_by_itself_is_looked_at_often(InstanceStatus status) =>
        Assert.Equal(status is Sent or Unknown or Booting or Ready or Interrupted or Draining or Destroying, InstanceRules.IsMoving(status));
}
