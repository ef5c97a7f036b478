using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Web.Components;

namespace Dashboard.Web.Features.Jobs;

/// <summary>One honest way to stop a job: what it does, what is lost, what it still costs. Nothing costs anything afterwards: both ways end without a machine.</summary>
/// <param name="Loses">What is lost, first in its sentence; null: nothing.</param>
/// <param name="Now">Most that the way itself may still cost.</param>
/// <param name="Verb">For the button.</param>
public sealed record StopChoice(CancelMode Mode, string Title, string? Badge, string? Loses, string Detail, Money? Now, string Verb)
{
    /// <summary>The runner ends a program that has not written its checkpoint within this time.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(120);

    /// <summary>The ways there are, the safe one first. Empty: it has ended, or only its destruction is left.</summary>
    public static IReadOnlyList<StopChoice> For(JobView job, DateTimeOffset now)
    {
        if (!JobRules.MayCancel(job.Status) || job.Cancel == CancelMode.DestroyNow)
        {
            return [];
        }

        if (job.Status is JobStatus.Submitted or JobStatus.AwaitingApproval or JobStatus.WaitingForPrice or JobStatus.Paused || job.LastMachine is null)
        {
            return [new(CancelMode.SaveThenDestroy, "Cancel it", "costs nothing", null, job.FileCount > 0 ? "It has no machine. What is at home stays." : "It has no machine yet and nothing is lost.", null, "Cancel the job")];
        }

        var destroy = new StopChoice(CancelMode.DestroyNow, "Destroy now", null, Lost(job), Kept(job), null, "Destroy now");
        if (job.Cancel == CancelMode.SaveThenDestroy || job.Status == JobStatus.Collecting)
        {
            return [destroy]; // saving is under way already
        }

        if (job.Status is JobStatus.Provisioning or JobStatus.Starting)
        {
            return [destroy with { Badge = "costs nothing after", Loses = null, Detail = "Its program has not started; nothing is lost." }];
        }

        var saves = job.Spec.Command is null
            ? "Writes a checkpoint, brings it home, then destroys the machine. You can go on later anywhere."
            : "Asks the script to end, brings home the files it named, then destroys the machine.";
        return [new(CancelMode.SaveThenDestroy, "Save, then destroy", "costs nothing after", null, saves, job.RunningRate.For(Grace), "Save and destroy"), destroy];
    }

    /// <summary>What it is doing, the beginning of a sentence that goes on with its cost.</summary>
    public static string WhatItDoes(JobView job) => job.Status switch
    {
        JobStatus.Submitted or JobStatus.Provisioning when job.LastMachine is null => "It is looking for a machine",
        JobStatus.AwaitingApproval => "It waits for somebody to approve it",
        JobStatus.WaitingForPrice => "It waits for a cheaper machine",
        JobStatus.Submitted or JobStatus.Provisioning or JobStatus.Starting => $"Its {job.LastMachine?.GpuName ?? "machine"} is starting",
        JobStatus.Running when job.LastAttempt is { Step: { } step, TotalSteps: { } total } => $"It is at step {Numbers.Count(step)} of {Numbers.Count(total)}",
        JobStatus.Running => "It is running",
        JobStatus.Collecting => "Its files are coming home, after which it ends by itself,",
        JobStatus.Terminating => "Its machine is being destroyed",
        JobStatus.Paused => "It is paused, has no machine",
        JobStatus.Succeeded => "It has ended meanwhile and succeeded",
        JobStatus.Failed => "It has ended meanwhile and failed",
        JobStatus.Cancelled => "It has been stopped",
    };

    private static string? Lost(JobView job)
    {
        if (job.Spec.Command is not null)
        {
            return "Loses what the script has written";
        }

        if (job.LastAttempt is not { Step: > 0 and { } step } attempt)
        {
            return null;
        }

        var steps = Math.Max(0, step - (job.CheckpointAtHome ?? 0));
        if (steps == 0)
        {
            return null;
        }

        var worth = attempt.SecondsPerStep is { } seconds && job.Meter is not null ? $" ≈ {Numbers.Amount(job.RunningRate.For(TimeSpan.FromSeconds(steps * seconds)))} of work" : "";
        return $"Loses {Numbers.Count(steps)} {(steps == 1 ? "step" : "steps")}{(worth.Length > 0 ? "," : "")}{worth}.";
    }

    private static string Kept(JobView job) => job switch
    {
        { Spec.Command: not null } => "; its files come home only when it ends.",
        { CheckpointAtHome: { } step } => $"checkpoint-{step} is at home and stays.",
        _ => "No checkpoint is at home yet.",
    };
}
