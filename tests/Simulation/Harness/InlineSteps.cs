using Dashboard.Infrastructure.Lifecycle;

namespace Dashboard.Simulation.Harness;

/// <summary>Steps on the world's own thread: each runs until it waits for something simulated, then the next one.</summary>
internal sealed class InlineSteps(Server server) : StepThreads
{
    public override Task Start(Func<Task> step) => server.Life == Life.Up ? RunAsync(step) : Never.Happens;

    public override void Interrupt(CancellationTokenSource stop) => stop.Cancel();

    private async Task RunAsync(Func<Task> step)
    {
        await step();
        server.Ended();
    }
}

/// <summary>What somebody waits for who has been killed.</summary>
internal static class Never
{
    public static Task Happens => new TaskCompletionSource().Task;

    public static Task<T> Answers<T>() => new TaskCompletionSource<T>().Task;
}
