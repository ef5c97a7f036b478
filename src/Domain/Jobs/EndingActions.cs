using static Dashboard.Domain.Jobs.EndingAction;
using static Dashboard.Domain.Jobs.StopReason;

namespace Dashboard.Domain.Jobs;

/// <summary>What a person can do about an ending.</summary>
public enum EndingAction
{
    /// <summary>Submit the same once more.</summary>
    Again,

    /// <summary>Open the form filled in with it.</summary>
    Clone,
    SeeLogEnd,
    SeeChart,
    SeeAttempt,
    UseFiles,
    ReplaceKey,

    /// <summary>Only the provider's own site can mend it.</summary>
    OpenProvider,
    SeeMarket,
}

/// <summary>The buttons under an ending's message, on the job's page and in the inbox alike.</summary>
public static class EndingActions
{
    /// <summary>The likeliest remedy first; each with the words on its button.</summary>
    public static IReadOnlyList<(EndingAction Action, string Label)> For(StopReason reason) => reason switch
    {
        Finished => [(Clone, "Clone and change")],
        CancelledByUser => [(Again, "Start it again"), (Clone, "Clone and change"), (SeeLogEnd, "Log end")],
        BudgetExhausted => [(Clone, "Clone with another limit"), (UseFiles, "Use what was saved")],
        CreditExhausted => [(OpenProvider, "Add funds"), (Again, "Start it again"), (UseFiles, "Use what was saved")],
        DeadlineReached => [(Clone, "Raise the time limit"), (UseFiles, "Use what was saved")],
        ScriptFailed => [(SeeLogEnd, "Log end"), (Clone, "Change and start again"), (Again, "Retry with the same")],
        OutOfMemory => [(Clone, "Use a smaller batch or more memory"), (SeeLogEnd, "Log end")],
        DiskFull => [(Clone, "Take a larger disk"), (SeeLogEnd, "Log end")],
        Diverged => [(Clone, "Change the learning rate"), (SeeChart, "See chart")],
        Hung => [(Again, "Start again elsewhere"), (SeeLogEnd, "Log end"), (UseFiles, "Use checkpoint")],
        NoCapacity => [(Clone, "Relax a requirement"), (Again, "Look again now"), (SeeMarket, "See the market")],
        StartFailed => [(Again, "Try another machine"), (SeeAttempt, "See attempt"), (SeeLogEnd, "Log end")],
        Interrupted => [(Again, "Start it again"), (SeeAttempt, "See attempt"), (UseFiles, "Use checkpoint")],
        HostLost => [(Again, "Start again elsewhere"), (SeeAttempt, "See attempt"), (UseFiles, "Use checkpoint")],
        HostKeyChanged => [(Again, "Start again elsewhere"), (SeeAttempt, "Compare keys")],
        ArtifactMissing => [(SeeLogEnd, "Log end"), (UseFiles, "Use checkpoint"), (Clone, "Change and start again")],
        ConnectionBroken => [(ReplaceKey, "Replace key"), (OpenProvider, "Open provider"), (Again, "Start it again")],
        Declined => [(Clone, "Clone and change"), (SeeMarket, "See the market")],
        PriceNotReached => [(Clone, "Set another price"), (Again, "Start it now"), (SeeMarket, "See the market")],
    };

    /// <summary>The one action of an inbox line, with its address below the team's. What needs a click of its own, or a sight of the job first, opens the job.</summary>
    public static (string Label, string Path) InInbox(StopReason reason, int job)
    {
        var (action, label) = For(reason)[0];
        return action switch
        {
            Clone => (label, $"/jobs/new?clone={job}"),
            SeeLogEnd => (label, $"/jobs/{job}?tab=console"),
            SeeChart => (label, $"/jobs/{job}?tab=metrics"),
            SeeAttempt => (label, $"/jobs/{job}?tab=events"),
            UseFiles => (label, $"/jobs/{job}?tab=files"),
            ReplaceKey => (label, "/connections"),
            SeeMarket => (label, "/market"),
            Again or OpenProvider => ("See job", $"/jobs/{job}"),
        };
    }
}
