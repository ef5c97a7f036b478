using static Dashboard.Domain.Instances.InstanceStatus;

namespace Dashboard.Domain.Instances;

/// <summary>Where our row of one rent call is.</summary>
public enum InstanceStatus
{
    /// <summary>Written down; the rent call was not made.</summary>
    Intent,

    /// <summary>The call may be on its way. After a crash: settle by label.</summary>
    Sent,

    /// <summary>The answer was unclear; the label is being looked up.</summary>
    Unknown,

    /// <summary>The provider has a contract; it is coming up.</summary>
    Booting,

    /// <summary>Final: nothing was rented.</summary>
    Rejected,

    /// <summary>SSH answers; it is being set up.</summary>
    Ready,

    /// <summary>The supervisor runs our program.</summary>
    Running,

    /// <summary>Stopped by somebody else, kept for a while: it may come back. Not working: a continuation elsewhere may be rented.</summary>
    Interrupted,

    /// <summary>Stopped because a person asked for it, its disk kept until a day the person named. It is this job's machine: no other one is rented.</summary>
    Parked,

    /// <summary>The program ended or is to end; its files come home.</summary>
    Draining,

    /// <summary>Asked to be destroyed, and asked again until it is proven gone.</summary>
    Destroying,

    /// <summary>Final: two complete listings without it.</summary>
    Gone,
}

/// <summary>The instance's state table.</summary>
public static class InstanceRules
{
    public static bool MayMove(InstanceStatus from, InstanceStatus to) => from switch
    {
        Intent => to is Sent or Rejected,
        Sent => to is Unknown or Booting or Rejected or Destroying,
        Unknown => to is Booting or Rejected or Destroying,
        Booting => to is Ready or Destroying,
        Ready => to is Running or Draining or Destroying,
        Running => to is Interrupted or Parked or Draining or Destroying,
        Interrupted or Parked => to is Running or Destroying,
        Draining => to is Destroying,
        Destroying => to is Gone,
        Rejected or Gone => false,
    };

    public static bool IsFinal(InstanceStatus status) => status is Rejected or Gone;

    /// <summary>At most one of these per job, held by a filtered unique index: renting twice is a constraint error.</summary>
    public static bool IsWorking(InstanceStatus status) => status is Intent or Sent or Unknown or Booting or Ready or Running or Parked;

    /// <summary>Whether the provider may be billing for it.</summary>
    public static bool MayBill(InstanceStatus status) => status is not (Intent or Rejected or Gone);

    /// <summary>Whether the reconciler looks every two seconds instead of every fifteen.</summary>
    public static bool IsMoving(InstanceStatus status) => status is Sent or Unknown or Booting or Ready or Interrupted or Draining or Destroying;
}
