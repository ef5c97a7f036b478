using Dashboard.Domain.Jobs;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>What a look at the machine says about the attempt.</summary>
internal static class RunNotes
{
    /// <summary>A machine that nobody could see for so long is given that time back.</summary>
    private static readonly TimeSpan Unseen = TimeSpan.FromSeconds(30);

    /// <param name="seenBefore">When the machine last answered before this look.</param>
    public static void Take(Job job, Attempt attempt, RunLook look, DateTimeOffset? seenBefore, DateTimeOffset now)
    {
        attempt.Health = HealthAfter(job, attempt.Health, look, seenBefore, now);
        attempt.Pace = look.Progress.Signs.Aggregate(attempt.Pace, (pace, sign) => pace.With(sign));
        if (look.Beat is { } beat)
        {
            (attempt.BeatAt, attempt.Phase) = (now, beat.Phase ?? attempt.Phase);
        }

        var p = look.Progress;
        attempt.Step = p.Step ?? (look.Beat?.Step > (attempt.Step ?? 0) ? look.Beat.Step : attempt.Step); // a beat before the first step knows nothing of the steps it goes on from
        attempt.CheckpointMade = p.Checkpoint ?? attempt.CheckpointMade;
        attempt.TotalSteps = p.TotalSteps ?? attempt.TotalSteps;
        attempt.Tokens = p.Tokens ?? attempt.Tokens;
        attempt.Loss = p.Loss ?? attempt.Loss;
        attempt.EvalLoss = p.EvalLoss ?? attempt.EvalLoss;
        attempt.SecondsPerStep = p.SecondsPerStep ?? attempt.SecondsPerStep;
        attempt.DownloadMbps = p.DownloadMbps ?? attempt.DownloadMbps;
        attempt.Speed = JobEstimator.SecondsPerStep(job.Spec) is { } estimated && attempt.SecondsPerStep is > 0 and var measured ? estimated / measured : attempt.Speed;
        if (look.LogBytes > 0)
        {
            attempt.FirstLineAt ??= now;
        }
    }

    /// <summary>The run's health with what a look brought.</summary>
    public static RunHealth HealthAfter(Job job, RunHealth health, RunLook look, DateTimeOffset? seenBefore, DateTimeOffset now)
    {
        if (look.Progress.Signs.Count == 0)
        {
            var unseen = seenBefore is { } seen && now - seen > Unseen ? now - seen : TimeSpan.Zero;
            return health with { MovedAt = health.MovedAt is { } moved ? moved + unseen : now };
        }

        return look.Progress.Signs.Aggregate(health, (after, sign) => after.With(sign, HealthRules.Bound(job.Spec, job.Limits.Health, after.FirstLoss), now));
    }

    public static string What(RunExit exit, StopReason reason) => reason switch
    {
        StopReason.Finished => "The program finished.",
        StopReason.OutOfMemory => $"The program ran out of memory{Step(exit)}.",
        StopReason.DiskFull => $"The machine's disk filled up{Step(exit)}.",
        StopReason.StartFailed => $"The machine could not run the program ({exit.Reason}).",
        _ => exit.Signal is { } signal
            ? $"The program was ended by signal {signal}{Step(exit)}."
            : $"The program ended with exit code {exit.Code}{Step(exit)}.",
    };

    private static string Step(RunExit exit) => exit.Step is > 0 and var step ? $" at step {step}" : "";
}
