namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>Where the reconciler's steps run: side by side on the thread pool. The deterministic simulation puts its own in, one thread in an order that a seed repeats.</summary>
internal class StepThreads
{
    public virtual Task Start(Func<Task> step) => Task.Run(step, CancellationToken.None);

    /// <summary>Asks a step to let go; nobody waits for what that takes.</summary>
    public virtual void Interrupt(CancellationTokenSource stop) => _ = stop.CancelAsync();
}
