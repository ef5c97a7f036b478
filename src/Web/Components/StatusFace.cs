using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;

namespace Dashboard.Web.Components;

/// <summary>How a status is shown everywhere: colour, icon and word together.</summary>
/// <param name="Tone">Name of the colour token.</param>
public sealed record StatusFace(string Tone, string Glyph, string Word)
{
    public static StatusFace Of(JobStatus status) => status switch
    {
        JobStatus.Submitted => new("move", Glyphs.Pending, "Submitted"),
        JobStatus.AwaitingApproval => new("wait", Glyphs.HowToReg, "Awaiting approval"),
        JobStatus.WaitingForPrice => new("wait", Glyphs.Sell, "Waiting for price"),
        JobStatus.Provisioning => new("move", Glyphs.Pending, "Provisioning"),
        JobStatus.Starting => new("move", Glyphs.Pending, "Starting"),
        JobStatus.Running => new("run", Glyphs.PlayCircle, "Running"),
        JobStatus.Collecting => new("move", Glyphs.Download, "Collecting"),
        JobStatus.Terminating => new("off", Glyphs.Power, "Terminating"),
        JobStatus.Paused => new("warn", Glyphs.PauseCircle, "Paused"),
        JobStatus.Succeeded => new("ok", Glyphs.CheckCircle, "Succeeded"),
        JobStatus.Failed => new("bad", Glyphs.Dangerous, "Failed"),
        JobStatus.Cancelled => new("off", Glyphs.Block, "Cancelled"),
    };

    /// <summary>A job whose machine is stopped by another renter: it does not run, and has not ended.</summary>
    public static StatusFace Outbid { get; } = new("warn", Glyphs.PauseCircle, "Outbid");

    /// <summary>A job whose machine a person has stopped and keeps.</summary>
    public static StatusFace Parked { get; } = new("warn", Glyphs.PauseCircle, "Stopped, kept");

    public static StatusFace Of(InstanceStatus status) => status switch
    {
        InstanceStatus.Intent => new("move", Glyphs.Pending, "About to rent"),
        InstanceStatus.Sent => new("move", Glyphs.Pending, "Renting"),
        InstanceStatus.Unknown => new("warn", Glyphs.Help, "Unknown"),
        InstanceStatus.Booting => new("move", Glyphs.Pending, "Booting"),
        InstanceStatus.Rejected => new("off", Glyphs.Block, "Not rented"),
        InstanceStatus.Ready => new("move", Glyphs.Pending, "Setting up"),
        InstanceStatus.Running => new("run", Glyphs.PlayCircle, "Running"),
        InstanceStatus.Interrupted => new("warn", Glyphs.PauseCircle, "Outbid, kept"),
        InstanceStatus.Parked => Parked,
        InstanceStatus.Draining => new("move", Glyphs.Download, "Collecting"),
        InstanceStatus.Destroying => new("off", Glyphs.Power, "Destroying"),
        InstanceStatus.Gone => new("off", Glyphs.Check, "Gone"),
    };
}
