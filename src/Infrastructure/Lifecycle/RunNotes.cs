using Dashboard.Domain.Jobs;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>What a look at the machine says about the attempt.</summary>
internal static class RunNotes
{
    public static void Take(Attempt attempt, RunLook look, DateTimeOffset now)
    {
        if (look.Beat is { } beat)
        {
            (attempt.BeatAt, attempt.Phase) = (now, beat.Phase ?? attempt.Phase);
        }

        var p = look.Progress;
        attempt.Step = p.Step ?? (look.Beat?.Step > (attempt.Step ?? 0) ? look.Beat.Step : attempt.Step); // a beat before the first step knows nothing of the steps it goes on from
        attempt.CheckpointMade = p.Checkpoint ?? attempt.CheckpointMade;
        attempt.TotalSteps = p.TotalSteps ?? attempt.TotalSteps;
        attempt.Loss = p.Loss ?? attempt.Loss;
        attempt.EvalLoss = p.EvalLoss ?? attempt.EvalLoss;
        attempt.SecondsPerStep = p.SecondsPerStep ?? attempt.SecondsPerStep;
        if (look.LogBytes > 0)
        {
            attempt.FirstLineAt ??= now;
        }
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
