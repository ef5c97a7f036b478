using Dashboard.Domain.Costs;
using static Dashboard.Domain.Jobs.StopReason;

namespace Dashboard.Domain.Jobs;

/// <summary>The words for how a job or an attempt ended: what happened, what it cost, what to do.</summary>
public static class Endings
{
    /// <summary>How the supervisor's own reasons on the machine map to ours. The exit file is the only proof of an end.</summary>
    /// <param name="reason"><c>done, failed, stopped, preempted, lease, disk, gpu-oom, host-oom, crash-loop, bad-bundle, missing-package, no-gpu</c>.</param>
    /// <param name="asked">Why we asked it to stop; null when we did not.</param>
    public static StopReason FromMachine(string reason, StopReason? asked) => reason switch
    {
        "done" => Finished,
        "stopped" or "preempted" => asked ?? Interrupted,
        "lease" => asked ?? HostLost,
        "disk" => DiskFull,
        "gpu-oom" or "host-oom" => OutOfMemory,
        "bad-bundle" or "no-gpu" => StartFailed,
        _ => asked is CancelledByUser ? CancelledByUser : ScriptFailed,
    };

    /// <summary>Three sentences.</summary>
    /// <param name="what">What happened, one sentence with its stop, from the step that saw it.</param>
    public static Said Message(StopReason reason, Said what, Money cost) => what + ItCost(cost) + $" {WhatToDo(reason)}";

    /// <summary>A sentence, with the space before it.</summary>
    public static Said ItCost(Money cost) => Said.Money($" It cost {cost.Words()}.");

    /// <summary>One sentence without blame.</summary>
    public static string WhatToDo(StopReason reason) => reason switch
    {
        Finished => "Its files are at home.",
        CancelledByUser => "Start it again whenever you like.",
        BudgetExhausted => "Raise the limit or leave it; what was saved is at home.",
        CreditExhausted => "Add funds at the provider; it goes on then.",
        DeadlineReached => "Raise the time limit to let it go further.",
        ScriptFailed => "Look at the end of its log, mend the script and start it again.",
        OutOfMemory => "Use a smaller batch or a GPU with more memory.",
        DiskFull => "Start it again with a larger disk.",
        Diverged => "Try a smaller learning rate.",
        Hung => "Start it again; it will use another machine.",
        NoCapacity => "Relax a requirement, or start it again later.",
        StartFailed => "Start it again; machines that failed are avoided.",
        Interrupted => "Start it again, or rent on demand.",
        HostLost => "Start it again; it will use another machine.",
        HostKeyChanged => "Nothing was sent after the change; start it again on another machine.",
        ArtifactMissing => "Look at the end of its log: the script ended well but its result is not as promised.",
        ConnectionBroken => "Replace the key under Connections, then start it again.",
        PriceNotReached => "Start it again with a higher price or more time, or now.",
        Declined => "Clone it and change what makes it dear.",
    };
}
